"""Routes to answers by hand: `granian --interface wsgi bench.limit.application:application`."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from bench.limit import tickets
from bench.limit.tokens import Unauthorized, bearer

Environ = dict[str, Any]
Answer = tuple[int, Any]

PHRASES = {200: "200 OK", 201: "201 Created", 401: "401 Unauthorized", 404: "404 Not Found"}
NOT_FOUND: Answer = (404, {"code": "not_found", "message": "Not found."})


def asked(environ: Environ) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}


def pages(query: dict[str, str]) -> tuple[int, int]:
    return int(query.get("page", 1)), min(int(query.get("per_page", 10)), 100)


def list_tickets(environ: Environ) -> Answer:
    query = asked(environ)
    if "HTTP_AUTHORIZATION" not in environ:
        return 200, tickets.public_list(*pages(query))
    bearer(environ, "mechanic")
    return 200, tickets.shop_list(*pages(query))


def ticket(environ: Environ, number: str) -> Answer:
    bearer(environ, "mechanic")
    found = tickets.shop_ticket(int(number))
    return NOT_FOUND if found is None else (200, found)


def health(environ: Environ) -> Answer:
    return 200, {"status": "ok"}


ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
    ("GET", re.compile(r"/service_tickets/([0-9]+)"), ticket),
    ("GET", re.compile(r"/service_tickets/"), list_tickets),
    ("GET", re.compile(r"/health/ready"), health),
]


def answer(environ: Environ) -> Answer:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    for verb, pattern, view in ROUTES:
        if verb == method and (match := pattern.fullmatch(path)):
            return view(environ, *match.groups())
    return NOT_FOUND


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        status, body = answer(environ)
    except Unauthorized:
        status, body = 401, {"code": "not_authenticated", "message": "Sign in."}
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(PHRASES[status], headers)
    return [body]
