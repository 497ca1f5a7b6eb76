"""Every write of the API but signing in, each with somebody who may make it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

from autoful.accounts.tests.factories import PASSWORD
from autoful.api.writes import is_write
from autoful.testing.personas import Persona, boss, lisa, mike, nobody, sarah, tom
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

PERSON = {"name": "Ann New", "phone": "+1 555 010 7070", "password": PASSWORD}


@dataclass
class Write:
    """A request, who makes it, and the row of its path."""

    caller: Persona
    method: str
    path: str
    body: Any = None
    row: Any = None

    def __call__(self, key: str = "", **headers: str) -> Any:
        """The answer of the test client; `headers` as Django spells them, HTTP_IF_MATCH."""
        if key:
            headers["HTTP_IDEMPOTENCY_KEY"] = key
        return getattr(self.caller, self.method)(self.path, self.body, **headers)


class Desk:
    """A shop with one of each thing, and its people."""

    def __init__(self) -> None:
        self.nobody, self.boss = nobody(), boss()
        self.sarah, self.tom, self.mike, self.lisa = sarah(), tom(), mike(), lisa()
        self.part = PartFactory.create(quantity_in_stock=50)
        self.spare = PartFactory.create()
        self.walk_in = CustomerFactory.create(user=None)
        self.ticket = ServiceTicketFactory.create(
            customer=self.sarah.profile, mechanics=[self.mike.profile], parts=[(self.part, 2)]
        )
        self.line = self.ticket.part_lines.get()

    def writes(self) -> dict[str, Write]:
        """By route, as `inventory.update`."""
        customer = self.sarah.profile
        work = f"/service_tickets/{self.ticket.pk}"
        ticket = {
            "customer_id": customer.pk,
            "VIN": "1HGCM82633A004352",
            "service_desc": "Brakes squeal",
            "service_date": "2026-03-14",
        }
        used = {"inventory_id": self.part.pk, "quantity_used": 2}
        part = {"part_name": "Brake pads", "price": 45.99, "quantity_in_stock": 5}
        found = {
            "customers.create": (
                *(self.nobody, "post", "/customers/"),
                PERSON | {"email": "ann@example.com"},
            ),
            "customers.update": (
                *(self.sarah, "put", f"/customers/{customer.pk}", {"name": "Sarah Smith"}),
                customer,
            ),
            "customers.destroy": (
                *(self.boss, "delete", f"/customers/{self.tom.id}", None),
                self.tom.profile,
            ),
            "mechanics.create": (
                *(self.nobody, "post", "/mechanics/"),
                PERSON | {"email": "ann@example.com", "salary": 50000},
            ),
            "mechanics.update": (
                *(self.mike, "put", f"/mechanics/{self.mike.id}", {"phone": "+1 555 010 1111"}),
                self.mike.profile,
            ),
            "mechanics.destroy": (
                *(self.boss, "delete", f"/mechanics/{self.mike.id}", None),
                self.mike.profile,
            ),
            "service_tickets.create": (self.mike, "post", "/service_tickets/", ticket),
            "service_tickets.partial_update": (
                *(self.mike, "patch", work, {"service_desc": "Brakes", "mileage": 70000}),
                self.ticket,
            ),
            "service_tickets.destroy": (self.mike, "delete", work, None, self.ticket),
            "service_tickets.assign_mechanic": (
                *(self.mike, "put", f"{work}/assign-mechanic/{self.lisa.id}", None),
                self.ticket,
            ),
            "service_tickets.remove_mechanic": (
                *(self.mike, "put", f"{work}/remove-mechanic/{self.mike.id}", None),
                self.ticket,
            ),
            "service_tickets.edit_mechanics": (
                *(self.mike, "put", f"{work}/edit-mechanics", {"mechanic_ids": [self.lisa.id]}),
                self.ticket,
            ),
            "service_tickets.add_inventory": (
                *(self.mike, "post", f"{work}/add-inventory", used),
                self.ticket,
            ),
            "service_tickets.remove_inventory": (
                *(self.mike, "put", f"{work}/remove-inventory/{self.line.pk}", None),
                self.ticket,
            ),
            "inventory.create": (self.mike, "post", "/inventory/", part),
            "inventory.update": (
                *(self.mike, "put", f"/inventory/{self.part.pk}"),
                {"price": 39.5, "quantity_in_stock": 7},
                self.part,
            ),
            "inventory.destroy": (
                *(self.mike, "delete", f"/inventory/{self.spare.pk}", None),
                self.spare,
            ),
        }
        return {route: Write(*write) for route, write in found.items()}

    def add_part(self, caller: Persona | None = None, quantity: int = 2) -> Write:
        """The one that hurts most when it is done twice."""
        body = {"inventory_id": self.part.pk, "quantity_used": quantity}
        path = f"/service_tickets/{self.ticket.pk}/add-inventory"
        return Write(caller or self.mike, "post", path, body, self.ticket)

    def stock(self) -> int:
        self.part.refresh_from_db()
        return int(self.part.quantity_in_stock)


SINGLE = {
    Customer: "customers",
    Mechanic: "mechanics",
    Part: "inventory",
    ServiceTicket: "service_tickets",
}


def path_of(row: Any) -> str:
    return f"/{SINGLE[type(row)]}/{row.pk}"


def unsafe_routes(patterns: Any = None) -> Iterator[str]:
    """The names of all routes that change something, from the URLs themselves."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        yield from unsafe_routes(getattr(pattern, "url_patterns", ()))
        view: Any = getattr(pattern, "callback", None)
        for method, action in getattr(view, "actions", {}).items():
            if is_write(view.cls, action, method):
                yield f"{view.cls.list_name}.{action}"
