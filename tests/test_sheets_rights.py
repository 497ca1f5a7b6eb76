"""Who may take what out and bring what in."""

import io
from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from autoful.accounts.tests.factories import UserFactory
from autoful.sheets import background, writing
from autoful.sheets.models import SheetImport
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.sheets import (
    CUSTOMERS,
    PARTS,
    VEHICLES,
    exported,
    looked_at,
    remarks,
    table,
    told,
    upload,
)
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "start", lambda work, job: work())


def holding(*codenames: str) -> Desk:
    """Somebody of the back office with these permissions."""
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return Desk(type(user).objects.get(pk=user.pk))


def test_costs_are_for_those_who_see_them() -> None:
    part = PartFactory.create(cost=Decimal("3.10"))
    blind, seeing = holding("view_part"), holding("view_part", "view_cost")
    assert "Cost" not in table(exported(blind, PARTS))[0]
    assert table(exported(seeing, PARTS))[0]["Cost"] == "3.10"
    book = load_workbook(io.BytesIO(exported(blind, PARTS, "xlsx")))
    assert "Cost" not in [cell.value for cell in book.worksheets[0][1]]
    # Nor are they set by who does not see them.
    clerk = holding("view_part", "add_part", "change_part")
    job = looked_at(clerk, PARTS, f"No.,Cost,Category\n{part.pk},1,Brakes\n")
    assert job.unread == ["Cost"]
    told(clerk, PARTS, job)
    part.refresh_from_db()
    assert (part.cost, part.category) == (Decimal("3.10"), "Brakes")


def test_no_remark_tells_a_cost() -> None:
    part = PartFactory.create(price=Decimal(40), cost=Decimal("25.00"))
    desk = holding("add_part", "change_part", "view_part")
    for price in ("24.99", "25.01"):
        job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},{price}\n")
        assert remarks(job) == ""
    desk = holding("add_part", "change_part", "view_part", "view_cost")
    job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},24.99\n")
    assert "costs more than the customer pays" in remarks(job)


def test_names_of_owners_are_for_those_who_see_customers() -> None:
    VehicleFactory.create(customer=CustomerFactory.create(name="Ada Lovelace"))
    assert "Ada" in exported(holding("view_vehicle", "view_customer"), VEHICLES).decode()
    assert "Ada" not in exported(holding("view_vehicle"), VEHICLES).decode()


@pytest.mark.parametrize("missing", ["add_part", "change_part"])
def test_whoever_may_not_all_imports_nothing(missing: str) -> None:
    desk = holding(*{"view_part", "add_part", "change_part"} - {missing})
    assert desk.get(f"{PARTS}import/").status_code == 403
    assert desk.get(f"{PARTS}import/empty/").status_code == 403
    assert upload(desk, PARTS, "Name,Price\nBulb,1\n").status_code == 403
    assert not SheetImport.objects.exists()
    assert "Import a file" not in desk.get(PARTS).content.decode()


def test_whoever_may_change_parts_sees_them() -> None:
    desk = holding("add_part", "change_part")
    assert upload(desk, PARTS, "Name,Price\nBulb,1\n").status_code == 302


def test_nobody_sees_another_one_s_file(boss: Persona) -> None:
    mine = holding("view_part", "add_part", "change_part")
    job = looked_at(mine, PARTS, "Name,Price\nBulb,1\n")
    for other in (Desk(boss.user), holding("add_part", "change_part")):
        assert other.get(f"{PARTS}import/{job.pk}/").status_code == 404
        assert other.post(f"{PARTS}import/{job.pk}/", {"import": "1"}).status_code == 404
    assert not Part.objects.exists()
    # Nor under the address of another kind.
    assert Desk(boss.user).get(f"{CUSTOMERS}import/{job.pk}/").status_code == 404


def test_who_has_lost_the_right_imports_nothing(boss: Persona) -> None:
    desk = holding("view_part", "add_part", "change_part")
    job = looked_at(desk, PARTS, "Name,Price\nBulb,1\n")
    desk.user.user_permissions.clear()
    assert desk.post(f"{PARTS}import/{job.pk}/", {"import": "1"}).status_code == 403
    assert not Part.objects.exists()


@pytest.mark.parametrize("lost", ["rights", "account"])
def test_nor_while_it_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    desk = holding("view_part", "add_part", "change_part")
    job = looked_at(desk, PARTS, "Name,Price\nBulb,1\n")
    begun: list[Any] = []
    monkeypatch.setattr(background, "start", lambda work, job: begun.append(work))
    told(desk, PARTS, job)
    if lost == "rights":
        desk.user.user_permissions.clear()
    else:
        type(desk.user).objects.filter(pk=desk.user.pk).update(is_active=False)
    begun[0]()
    job.refresh_from_db()
    assert "may not import this any more" in job.said
    assert not Part.objects.exists()


class Unread(io.BytesIO):
    """A body that says whether anybody has read it."""

    was_read = False

    def read(self, *args: Any) -> bytes:
        self.was_read = True
        return super().read(*args)


@pytest.mark.parametrize("who", ["nobody", "clerk"])
def test_a_file_is_not_read_before_its_sender_is_known(who: str) -> None:
    client = Client() if who == "nobody" else holding("view_part")
    body = Unread(b"x" * 1000)
    answer: Any = client.generic(
        "POST",
        f"{PARTS}import/",
        content_type="multipart/form-data; boundary=x",
        **{"wsgi.input": body, "CONTENT_LENGTH": "1000"},
    )
    assert answer.status_code == (302 if who == "nobody" else 403)
    assert not body.was_read


def test_a_file_without_the_form_s_token_is_refused(boss: Persona) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(boss.user)
    file = SimpleUploadedFile("x.csv", b"Name,Price\nBulb,1\n")
    assert client.post(f"{PARTS}import/", {"file": file}).status_code == 403
    assert not SheetImport.objects.exists()
    job = looked_at(Desk(boss.user), PARTS, "Name,Price\nBulb,1\n")
    assert client.post(f"{PARTS}import/{job.pk}/", {"import": "1"}).status_code == 403
    assert not Part.objects.exists()


@pytest.mark.parametrize(
    ("path", "megabytes", "status"),
    [(f"{PARTS}import/", 3, 200), (f"{PARTS}import/", 33, 413), (f"{PARTS}add/", 3, 413)],
)
def test_large_bodies_are_for_files_alone(
    boss: Persona, path: str, megabytes: int, status: int
) -> None:
    answer = Desk(boss.user).generic(
        "POST",
        path,
        b"x=1&",
        content_type="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(megabytes * 1024 * 1024),
    )
    # Which is no file, and then the form says that one is needed; or as much of a form as is allowed.
    assert answer.status_code in {status, 400 if status == 200 else status}


def test_what_leaves_the_house_is_in_the_audit_trail(boss: Persona) -> None:
    desk = Desk(boss.user)
    PartFactory.create()
    before = LogEntry.objects.count()
    desk.get(f"{PARTS}import/empty/")  # holds nothing
    assert LogEntry.objects.count() == before
    exported(desk, PARTS, "xlsx")
    entry = LogEntry.objects.latest("id")
    assert entry.actor == boss.user
    assert entry.additional_data["event"] == "exported"
    assert "exported parts as XLSX" in desk.get("/admin/auditlog/logentry/").content.decode()
    assert desk.post(f"{PARTS}export/csv/").status_code == 405


def test_an_export_is_what_the_list_shows(boss: Persona) -> None:
    desk = Desk(boss.user)
    shown = PartFactory.create(category="Brakes", part_name="Pad")
    PartFactory.create(category="Oil", part_name="Filter")
    for asked in ({"category": "Brakes"}, {"q": "pad"}):
        assert [row["No."] for row in table(exported(desk, PARTS, **asked))] == [str(shown.pk)]
    assert desk.get(f"{PARTS}export/csv/", {"cost__gt": "1"}).status_code == 400
    answer: Any = desk.get(f"{PARTS}export/csv/", {"created_at__gte": "x"})
    assert answer.status_code in (302, 400)


def test_a_long_list_is_read_in_pieces_with_the_same_number_of_questions(
    boss: Persona, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(writing, "FIRST_CHUNK", 10)
    monkeypatch.setattr(writing, "CHUNK", 10)
    for _ in range(25):
        VehicleFactory.create(customer=CustomerFactory.create())
    desk = Desk(boss.user)
    answer: Any = desk.get(f"{VEHICLES}export/csv/")
    with django_assert_max_num_queries(6):  # two for each of three pieces
        rows = table(b"".join(answer.streaming_content))
    numbers = [int(row["No."]) for row in rows]
    assert len(numbers) == 25 and numbers == sorted(numbers, reverse=True)
    assert all(row["Owner"] for row in rows)


def test_more_than_a_workbook_takes_is_said_before(
    boss: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoful.sheets import pages

    monkeypatch.setattr(pages, "MOST_IN_XLSX", 1)
    PartFactory.create_batch(2)
    answer: Any = Desk(boss.user).get(f"{PARTS}export/xlsx/", follow=True)
    assert "More than 1 rows go into a CSV" in answer.content.decode()


def test_whose_car_it_is_is_told_to_who_sees_customers(boss: Persona) -> None:
    car, other = VehicleFactory.create(customer=CustomerFactory.create()), CustomerFactory.create()
    row = f"Customer no.,VIN,Description,Service date\n{other.pk},{car.vin},Brakes,2026-01-01\n"
    rights = ("add_serviceticket", "change_serviceticket", "view_serviceticket")
    assert (
        remarks(looked_at(holding(*rights), "/admin/tickets/serviceticket/", row))
        == "The vehicle is another customer's."
    )
    desk = holding(*rights, "view_customer")
    said = f"The vehicle is customer {car.customer_id}'s."
    assert remarks(looked_at(desk, "/admin/tickets/serviceticket/", row)) == said
    # A ticket that is there, too, if it gets another VIN.
    ticket = ServiceTicketFactory.create(customer=other)
    assert (
        remarks(
            looked_at(desk, "/admin/tickets/serviceticket/", f"No.,VIN\n{ticket.pk},{car.vin}\n")
        )
        == said
    )
    assert (
        remarks(
            looked_at(desk, "/admin/tickets/serviceticket/", f"No.,VIN\n{ticket.pk},{ticket.vin}\n")
        )
        == ""
    )
