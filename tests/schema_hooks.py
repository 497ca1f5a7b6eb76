"""What schemathesis must know of the shop to test it fairly; `tests/test_schema.py` loads this.

Nothing here switches a check off. What is told apart is what a request's shape cannot say: which
rows there are, and that a request which is right in itself can be refused as things stand.
"""

import os
import re
from typing import Any

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

CALLER = os.environ.get("FUZZ_CALLER", "")
# The account that calls is the first of its kind.
OWN = {"customer": "/customers/{id}", "mechanic": "/mechanics/{id}"}.get(CALLER)
ROWS = 6  # rows 1 to 6 of everything are there when the run begins

# The contract answers 400 where the request is right and the shop's state says no; schemathesis
# takes only 404 and 409 for that. Any other 400 to valid data is a failure.
REFUSALS = {
    "already_assigned",
    "illegal_transition",
    "insufficient_stock",
    "mechanic_unavailable",
    "not_assigned",
    "part_in_use",
    "part_line_not_on_ticket",
    "quantity_too_large",
    "reason_required",
    "stock_too_large",
    "ticket_closed",
    "unknown_mechanics",
}
# Made-up versions are none of the row's, and a made-up key may have been made up before.
HEADERS_REFUSED = {412: "precondition_failed", 422: "idempotency_key_reused"}
REFUSING = {400, *HEADERS_REFUSED}
# Rules that no JSON schema can tell: on one value, or on two parameters.
UNSAYABLE = (
    "This is no cursor of this list.",
    "Ask for a page by its number or by a cursor, not by both.",
    "An account with this email already exists.",
    "Another part has this number already.",
    "This password is too common.",
    "Added and removed at once",
)


def close(schema: dict[str, Any]) -> None:
    """A field that the documentation does not name is one that somebody should not see.

    Clients are told to expect more fields one day; the tests are not.
    """
    for name, shape in schema["components"]["schemas"].items():
        if "properties" in shape and name != "Error":
            shape["additionalProperties"] = name.endswith("Request")


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Of the shapes that depend on who asks, only those this caller may get."""
    close(raw_schema)
    for shape in raw_schema["components"]["schemas"].values():
        public = [s for s in shape.get("anyOf", ()) if "/Public" in s["$ref"]]
        if public and CALLER == "nobody":
            shape["anyOf"] = public
        elif public and CALLER in ("owner", "mechanic"):
            shape["anyOf"] = [s for s in shape["anyOf"] if s not in public]


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    return {name: _known(value) for name, value in (path_parameters or {}).items()}


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    """Three of four made-up cursors become the one that anybody may name: the first page's."""
    if not isinstance(query, dict) or not isinstance(query.get("cursor"), str):
        return query
    made_up = re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", query["cursor"])
    if made_up and len(query["cursor"]) % 4:
        return {name: value for name, value in query.items() if name != "page"} | {"cursor": ""}
    return query


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    known = dict(body)
    for name, value in body.items():
        if name in ("customer_id", "inventory_id"):
            known[name] = _known(value)
        elif name.endswith("_ids") and isinstance(value, list):
            known[name] = [_known(number) for number in value]
        elif name == "quantity_used" and _is_number(value) and 3 < value <= 1_000_000:
            known[name] = value % 3 + 1  # so that it is in stock
    return known


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """The account that calls must live: after its end everything would be a 401."""
    number = (case.path_parameters or {}).get("id")
    if case.operation.path != OWN or number not in (1, 1.0, "1"):
        return True
    if case.method == "PUT":
        return not (isinstance(case.body, dict) and "password" in case.body)
    return case.method != "DELETE"


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in REFUSING:
        return True
    if response.status_code in HEADERS_REFUSED:
        return bool(response.json()["code"] != HEADERS_REFUSED[response.status_code])
    answer = response.json()
    return answer["code"] not in REFUSALS and not any(text in response.text for text in UNSAYABLE)


def _known(value: Any) -> Any:
    """Three of four valid numbers become one of a row that is there; all others stay."""
    if _is_number(value) and ROWS < value < 10**15 and value % 4:
        return value % ROWS + 1
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
