"""What each layer of the shop costs: `python -m bench.layers`.

    BENCH_SIZES=1000 python -m bench.layers     with so many tickets only

The same answers by the same hand-written SQL, alone, behind Django and behind DRF as well, and then
ours. Written to docs/layers.md, unless BENCH_REPORT names another file.
"""

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import apart
from bench.asking import Request

SIZES = (100_000,)
REPORT = Path("docs/layers.md")
ROUNDS, EACH = 5, 200

INTRODUCTION = f"""# What each layer costs

Written by `python -m bench.layers`. The limit (see [performance](performance.md)) answers a request by
hand-written SQL: alone; behind Django, that is its request and response, our middlewares with the log and the
request's id, and its URLs; behind DRF too, that is a view with our authentication and negotiation, in place
of the limit's own check of the token. What the ORM, the serializers and the verbs cost comes on top of that;
what does not wait for each other's answers ours sends together, the limit one by one. One request after the
other, in one process and without a server, so that shares are not those of performance.md: there the server's
own work is on either side. Medians of {ROUNDS} rounds of {EACH}, by turns, with the database's share in them."""

Application = Callable[..., Iterable[bytes]]


def measure() -> None:
    """Fill the shop that the environment names, and print a table of the layers."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bench import requests
    from bench.filling import fill
    from bench.world import Filled, deliver_plenty

    tickets = apart.size()
    print(f"{tickets:,} tickets: filling …", file=sys.stderr, flush=True)
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    fill(connection, tickets=tickets)
    deliver_plenty()
    console: Any = logging.root.handlers[0]
    console.setStream(Path(os.devnull).open("w"))  # noqa: SIM115  # written, and read by nobody
    shop = Filled(tickets)
    print(f"## {tickets:,} tickets\n")
    print("| request | layer | ms | share of the limit |\n| --- | --- | --- | --- |")
    for what, asked in (
        ("a page of tickets, as a mechanic", requests.early_pages_of_the_shop(shop)),
        ("one ticket", requests.detail(shop)),
        ("a part onto a ticket", requests.add_part(shop)),
    ):
        took = _measured(cycle(asked))
        for layer, milliseconds in took.items():
            share = took["the limit"] / milliseconds
            print(f"| {what} | {layer} | {milliseconds:.2f} | {share:.2f} |")


def _measured(asked: Iterator[Request]) -> dict[str, float]:
    """Milliseconds a request, by layer."""
    from autoful.api import caching

    rounds: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):  # one to warm up
        for layer, application in _layers():
            environs = [_environ(request) for request in islice(asked, EACH)]
            caching.drop("service_tickets")  # no page of them comes twice in a round
            began = time.perf_counter()
            for environ in environs:
                _answer(application, environ)
            took = 1000 * (time.perf_counter() - began) / EACH
            if number:
                rounds.setdefault(layer, []).append(took)
    return {layer: statistics.median(times) for layer, times in rounds.items()}


def _layers() -> Iterator[tuple[str, Application]]:
    """Each with its application, which answers in this way until the next one is asked for."""
    from django.test import override_settings

    from autoful.wsgi import application as ours
    from bench import behind
    from bench.limit import application as limit

    yield "the limit", limit.application
    with override_settings(ROOT_URLCONF=behind.DJANGO):
        yield "behind Django", ours
    # Who calls is known by then.
    known = patch.object(limit, "bearer", lambda environ, _: environ["bench.caller"])
    with override_settings(ROOT_URLCONF=behind.DRF), known:
        yield "behind Django and DRF", ours
    yield "ours", ours


def _environ(request: Request) -> dict[str, Any]:
    from django.test import RequestFactory

    sent = RequestFactory().generic(
        request.method,
        request.path,
        request.payload(),
        "application/json",
        headers=request.headers(),
    )
    return dict(sent.environ)


def _answer(application: Application, environ: dict[str, Any]) -> None:
    said: list[str] = []
    answer = application(environ, lambda *answered: said.append(answered[0]))
    content = b"".join(answer)
    if close := getattr(answer, "close", None):
        close()
    if not said[0].startswith("20"):
        raise SystemExit(f"{environ['PATH_INFO']} was answered {said[0]}: {content[:200]!r}")


if __name__ == "__main__":
    sys.exit(apart.written("bench.layers", INTRODUCTION, SIZES, REPORT))
