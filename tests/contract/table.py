"""The contract's table of routes, line by line, and how to stand ready to call each."""

from dataclasses import dataclass
from typing import Any

from autoful.testing.http import Caller
from tests.contract.world import PASSWORD, World, fresh


@dataclass(frozen=True)
class Route:
    """`caller` and `limit` as in the contract; `status` is what a good call answers."""

    method: str
    path: str
    caller: str
    limit: int
    status: int = 200
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _person() -> dict[str, Any]:
    email = f"{fresh('new')}@example.com"
    return {"name": "New Comer", "email": email, "phone": "+1 555 010 9999", "password": PASSWORD}


def _part() -> dict[str, Any]:
    return {"part_name": fresh("Oil Filter "), "price": 9.5, "quantity_in_stock": 3}


def _ticket(ids: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer_id": ids["sarah"],
        "VIN": "1HGCM82633A004352",
        "service_desc": "Squeaks",
        "service_date": "2025-05-02",
    }


def _login(name: str) -> dict[str, str]:
    return {"email": f"{name}@example.com", "password": PASSWORD}


A, C, M = "anyone", "customer", "mechanic"
TICKET = "/service_tickets/{ticket}"

TABLE = [
    Route("POST", "/customers/login", A, 5, body=_login("sarah")),
    Route("POST", "/customers/", A, 5, 201, lambda ids: _person()),
    Route("GET", "/customers/", A, 50),
    Route("GET", "/customers/{customer}", A, 50),
    Route("GET", "/customers/my-tickets", C, 50),
    Route("PUT", "/customers/{customer}", "that customer", 50, body={"name": "Sarah Johnson"}),
    Route("DELETE", "/customers/{customer}", "that customer", 5),
    Route("GET", "/customers/top", A, 50),
    Route("POST", "/mechanics/login", A, 5, body=_login("mike")),
    Route("POST", "/mechanics/", A, 5, 201, lambda ids: _person() | {"salary": 50000}),
    Route("GET", "/mechanics/", M, 50),
    Route("GET", "/mechanics/{mechanic}", M, 50),
    Route("GET", "/mechanics/top", A, 50),
    Route("PUT", "/mechanics/{mechanic}", "that mechanic", 50, body={"name": "Mike Chen"}),
    Route("DELETE", "/mechanics/{mechanic}", "that mechanic", 5),
    Route("POST", "/service_tickets/", M, 50, 201, _ticket),
    Route("GET", "/service_tickets/", A, 50),
    Route("GET", TICKET, A, 50),
    Route("PATCH", TICKET, M, 50, body={"service_desc": "Still squeaks"}),
    Route("PUT", TICKET + "/assign-mechanic/{lisa}", M, 50),
    Route("PUT", TICKET + "/remove-mechanic/{mike}", M, 50),
    Route(
        "PUT", TICKET + "/edit-mechanics", M, 50, body=lambda ids: {"mechanic_ids": [ids["lisa"]]}
    ),
    Route(
        "POST",
        TICKET + "/add-inventory",
        M,
        50,
        201,
        lambda ids: {"inventory_id": ids["part"], "quantity_used": 1},
    ),
    Route("PUT", TICKET + "/remove-inventory/{line}", M, 50),
    Route("DELETE", TICKET, M, 5),
    Route("POST", "/inventory/", M, 50, 201, lambda ids: _part()),
    Route("GET", "/inventory/", A, 50),
    Route("GET", "/inventory/{part}", A, 50),
    Route("GET", "/inventory/search?part_name=brake", M, 50),
    Route("GET", "/inventory/low-stock?threshold=5", M, 50),
    Route("PUT", "/inventory/{part}", M, 50, body={"price": 47.25}),
    Route("DELETE", "/inventory/{part}", M, 10),
]


@dataclass(frozen=True)
class Ready:
    """A call that will succeed when `owner` makes it, or whoever else may."""

    route: Route
    path: str
    body: Any
    owner: Caller
    # A GET that shows what the call would change.
    shown_at: str


def ready(
    route: Route,
    world: World,
    people: dict[str, Any],
) -> Ready:
    """Set up what `route` needs, new where the call changes it."""
    sarah, mike, lisa = people["sarah"], people["mike"], people["lisa"]
    ids: dict[str, Any] = {"sarah": sarah.id, "mike": mike.id, "lisa": lisa.id}
    owner: Caller = world.anyone() if route.caller == A else sarah if route.caller == C else mike
    shown_at = ""
    if "{customer}" in route.path:
        whose = world.customer() if route.method == "DELETE" else sarah
        owner = whose if route.caller != A else owner
        ids["customer"], shown_at = whose.id, f"/customers/{whose.id}"
    if "{mechanic}" in route.path:
        whose = world.mechanic() if route.method == "DELETE" else mike
        owner = whose if route.caller != M else owner
        ids["mechanic"], shown_at = whose.id, f"/mechanics/{whose.id}"
    if "{part}" in route.path:
        ids["part"] = world.part(mike)["id"]
        shown_at = f"/inventory/{ids['part']}"
    if "{ticket}" in route.path:
        ids["ticket"] = world.ticket(mike, sarah.id)["id"]
        ids["part"] = world.part(mike)["id"]
        shown_at = f"/service_tickets/{ids['ticket']}"
        if "remove-mechanic" in route.path:
            mike.put(f"{shown_at}/assign-mechanic/{mike.id}")
        if "{line}" in route.path:
            ids["line"] = world.line(mike, ids["ticket"], ids["part"])
    body = route.body(ids) if callable(route.body) else route.body
    return Ready(route, route.path.format(**ids), body, owner, shown_at)
