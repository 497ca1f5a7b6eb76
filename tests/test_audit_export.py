"""The audit trail taken home: what the list shows, by its filters, and nothing that it does not."""

import csv
import datetime
from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from autoful.accounts.models import User
from autoful.actor import Actor, Role
from autoful.sheets import writing
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.registration import change_customer, enter_walk_in
from customers.tests.factories import CustomerFactory
from inventory.parts import change_part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/auditlog/logentry/"


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


def exported(desk: Desk, **asked: str) -> list[dict[str, str]]:
    answer: Any = desk.get(f"{LIST}export/", asked)
    assert answer["Content-Type"] == "text/csv; charset=utf-8", answer.status_code
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def renamed(user: User, name: str) -> Any:
    """A customer whose name this member of staff changed."""
    customer = CustomerFactory.create()
    actor = Actor(Role.BACK_OFFICE, user)
    change_customer(customer=customer, name=name, actor=actor)
    return customer


def test_what_the_list_shows_is_what_is_exported(desk: Desk, boss: Persona) -> None:
    renamed(boss.user, "Sarah Smith")
    rows = exported(desk, q="Sarah Smith")
    assert len(rows) == LogEntry.objects.filter(object_repr="Sarah Smith").count() > 0
    (row,) = [row for row in rows if row["What"] == "update"]
    assert (row["Who"], row["Role"], row["Kind"]) == (boss.user.email, "back_office", "customer")
    assert row["Changes"].endswith("to Sarah Smith")
    assert datetime.datetime.fromisoformat(row["When"]).tzinfo


@pytest.mark.parametrize("search", ["x" * 500, "a " * 50, "\x00"])
@pytest.mark.parametrize("where", [f"{LIST}export/", "/admin/inventory/part/export/csv/"])
def test_a_search_that_is_refused_takes_nothing_home(desk: Desk, where: str, search: str) -> None:
    PartFactory.create()
    answer = desk.get(where, {"q": search}, follow=True)
    assert answer.status_code == 200
    assert "could not be understood" in answer.content.decode()


def test_by_person_and_by_day(desk: Desk, boss: Persona, clerk: Persona) -> None:
    for person in (boss, clerk):
        renamed(person.user, f"Named by {person.user.email}")
    old = renamed(clerk.user, "Long ago")
    LogEntry._base_manager.filter(object_pk=str(old.pk), actor=clerk.user).update(
        timestamp=timezone.now() - datetime.timedelta(days=40)
    )
    kind = str(LogEntry.objects.filter(object_pk=str(old.pk)).first().content_type_id)
    theirs = exported(desk, person=str(clerk.user.pk), object=kind)
    assert {row["Who"] for row in theirs} == {clerk.user.email} and len(theirs) == 2
    today = timezone.localdate().isoformat()
    day = {"timestamp_from": today, "timestamp_to": today}
    recent = exported(desk, person=str(clerk.user.pk), object=kind, **day)
    assert [row["Object"] for row in recent] == [f"Named by {clerk.user.email}"]
    assert {row["Who"] for row in exported(desk, person="none", object=kind)} == {""}


@pytest.mark.parametrize(
    "asked",
    [
        *({"person": person} for person in ("x", "9" * 40, "-1", "1 OR 1=1")),
        *({"timestamp_from": day} for day in ("2026-02-31", "x", "99999-01-01", "0001-01-01")),
        {"timestamp_to": "9999-12-31"},
        {"timestamp__date__gte": "2026-01-01"},
    ],
)
def test_what_is_no_person_and_no_day_is_no_error(desk: Desk, asked: dict[str, str]) -> None:
    for page in (LIST, f"{LIST}export/"):
        assert desk.get(page, asked).status_code in (200, 302, 400), page


def test_who_may_not_see_a_thing_does_not_export_it(clerk: Persona) -> None:
    enter_walk_in(name="Sarah", phone="", email="", actor=Actor(Role.COMMAND))
    part = PartFactory.create(cost=Decimal("31.41"))
    change_part(part=part, fields={"cost": Decimal("27.18")}, actor=Actor(Role.COMMAND))
    desk = Desk(clerk.user)
    assert desk.get(f"{LIST}export/").status_code == 403
    names = ("view_logentry", "view_part")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    rows = exported(Desk(clerk.user))
    assert {row["Kind"] for row in rows} <= {"part", "log entry"}
    assert any(row["Changes"] == "changed cost" for row in rows)
    assert "31.41" not in str(rows) and "27.18" not in str(rows)


def test_a_name_is_no_formula(desk: Desk, boss: Persona) -> None:
    renamed(boss.user, '=HYPERLINK("http://evil.example")')
    objects = {row["Object"] for row in exported(desk)}
    assert '\'=HYPERLINK("http://evil.example")' in objects
    assert not any(name.startswith("=") for name in objects)


def test_a_long_trail_is_read_piece_by_piece(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(writing, "FIRST_CHUNK", 2)
    monkeypatch.setattr(writing, "CHUNK", 4)
    for _ in range(9):
        CustomerFactory.create()
    expected = [str(pk) for pk in LogEntry.objects.order_by("-id").values_list("object_pk")]
    with Statements(connection) as seen:
        rows = exported(desk)
    assert rows[0]["Changes"] == "exported audit trail as CSV"  # taking it home is told in it
    assert len(rows) == len(expected) + 1
    pieces = [q["sql"] for q in seen if q["sql"].endswith("LIMIT 4")]
    assert len(pieces) == (len(rows) - 2) // 4 + 1, pieces  # a last one that is not full


@pytest.mark.parametrize("last", ["add/", "{}/change/", "{}/delete/"])
def test_nobody_changes_an_entry_not_even_the_owner(desk: Desk, last: str) -> None:
    CustomerFactory.create()
    entry = LogEntry.objects.latest("pk")
    before = list(LogEntry.objects.order_by("pk").values())
    url = LIST + last.format(entry.pk)
    assert desk.post(url, {"post": "yes", "object_repr": "else"}).status_code == 403
    desk.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert list(LogEntry.objects.order_by("pk").values()) == before


def test_an_export_names_people_as_the_page_does(clerk: Persona, mike: Persona) -> None:
    part = PartFactory.create()
    change_part(part=part, fields={"location": "B2"}, actor=mike.actor)
    clerk.user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_logentry", "view_part"))
    )
    whole = str(exported(Desk(clerk.user)))
    assert mike.profile.name in whole and mike.user.email not in whole
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert mike.user.email in str(exported(Desk(clerk.user)))


def test_what_is_taken_home_is_told(desk: Desk) -> None:
    for url, what in (
        (f"{LIST}export/", "audit trail"),
        ("/admin/inventory/part/order-sheet/?format=csv", "order sheet"),
        ("/admin/inventory/part/export/csv/", "parts"),
    ):
        b"".join(desk.get(url).streaming_content)
        told = LogEntry.objects.latest("pk").additional_data
        assert (told["event"], told["said"]) == ("exported", f"{what} as CSV")
    assert desk.post(f"{LIST}export/").status_code == 405
