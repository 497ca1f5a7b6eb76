"""In and out of spreadsheets, through the pages of the back office."""

import io
from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from openpyxl import load_workbook

from autoful.actor import COMMAND
from autoful.sheets import background
from autoful.sheets.models import SheetPiece, SheetRow
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.models import Customer
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from tests.sheets import (
    CUSTOMERS,
    PARTS,
    TICKETS,
    VEHICLES,
    exported,
    fates,
    looked_at,
    remarks,
    told,
)
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done beside the request is done before it is answered: a test has one transaction."""
    monkeypatch.setattr(background, "start", lambda work, job: work())


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


def test_new_and_changed_parts_come_in_by_the_verbs(desk: Desk, boss: Persona) -> None:
    known = PartFactory.create(part_number="BP-1", price=Decimal(10), quantity_in_stock=50)
    job = looked_at(
        desk,
        PARTS,
        "Part number,Name,Price,In stock,Counted\n"
        f"BP-1,{known.part_name},12.50,50,48\n"
        "OF-9,Oil filter,7.25,30,\n",
    )
    assert job.counts == {"new": 1, "changed": 1, "same": 0, "refused": 0}
    assert Part.objects.count() == 1  # nothing is saved
    known.refresh_from_db()
    assert (known.price, known.quantity_in_stock) == (10, 50)
    changes = job.rows.get(fate="changed").changes
    assert ["Price", "10.00", "12.50"] in changes
    assert ["Counted", "50", "48"] in changes

    told(desk, PARTS, job)
    assert job.status == "done"
    known.refresh_from_db()
    assert (known.price, known.quantity_in_stock) == (Decimal("12.50"), 48)
    filter_ = Part.objects.get(part_number="OF-9")
    assert (filter_.part_name, filter_.quantity_in_stock, filter_.reorder_point) == (
        "Oil filter",
        30,
        5,
    )
    moved = StockMovement.objects.values_list("part", "reason", "change")
    assert (known.pk, "adjusted", -2) in moved
    assert (filter_.pk, "opening", 30) in moved
    entries = LogEntry.objects.filter(actor=boss.user)
    assert entries.filter(object_repr="Oil filter").exists()
    assert "1 new, 1 changed" in str(entries.latest("id").additional_data)
    assert not SheetRow.objects.exists()  # what it held is forgotten
    assert not SheetPiece.objects.exists()


def test_a_file_with_one_bad_row_is_refused_as_a_whole(desk: Desk) -> None:
    job = looked_at(desk, PARTS, "Name,Price\nGood,1.00\nBad,free\nCheap,0\n,5\n")
    assert fates(job) == ["new", "refused", "refused", "refused"]
    assert "“free” is not a number" in remarks(job)
    assert "greater than or equal to 0.01" in remarks(job)
    assert "Name: This field is required." in remarks(job)
    assert "cannot be imported as it is" in told(desk, PARTS, job)
    assert not Part.objects.exists()


TEXTS = [
    "=1+1",
    "+49 30 123",
    "-5",
    "@x",
    "'=x",
    "''=x",
    "\t=x",
    " x ",
    "a;=b",
    "a|-b",
    "ü ½ 漢",
    "0123",
    "1E5",
    "a\r\nb",
    'say "x", y',
    "<b>x</b>",
]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_round_trip_changes_nothing(desk: Desk, kind: str) -> None:
    for number, text in enumerate(TEXTS):
        owner = CustomerFactory.create(name=f"N{text}")
        Customer.objects.filter(pk=owner.pk).update(name=text.strip() or "x")
        VehicleFactory.create(customer=owner, plate=text.strip()[:10], colour=text.strip()[:20])
        ticket = ServiceTicketFactory.create(customer=owner)
        ServiceTicket.objects.filter(pk=ticket.pk).update(
            service_desc=text.strip(), notes=text.strip(), mileage=number
        )
        part = PartFactory.create(cost=None if number % 2 else Decimal("3.10"))
        Part.objects.filter(pk=part.pk).update(
            part_name=text.strip(), part_number=f"{text.strip()}{number}", location=text.strip()
        )
    CustomerFactory.create(email="a@b.example", phone="+1 555 010 2030")
    changes = LogEntry.objects.exclude(action=LogEntry.Action.ACCESS)
    gone = CustomerFactory.create()
    ServiceTicketFactory.create(customer=gone)
    close_customer(customer=gone, actor=COMMAND)
    entries = changes.count()
    for url in (PARTS, CUSTOMERS, VEHICLES, TICKETS):
        job = looked_at(desk, url, exported(desk, url, kind), f"x.{kind}")
        assert (job.status, job.said) == ("checked", "")
        assert set(fates(job)) == {"same"}, (url, [r.changes + r.remarks for r in job.rows.all()])
        assert job.total >= len(TEXTS)
        assert "would change nothing" in desk.get(f"{url}import/{job.pk}/").content.decode()
    assert changes.count() == entries


def test_what_a_spreadsheet_would_run_is_text_and_numbers_are_numbers(desk: Desk) -> None:
    PartFactory.create(part_name="=HYPERLINK(1)", price=Decimal("12.50"), quantity_in_stock=3)
    text = exported(desk, PARTS).decode("utf-8-sig")
    assert '"\'=HYPERLINK(1)"' in text
    assert ",12.50," in text
    book = load_workbook(io.BytesIO(exported(desk, PARTS, "xlsx")))
    cells = {cell.column: cell for cell in book.worksheets[0][2]}
    names = {c.value: c.column for c in book.worksheets[0][1]}
    assert cells[names["Name"]].value == "'=HYPERLINK(1)"
    assert cells[names["Name"]].data_type == "s"
    assert cells[names["Price"]].value == 12.5
    assert cells[names["In stock"]].value == 3
