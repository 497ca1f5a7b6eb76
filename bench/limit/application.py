"""Routes to answers by hand: `granian --interface wsgi bench.limit.application:application`."""

import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import parse_qs

import redis

from bench.limit import parts, people, tickets, writing
from bench.limit.tokens import Unauthorized, bearer

Environ = dict[str, Any]
Answer = tuple[int, Any]

REDIS = redis.Redis.from_url(os.environ["REDIS_URL"])

PHRASES = dict(
    [
        *((200, "200 OK"), (201, "201 Created"), (400, "400 Bad Request")),
        *((401, "401 Unauthorized"), (404, "404 Not Found")),
    ]
)
NOT_FOUND: Answer = (404, {"code": "not_found", "message": "Not found."})


def asked(environ: Environ) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}


def pages(query: dict[str, str]) -> tuple[int, int]:
    return int(query.get("page", 1)), min(int(query.get("per_page", 10)), 100)


def body(environ: Environ) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(environ["wsgi.input"].read())
    return sent


def list_tickets(environ: Environ) -> Answer:
    query = asked(environ)
    if "HTTP_AUTHORIZATION" in environ:
        bearer(environ, "mechanic")
        return 200, tickets.shop_list(*pages(query))
    if "cursor" in query:
        return 200, tickets.public_list_after(query["cursor"], pages(query)[1])
    if "page" not in query:  # the hot page; ours would find the others in its cache, too
        return 200, cached("tickets", lambda: tickets.public_list(*pages(query)))
    return 200, tickets.public_list(*pages(query))


def cached(name: str, build: Callable[[], Any]) -> bytes:
    """The bytes as Redis has them, for as long as ours would keep them."""
    key = f"limit:{name}"
    kept = REDIS.get(key)
    if kept is None:
        kept = rendered(build())
        REDIS.set(key, kept, ex=60)
    return cast(bytes, kept)


def ticket(environ: Environ, number: str) -> Answer:
    bearer(environ, "mechanic")
    found = tickets.shop_ticket(int(number))
    return NOT_FOUND if found is None else (200, found)


def my_tickets(environ: Environ) -> Answer:
    customer, _ = bearer(environ, "customer")
    return 200, people.my_tickets(customer, *pages(asked(environ)))


def search(environ: Environ) -> Answer:
    bearer(environ, "mechanic")
    query = asked(environ)
    text = query["part_name"]
    # Ours counts once for all pages, until a part changes.
    counted = int(cached(f"count:{text}", lambda: parts.count(text)))
    return 200, parts.search(text, *pages(query), counted)


def open_ticket(environ: Environ) -> Answer:
    return 201, writing.open_ticket(bearer(environ, "mechanic"), body(environ))


def add_part(environ: Environ, number: str) -> Answer:
    new, said = writing.add_part(bearer(environ, "mechanic"), int(number), body(environ))
    return 201 if new else 200, said


def sign_in(environ: Environ) -> Answer:
    return 200, people.sign_in(**body(environ))


def top_customers(environ: Environ) -> Answer:
    return 200, people.top_customers()


def top_mechanics(environ: Environ) -> Answer:
    return 200, people.top_mechanics()


def health(environ: Environ) -> Answer:
    return 200, {"status": "ok"}


ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
    ("GET", re.compile(r"/service_tickets/([0-9]+)"), ticket),
    ("GET", re.compile(r"/service_tickets/"), list_tickets),
    ("GET", re.compile(r"/customers/my-tickets"), my_tickets),
    ("GET", re.compile(r"/inventory/search"), search),
    ("POST", re.compile(r"/service_tickets/"), open_ticket),
    ("POST", re.compile(r"/service_tickets/([0-9]+)/add-inventory"), add_part),
    ("POST", re.compile(r"/mechanics/login"), sign_in),
    ("GET", re.compile(r"/customers/top"), top_customers),
    ("GET", re.compile(r"/mechanics/top"), top_mechanics),
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
        status, said = answer(environ)
    except Unauthorized:
        status, said = 401, {"code": "not_authenticated", "message": "Sign in."}
    except (KeyError, ValueError):
        status, said = 400, {"code": "invalid", "message": "That cannot be honoured."}
    content = said if isinstance(said, bytes) else rendered(said)
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(PHRASES[status], headers)
    return [content]


def rendered(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
