"""Ours and the limit answer the same bytes and make the same statements, or nothing is compared."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence

from bench.asking import Answer, Request, ask
from bench.endpoints import Endpoint
from bench.statements import Log, of_tables

SAMPLE, WRITES = 12, 3
# What no two requests that write have in common: numbers that are given out, the stock that is
# left, moments, and tokens.
OWN = re.compile(
    rb'"(id|stock_remaining|service_inventory_id|created_at|updated_at|token|auth_token)"'
    rb':(?:[0-9]+|"[^"]*")'
)


class Unequal(Exception):
    """The two sides differ; the message shows where."""


def demand_equal_answers(
    endpoint: Endpoint, ours: str, limit: str, requests: Sequence[Request]
) -> None:
    """Ask both servers a sample of `requests`. Raises Unequal with the first difference.

    A write is asked twice: what is done again may be answered otherwise.
    """
    for here, there in pairs(endpoint, requests) * (2 if endpoint.writes else 1):
        demand_same(endpoint, ask(ours, here), ask(limit, there), here)


def demand_equal_statements(
    endpoint: Endpoint, log: Log, urls: tuple[str, str], requests: tuple[Request, Request]
) -> tuple[int, int]:
    """How many statements that read or write a table a request takes, for ours and the limit.

    Of servers that have been loaded, so that each process has what it keeps, and are silent now.
    Raises Unequal with both lists when a write of the two does not make the same, at first or when
    it is done again.
    """
    (ours, limit), (here, there) = urls, requests
    counts = (0, 0)
    for _ in range(2 if endpoint.writes else 1):
        all_ours, all_limit = _statements(log, ours, here), _statements(log, limit, there)
        mine, its = of_tables(all_ours), of_tables(all_limit)
        if endpoint.writes and mine != its:
            raise Unequal(
                f"{endpoint.title}: the limit does not make the statements of ours; they are in "
                f"bench/limit/writing.py.\nOurs alone:  {_named(mine - its)}\n"
                f"Limit alone: {_named(its - mine)}\n"
                + "\n  ".join(["Ours:", *all_ours])
                + "\n  ".join(["\nLimit:", *all_limit])
            )
        counts = counts if any(counts) else (mine.total(), its.total())
    return counts


def _statements(log: Log, url: str, request: Request) -> list[str]:
    with log.written() as statements:
        ask(url, request)
    return statements


def pairs(endpoint: Endpoint, requests: Sequence[Request]) -> list[tuple[Request, Request]]:
    """A sample for ours and for the limit.

    The same for both; where the first one would leave other stock to the second, two that differ
    in their tickets alone.
    """
    if not endpoint.moves_stock:
        step = max(1, len(requests) // SAMPLE)
        return [
            (request, request)
            for request in requests[::step][: WRITES if endpoint.writes else SAMPLE]
        ]
    waiting: dict[bytes, Request] = {}
    found = []
    for request in requests:
        if other := waiting.pop(request.payload(), None):
            found.append((other, request))
        else:
            waiting[request.payload()] = request
    return found[:WRITES]


def _named(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{number}x {what}" for what, number in counted.items()) or "none"


def demand_same(endpoint: Endpoint, ours: Answer, limit: Answer, request: Request) -> None:
    """Raises Unequal for answers that differ, and for the same refusal from both."""
    if endpoint.writes:
        ours, limit = _masked(ours), _masked(limit)
    if ours != limit or ours.status >= 400:
        what = f"{endpoint.title}: {request.method} {request.path}"
        raise Unequal(f"{what}\n{_difference(ours, limit)}")


def _masked(answer: Answer) -> Answer:
    return Answer(answer.status, answer.content_type, OWN.sub(rb'"\1":"?"', answer.body))


def _difference(ours: Answer, limit: Answer) -> str:
    pairs = difflib.unified_diff(_lines(ours), _lines(limit), "ours", "limit", lineterm="", n=2)
    shown = list(pairs)[:60]
    if not shown:
        shown = [repr(ours.body[:500]), repr(limit.body[:500])]
    return "\n".join([f"ours: {ours.status}, limit: {limit.status}", *shown])


def _lines(answer: Answer) -> list[str]:
    head = [str(answer.status), answer.content_type]
    try:
        body = json.dumps(json.loads(answer.body), indent=1, ensure_ascii=False)
    except ValueError:
        body = answer.body.decode(errors="replace")
    return head + body.splitlines()
