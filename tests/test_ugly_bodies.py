"""Every field of every body with every value nobody should send: the answer the table says.

The routes and fields come from the viewsets, so a new one is tried as it appears, and one of a
kind that the table does not know fails.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from autoful.accounts.models import User
from autoful.testing.personas import Persona
from customers.models import Customer
from customers.views import CustomerViewSet
from inventory.models import Part
from inventory.tests.factories import PartFactory
from inventory.views import PartViewSet
from mechanics.models import Mechanic
from mechanics.views import MechanicViewSet
from tests import ugly
from tests.soundness import everything
from tests.ugly import ACCEPTED, READABLE_NOT, VALUES, chosen, kind_of
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory
from tickets.views import ServiceTicketViewSet

pytestmark = pytest.mark.django_db

PERSON = {
    "name": "Ada",
    "email": "ada@example.com",
    "phone": "555 0100",
    "password": "a fine one 1",
}
PART = {"part_name": "Brake Pad", "price": 4.5, "quantity_in_stock": 5}
TICKET = {"VIN": "1HGCM82633A004352", "service_desc": "Grinds", "service_date": "2026-11-22"}


@dataclass
class Route:
    """A route with a body: how to call it so that it would succeed, and where its fields end up."""

    viewset: Any
    action: str
    call: Callable[..., Any]  # the client's method
    path: str
    body: dict[str, Any]
    model: Any = None  # where what was sent can be read; None when it is no column

    @property
    def name(self) -> str:
        return f"{self.viewset.list_name}.{self.action}"


@pytest.fixture
def routes(nobody: Persona, sarah: Persona, mike: Persona, settings: Any) -> Iterator[list[Route]]:
    settings.RATE_LIMITS = None
    # The hash is not what is tried here, and takes a fifth of a second.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"
    part = PartFactory.create(quantity_in_stock=50)
    ticket = ServiceTicketFactory.create(customer=sarah.profile)
    tickets, on_ticket = "/service_tickets", f"/service_tickets/{ticket.pk}"
    used = {"inventory_id": part.pk, "quantity_used": 1}
    login = {"email": "sarah@example.com", "password": "wrong"}
    yield [
        Route(CustomerViewSet, "create", nobody.post, "/customers", PERSON, Customer),
        Route(CustomerViewSet, "update", sarah.put, f"/customers/{sarah.id}", {}, Customer),
        Route(CustomerViewSet, "login", nobody.post, "/customers/login", login),
        Route(
            MechanicViewSet, "create", nobody.post, "/mechanics", PERSON | {"salary": 1}, Mechanic
        ),
        Route(MechanicViewSet, "update", mike.put, f"/mechanics/{mike.id}", {}, Mechanic),
        Route(MechanicViewSet, "login", nobody.post, "/mechanics/login", login),
        Route(PartViewSet, "create", mike.post, "/inventory", PART, Part),
        Route(PartViewSet, "update", mike.put, f"/inventory/{part.pk}", {}, Part),
        Route(
            ServiceTicketViewSet,
            "create",
            mike.post,
            tickets,
            TICKET | {"customer_id": sarah.id},
            ServiceTicket,
        ),
        Route(ServiceTicketViewSet, "partial_update", mike.patch, on_ticket, {}, ServiceTicket),
        Route(ServiceTicketViewSet, "edit_mechanics", mike.put, f"{on_ticket}/edit-mechanics", {}),
        Route(ServiceTicketViewSet, "add_inventory", mike.post, f"{on_ticket}/add-inventory", used),
    ]


def test_every_route_with_a_body_is_here(routes: list[Route]) -> None:
    viewsets = (CustomerViewSet, MechanicViewSet, PartViewSet, ServiceTicketViewSet)
    there = {f"{viewset.list_name}.{action}" for viewset in viewsets for action in viewset.inputs}
    assert {route.name for route in routes} == there


def tried(route: Route) -> Iterator[tuple[str, str, str, Any]]:
    """Field, value, body, field's own; a sample, but of each kind in turn."""
    serializer = route.viewset.inputs[route.action]()
    for place, (name, field) in enumerate(serializer.fields.items()):
        for number, (value, text) in enumerate(VALUES.items()):
            if chosen(place, number):
                rest = json.dumps({k: v for k, v in route.body.items() if k != name})
                body = f'{{"{name}": {text}{"," if len(rest) > 2 else ""} {rest[1:]}'
                yield name, value, body, field


def test_every_field_takes_or_refuses_as_the_table_says(routes: list[Route]) -> None:
    wrong = []
    for route in routes:
        before = everything()
        for name, value, body, field in tried(route):
            takes = ACCEPTED[kind_of(field)]
            at = f"{route.name} {name} = {value}"
            with transaction.atomic():
                answer = route.call(route.path, data=body, content_type="application/json")
                if route.action == "login" and answer.status_code == 401:
                    # What could be somebody's is not right; nothing else is said of it.
                    if not VALUES[value].startswith('"'):
                        wrong.append(f"{at}: 401")
                elif value in takes and route.action != "login":
                    wrong += _not_taken(route, field, takes[value], answer, at)
                    transaction.set_rollback(True)
                else:
                    wrong += _not_refused(name, value, answer, at)
        after = everything()
        if route.action == "login":  # a refused sign-in leaves its entry
            after["auditlog.LogEntry"] = before["auditlog.LogEntry"]
        if after != before:
            wrong.append(f"{route.name}: something changed")
    assert not wrong, "\n".join(wrong)


def _not_refused(name: str, value: str, answer: Any, at: str) -> list[str]:
    code = "parse_error" if value in READABLE_NOT else "invalid"
    if answer.status_code != 400:
        return [f"{at}: {answer.status_code} {answer.content[:200]!r}"]
    said = answer.json()
    if said["code"] != code or (code == "invalid" and list(said["fields"]) != [name]):
        return [f"{at}: {said}"]
    return []


def _not_taken(route: Route, field: Any, kept: Any, answer: Any, at: str) -> list[str]:
    if field.field_name.endswith(("_id", "_ids")):
        # A number that a row could have: whether it has is for the verb to say.
        fine = answer.status_code in (200, 201, 400, 404) and "fields" not in answer.json()
        return [] if fine else [f"{at}: {answer.status_code} {answer.content[:200]!r}"]
    if answer.status_code not in (200, 201):
        return [f"{at}: refused, {answer.status_code} {answer.content[:200]!r}"]
    shown = answer.json().get(field.field_name)
    if isinstance(shown, str) and shown != kept:
        return [f"{at}: shows {shown!r}"]
    if route.model is None or field.field_name == "reason":
        return []
    row = route.model.objects.get(pk=answer.json()["id"])
    if field.field_name == "password":
        return [] if User.objects.get(pk=row.user_id).check_password(kept) else [f"{at}: another"]
    if field.field_name == "email":
        row = row.user
    found = getattr(row, field.source)
    return [] if found == kept else [f"{at}: {found!r} is kept"]


def test_the_order_of_keys_and_other_ways_to_say_one_twice(mike: Persona, routes: Any) -> None:
    before = everything()
    for body in (
        '{"price": 1, "part_name": "x", "quantity_in_stock": 1, "price": 2}',
        '{"price": 1, "part_name": "x", "quantity_in_stock": 1, "\\u0070rice": 1}',
        '[{"a": 1, "a": 1}]',
    ):
        answer = mike.post("/inventory", data=body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "parse_error"), body
        assert "twice" in answer.json()["message"]
    assert everything() == before


# Bodies that are wrong as a whole, whichever route they are sent to.
WHOLES: dict[str, tuple[bytes, str, int]] = {
    "deep lists": (b"[" * 100_000, "application/json", 400),
    "deep objects": (b'{"a":' * 100_000, "application/json", 400),
    "deep and closed": (b"[" * 100_000 + b"]" * 100_000, "application/json", 400),
    "five megabytes": (b'{"name": "' + b"x" * 5_000_000 + b'"}', "application/json", 413),
    "half of it": (b'{"name": "x', "application/json", 400),
    "no UTF-8": (b'{"name": "\xff\xfe"}', "application/json", 400),
    "UTF-16": ('{"name": "x"}'.encode("utf-16"), "application/json", 400),
    "with a mark": (b"\xef\xbb\xbf{}", "application/json", 400),
    "a list": (b"[]", "application/json", 400),
    "a text": (b'"x"', "application/json", 400),
    "a number": (b"1", "application/json", 400),
    "null": (b"null", "application/json", 400),
    "two": (b"{} {}", "application/json", 400),
    "XML": (b"<a/>", "application/xml", 415),
    "YAML": (b"a: 1", "application/yaml", 415),
    "plain": (b"x", "text/plain", 415),
    "of no kind": (b"x", "nonsense", 415),
    "a broken form": (b"x", "multipart/form-data", 400),
    "a form without end": (b"--x\r\n", "multipart/form-data; boundary=x", 400),
}


def test_a_body_that_is_wrong_as_a_whole(routes: list[Route]) -> None:
    before = everything()
    for whole, (content, kind, status) in WHOLES.items():
        for place, route in enumerate(routes):
            if place % 2 and ugly.EVERY > 1:
                continue
            answer = route.call(route.path, data=content, content_type=kind)
            at = f"{whole} to {route.name}: {answer.status_code} {answer.content[:200]!r}"
            if "form" in kind and not route.body and answer.status_code == 200:
                continue  # an empty form changes nothing, where any subset will do
            assert answer.status_code == status, at
            assert answer.json()["code"], at
            assert answer.json()["message"], at
    after = everything()
    for model, rows in after.items():
        assert len(rows) == len(before[model]), model
