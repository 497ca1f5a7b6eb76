"""Every change leaves who, what and from where, and a change that was not made leaves nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from autoful.actor import COMMAND
from autoful.testing.personas import Persona
from inventory import stock
from inventory.tests.factories import PartFactory
from tests.changes import CHANGES, EVERY_CHANGE, Shop
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.9"
# Who may choose the id of a request could sign it with another's.
FROM: dict[str, Any] = {"HTTP_X_REQUEST_ID": "the-clients-own-id-42", "REMOTE_ADDR": ADDRESS}


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


def since(last: int) -> list[LogEntry]:
    return list(LogEntry.objects.filter(pk__gt=last).order_by("id"))


def last_entry() -> int:
    newest = LogEntry.objects.order_by("-id").first()
    return newest.pk if newest else 0


class Day:
    """What a mechanic's requests are about."""

    def __init__(self, lisa: Persona, sarah: Persona) -> None:
        self.pads = PartFactory.create(part_name="Brake pads", quantity_in_stock=50)
        self.spare = PartFactory.create(part_name="Spare")
        self.ticket = ServiceTicketFactory.create(customer=sarah.profile, parts=[(self.pads, 2)])
        self.line = self.ticket.part_lines.get().pk
        self.url = f"/service_tickets/{self.ticket.pk}"
        self.lisa, self.sarah = lisa, sarah


BODY = {"VIN": "1HGCM82633A004352", "service_desc": "Oil", "service_date": "2025-06-01"}
Request = tuple[str, str, Any]
# What is sent, then what the entries say: (model, action, field, old, new).
REQUESTS: dict[str, tuple[Callable[[Day], Request], list[tuple[str, int, str, str, str]]]] = {
    "open a ticket": (
        lambda d: ("post", "/service_tickets", BODY | {"customer_id": d.sarah.id}),
        [
            ("vehicle", 0, "vin", "None", "1HGCM82633A004352"),
            ("serviceticket", 0, "service_desc", "None", "Oil"),
        ],
    ),
    "edit a ticket": (
        lambda d: ("patch", d.url, {"service_desc": "Tyres", "status": "in_progress"}),
        [
            ("serviceticket", 1, "service_desc", "Oil change", "Tyres"),
            ("serviceticket", 1, "status", "pending", "in_progress"),
        ],
    ),
    "assign": (
        lambda d: ("put", f"{d.url}/assign-mechanic/{d.lisa.id}", None),
        [("assignment", 0, "mechanic", "None", "{lisa}")],
    ),
    "set the team": (
        lambda d: ("put", f"{d.url}/edit-mechanics", {"mechanic_ids": [d.lisa.id]}),
        [("assignment", 0, "mechanic", "None", "{lisa}")],
    ),
    "add a part": (
        lambda d: (
            "post",
            f"{d.url}/add-inventory",
            {"inventory_id": d.pads.pk, "quantity_used": 3},
        ),
        [
            ("part", 1, "quantity_in_stock", "48", "45"),
            ("partline", 1, "quantity_used", "2", "5"),
        ],
    ),
    "remove a part": (
        lambda d: ("put", f"{d.url}/remove-inventory/{d.line}", None),
        [
            ("part", 1, "quantity_in_stock", "48", "50"),
            ("partline", 2, "quantity_used", "2", "None"),
        ],
    ),
    "cancel": (
        lambda d: ("patch", d.url, {"status": "cancelled"}),
        [
            ("part", 1, "quantity_in_stock", "48", "50"),
            ("partline", 2, "quantity_used", "2", "None"),
            ("serviceticket", 1, "status", "pending", "cancelled"),
        ],
    ),
    "delete a ticket": (
        lambda d: ("delete", d.url, None),
        [
            ("part", 1, "quantity_in_stock", "48", "50"),
            ("partline", 2, "quantity_used", "2", "None"),
            ("serviceticket", 2, "service_desc", "Oil change", "None"),
        ],
    ),
    "enter a part": (
        lambda d: (
            "post",
            "/inventory",
            {"part_name": "Filter", "price": 9.5, "quantity_in_stock": 4},
        ),
        [("part", 0, "price", "None", "9.50"), ("part", 1, "quantity_in_stock", "0", "4")],
    ),
    "change a part": (
        lambda d: ("put", f"/inventory/{d.pads.pk}", {"price": 50, "quantity_in_stock": 7}),
        [
            ("part", 1, "price", "45.99", "50.00"),
            ("part", 1, "quantity_in_stock", "48", "7"),
        ],
    ),
    "delete a part": (
        lambda d: ("delete", f"/inventory/{d.spare.pk}", None),
        [("part", 2, "part_name", "Spare", "None")],
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_leaves_who_what_and_from_where(
    name: str, mike: Persona, lisa: Persona, sarah: Persona
) -> None:
    day = Day(lisa, sarah)
    request, expected = REQUESTS[name]
    method, path, body = request(day)
    before = last_entry()
    answer = getattr(mike, method)(path, body, **FROM)
    assert answer.status_code in (200, 201), answer.content
    written = since(before)
    said = {
        (entry.content_type.model, entry.action, field, *map(str, values))
        for entry in written
        for field, values in entry.changes.items()
    }
    assert {
        tuple(str(x).format(lisa=lisa.id) if isinstance(x, str) else x for x in row)
        for row in expected
    } <= said
    for entry in written:
        assert entry.actor == mike.user
        assert entry.additional_data["role"] == "mechanic"
        assert entry.additional_data["profile_id"] == mike.id
        assert (entry.cid, entry.remote_addr) == (answer["X-Request-ID"], ADDRESS)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_refused_request_leaves_nothing(name: str, sarah: Persona, lisa: Persona) -> None:
    method, path, body = REQUESTS[name][0](Day(lisa, sarah))
    before = last_entry()
    assert getattr(sarah, method)(path, body, **FROM).status_code == 403
    assert since(before) == []


@pytest.mark.parametrize(("path", "name"), EVERY_CHANGE)
def test_every_verb_and_every_save_leaves_an_entry(path: str, name: str) -> None:
    shop = Shop()
    before = last_entry()
    CHANGES[path][name](shop)
    written = since(before)
    assert written
    assert {entry.additional_data["role"] for entry in written} == {"command"}
    assert all(entry.changes or "event" in entry.additional_data for entry in written)


def test_a_change_by_the_back_office_is_its_own(boss: Persona, sarah: Persona) -> None:
    before = last_entry()
    answer = boss.put(f"/customers/{sarah.id}", {"name": "Sarah Smith"}, **FROM)
    assert answer.status_code == 200
    (entry,) = since(before)
    assert entry.changes == {"name": ["Sarah Johnson", "Sarah Smith"]}
    assert (entry.actor, entry.additional_data) == (boss.user, {"role": "back_office"})
    assert (entry.cid, entry.remote_addr) == (answer["X-Request-ID"], ADDRESS)


def test_a_change_rolled_back_leaves_nothing() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    before = last_entry()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        stock.receive(part=part, quantity=1, actor=COMMAND)
        assert len(since(before)) == 1
        1 / 0  # noqa: B018
    assert since(before) == []


def test_a_lock_is_no_change() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    before = last_entry()
    stock.set_quantity(part=part, quantity=5, actor=COMMAND)
    assert since(before) == []


def test_what_a_user_may_do_is_recorded(boss: Persona, clerk: Persona) -> None:
    group = Group.objects.create(name="Front desk")
    permission = Permission.objects.get(codename="change_customer")
    for change, about in (
        (lambda: clerk.user.groups.add(group), "user"),
        (lambda: clerk.user.user_permissions.add(permission), "user"),
        (lambda: group.permissions.add(permission), "group"),
    ):
        before = last_entry()
        change()
        assert [entry.content_type.model for entry in since(before)] == [about]
