"""The races of a file that goes in while the shop is open.

Where a lock is what keeps them from losing something, a control without it stands beside. SQLite lets
one transaction write at a time, so what is shown there is how it ends.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from auditlog.models import LogEntry
from django.conf import settings

from autoful.accounts.tests.factories import SuperuserFactory
from autoful.actor import COMMAND
from autoful.sheets import background, importing
from autoful.sheets.models import SheetImport
from autoful.sheets.sheet import ShopSheet
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.rivals import (
    at_once,
    many_connections,
    on_mysql,
    outcome,
    rival_after,
    unclean,
    unhindered,
)
from customers.models import Customer, Vehicle
from customers.registration import change_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from customers.vehicles import save_vehicle
from inventory.models import Part
from inventory.parts import change_part, delete_part
from inventory.tests.factories import PartFactory
from tests.sheets import CUSTOMERS, PARTS, TICKETS, VEHICLES, looked_at, told
from tests.soundness import faults
from tickets.lifecycle import edit_ticket
from tickets.models import ServiceTicket
from tickets.parts import add_part
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "start", lambda work, job: work())


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


@pytest.fixture
def part() -> Part:
    return PartFactory.create(price=Decimal(10), quantity_in_stock=12)


def yes_at_once(desks: list[Desk], jobs: list[SheetImport]) -> list[Any]:
    pairs = zip(desks, jobs, strict=True)
    return at_once(*[partial(outcome, partial(told, desk, PARTS, job)) for desk, job in pairs])


def dearer(part: Part) -> Part:
    return change_part(part=part, fields={"price": Decimal(11)}, actor=COMMAND)


def changes(row: Any, field: str) -> list[list[Any]]:
    """Oldest first."""
    entries = LogEntry.objects.get_for_object(row).order_by("id")
    return [entry.changes[field] for entry in entries if field in entry.changes][1:]


def test_a_price_that_is_changed_meanwhile_is_not_written_over(desk: Desk, part: Part) -> None:
    job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},12\n")
    with rival_after(ShopSheet, "lock", partial(dearer, part)) as rival:
        told(desk, PARTS, job)
    assert unclean([rival.outcome()]) == []
    part.refresh_from_db()
    # The rival waited, knew what it changed, and had the last word.
    assert (job.status, part.price) == ("done", 11)
    assert changes(part, "price") == [["10.00", "12.00"], ["12.00", "11.00"]]


@on_mysql
def test_the_control_writes_over_a_price_that_nobody_was_shown(desk: Desk, part: Part) -> None:
    job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},12\n")
    unlocked = patch.object(ShopSheet, "lock", lambda sheet, entries: None)
    with unlocked, unhindered(), rival_after(ShopSheet, "lock", partial(dearer, part)):
        told(desk, PARTS, job)
    part.refresh_from_db()
    assert (job.status, part.price) == ("done", 12)  # shown as 10 to 12, and 11 is lost


def renamed(customer: Customer) -> None:
    change_customer(customer=customer, name="Theirs", actor=COMMAND)


def painted(car: Vehicle) -> None:
    car.colour = "Theirs"
    save_vehicle(vehicle=car, changed=["colour"], actor=COMMAND)


def noted(ticket: ServiceTicket) -> None:
    edit_ticket(ticket=ticket, fields={"notes": "Theirs"}, actor=COMMAND)


OTHERS = pytest.mark.parametrize(
    ("url", "factory", "field", "rivals"),
    [
        (CUSTOMERS, CustomerFactory, "name", renamed),
        (VEHICLES, VehicleFactory, "colour", painted),
        (TICKETS, ServiceTicketFactory, "notes", noted),
    ],
    ids=["customers", "vehicles", "tickets"],
)


@OTHERS
def test_what_is_changed_meanwhile_in_other_sheets_is_not_written_over(
    url: str, factory: Any, field: str, rivals: Any, desk: Desk
) -> None:
    row = factory.create(**{field: "Before"})
    job = looked_at(desk, url, f"No.,{field.title()}\n{row.pk},Ours\n")
    with rival_after(ShopSheet, "lock", partial(rivals, row)) as rival:
        told(desk, url, job)
    assert unclean([rival.outcome()]) == []
    row.refresh_from_db()
    assert (job.status, getattr(row, field)) == ("done", "Theirs")
    assert changes(row, field) == [["Before", "Ours"], ["Ours", "Theirs"]]


@on_mysql
@OTHERS
def test_the_controls_write_over_it(
    url: str, factory: Any, field: str, rivals: Any, desk: Desk
) -> None:
    row = factory.create(**{field: "Before"})
    job = looked_at(desk, url, f"No.,{field.title()}\n{row.pk},Ours\n")
    unlocked = patch.object(ShopSheet, "lock", lambda sheet, entries: None)
    with unlocked, unhindered(), rival_after(ShopSheet, "lock", partial(rivals, row)):
        told(desk, url, job)
    row.refresh_from_db()
    assert (job.status, getattr(row, field)) == ("done", "Ours")


def test_a_price_that_is_changed_before_its_turn_stops_all_of_it(desk: Desk, part: Part) -> None:
    job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},12\n")
    with rival_after(ShopSheet, "find", partial(dearer, part)):
        page = told(desk, PARTS, job)
    part.refresh_from_db()
    assert part.price == 11
    if settings.PRODUCTION:
        assert "the shop has changed since" in page and job.status == "checked"
    else:  # the file's transaction kept the rival out to its end
        assert changes(part, "price") == [["10.00", "12.00"], ["12.00", "11.00"]]


def test_what_is_sold_while_the_counted_goes_in_is_not_forgotten(desk: Desk, part: Part) -> None:
    ticket = ServiceTicketFactory.create()
    job = looked_at(desk, PARTS, f"No.,Counted\n{part.pk},20\n")
    sell = partial(add_part, ticket=ticket, part_id=part.pk, quantity=2, actor=COMMAND)
    with rival_after(ShopSheet, "lock", sell) as rival:
        told(desk, PARTS, job)
    assert unclean([rival.outcome()]) == []
    part.refresh_from_db()
    assert (job.status, part.quantity_in_stock) == ("done", 18)
    assert faults() == []


@on_mysql
def test_the_control_forgets_what_was_sold(desk: Desk, part: Part) -> None:
    ticket = ServiceTicketFactory.create()
    job = looked_at(desk, PARTS, f"No.,Counted\n{part.pk},20\n")
    sell = partial(add_part, ticket=ticket, part_id=part.pk, quantity=2, actor=COMMAND)
    unlocked = patch.object(ShopSheet, "lock", lambda sheet, entries: None)
    with unlocked, unhindered(), rival_after(ShopSheet, "lock", sell):
        told(desk, PARTS, job)
    part.refresh_from_db()
    assert (job.status, part.quantity_in_stock) == ("done", 20)


def test_a_part_that_is_deleted_meanwhile_stops_all_of_it(desk: Desk) -> None:
    fields = {"part_name": "Bulb", "price": Decimal(1)}
    gone, other = (Part.objects.create(**fields) for _ in range(2))
    job = looked_at(desk, PARTS, f"No.,Price\n{other.pk},12\n{gone.pk},12\n")
    with rival_after(ShopSheet, "find", partial(delete_part, part=gone, actor=COMMAND)):
        page = told(desk, PARTS, job)
    other.refresh_from_db()
    assert not Part.objects.filter(pk=gone.pk).exists()
    if settings.PRODUCTION:
        assert f"part {gone.pk} is deleted by now. Nothing was saved." in page
        assert (job.status, other.price) == ("checked", 1)
    else:
        assert (job.status, other.price) == ("done", 12)


def test_one_of_two_who_say_yes_at_once_imports(desk: Desk, boss: Persona) -> None:
    job = looked_at(desk, PARTS, "Part number,Name,Price\nN-1,Bulb,1\nN-2,Fuse,2\n")
    desks = [Desk(boss.user), Desk(boss.user)]
    pages = yes_at_once(desks, [SheetImport.objects.get(pk=job.pk) for _ in desks])
    assert unclean(pages) == []
    assert Part.objects.count() == 2
    said = [entry.additional_data.get("event") for entry in LogEntry.objects.all()]
    assert said.count("imported") == 1
    job.refresh_from_db()
    assert job.status == "done"


def test_two_files_about_the_same_parts_the_other_way_round(boss: Persona) -> None:
    """However they meet, one lands whole, and the other is told that the shop has changed."""
    parts = [PartFactory.create(price=Decimal(10)) for _ in range(30)]
    desks, jobs = [Desk(boss.user), Desk(SuperuserFactory.create())], []
    for desk, price, rows in zip(desks, (11, 12), (parts, parts[::-1]), strict=True):
        lines = "".join(f"{part.pk},{price}\n" for part in rows)
        jobs.append(looked_at(desk, PARTS, f"No.,Price\n{lines}"))
    with patch.object(importing, "CHUNK", 3):  # locks one after the other, and not all in one
        pages = yes_at_once(desks, jobs)
    assert unclean(pages) == []
    assert sorted(job.status for job in jobs) == ["checked", "done"]
    landed = next(price for job, price in zip(jobs, (11, 12), strict=True) if job.status == "done")
    assert set(Part.objects.values_list("price", flat=True)) == {landed}
