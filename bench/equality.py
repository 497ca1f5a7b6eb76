"""Ours and the limit answer the same bytes, or the comparison means nothing."""

import difflib
import json
from collections.abc import Sequence

from bench.asking import Answer, Request, ask

SAMPLE = 12


class Unequal(Exception):
    """The two sides differ; the message shows where."""


def demand_equal(ours: str, limit: str, requests: Sequence[Request]) -> None:
    """Ask both servers a sample of `requests`. Raises Unequal with the first difference."""
    for request in requests[:: max(1, len(requests) // SAMPLE)]:
        here, there = ask(ours, request), ask(limit, request)
        if here != there or here.status >= 400:
            raise Unequal(f"{request.method} {request.path}\n{_difference(here, there)}")


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
