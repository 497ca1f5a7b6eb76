"""What a row of each kind may say, and in whose words it is refused."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND
from autoful.sheets import background
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.models import Customer, Vehicle
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
    sheet_of,
    table,
    told,
    workbook,
)
from tickets.lifecycle import transition
from tickets.models import ServiceTicket
from tickets.parts import add_part
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

VIN = "1HGCM82633A004352"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "start", lambda work, job: work())


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


# --- Any kind ---


def test_two_rows_about_the_same_one_are_a_mistake(desk: Desk) -> None:
    part = PartFactory.create(part_number="A-1")
    job = looked_at(
        desk, PARTS, f"No.,Part number,Price\n{part.pk},,2\n,A-1,3\n,B-1,4\n,B-1,5\n,,\n"
    )
    assert "Row 2 is about the same one." in job.rows.get(number=3).remarks
    assert "Row 4 is about the same one." in job.rows.get(number=5).remarks


def test_a_number_that_nobody_has_is_no_new_row(desk: Desk) -> None:
    job = looked_at(desk, PARTS, f"No.,Name,Price\n999,Bulb,1\n-1,Bulb,1\n{10**30},B,1\nx,B,1\n")
    assert fates(job) == ["refused"] * 4
    assert "There is no part 999" in remarks(job)


def test_headings_by_any_spelling_and_columns_that_nobody_reads(desk: Desk) -> None:
    job = looked_at(desk, PARTS, "PART_NUMBER, name ,Price,Supplier\nA-1,Bulb,1,ACME\n")
    assert (fates(job), job.unread) == (["new"], ["Supplier"])
    page = desk.get(f"{PARTS}import/{job.pk}/").content.decode()
    assert "Columns that are not read: Supplier." in page


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("Foo,Bar\n1,2\n", "It has: Foo, Bar."),
        ("Name,name\n1,2\n", "Two columns are headed"),
        ("Name,Price\n", "no rows below"),
    ],
)
def test_a_table_of_something_else(desk: Desk, content: str, word: str) -> None:
    job = looked_at(desk, PARTS, content)
    assert job.status == "unreadable"
    assert word in desk.get(f"{PARTS}import/{job.pk}/").content.decode()
    assert "cannot be imported" in told(desk, PARTS, job)


def test_more_cells_than_headings_and_null_characters(desk: Desk) -> None:
    job = looked_at(desk, PARTS, "Name,Price\nBulb,1,2\nBu\0lb,1\n")
    assert fates(job) == ["refused", "refused"]
    assert "more cells in this row than headings" in remarks(job)
    assert "null characters" in remarks(job)


def test_a_column_that_is_not_there_stays_and_an_empty_cell_empties(desk: Desk) -> None:
    part = PartFactory.create(category="Brakes", location="A1", cost=Decimal(3))
    job = looked_at(desk, PARTS, f"No.,Category,Cost\n{part.pk},,\n")
    told(desk, PARTS, job)
    part.refresh_from_db()
    assert (part.category, part.cost, part.location) == ("", None, "A1")


# --- Parts ---


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        *[("12.5", "12.50"), ("12,5", "12.50"), (12.5, "12.50"), (12, "12.00")],
        *[("$18.90", "18.90"), ("€ 42,00", "42.00"), (46 * 1.07, "49.22")],
        *[("$1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("1,234,567.8", "1234567.80")],
    ],
)
def test_amounts_as_spreadsheets_write_them(desk: Desk, typed: Any, price: str) -> None:
    job = looked_at(desk, PARTS, workbook(["Name", "Price"], ["Bulb", typed]), "x.xlsx")
    told(desk, PARTS, job)
    assert Part.objects.get().price == Decimal(price)


@pytest.mark.parametrize(
    "typed",
    [
        "1,234",
        "1.234",
        "1,23.50",
        "1,234.50.1",
        "1" + ",111" * 9 + ".0",
        "12,345,6",
        "NaN",
        "inf",
        "1e400",
        "1_0",
        "cheap",
    ],
)
def test_what_is_no_clear_amount_is_refused(desk: Desk, typed: str) -> None:
    job = looked_at(desk, PARTS, workbook(["Name", "Price"], ["Bulb", typed]), "x.xlsx")
    assert fates(job) == ["refused"]
    assert "is not a number" in remarks(job)


def test_an_old_file_takes_no_sale_back(desk: Desk) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    old = exported(desk, PARTS)
    add_part(ticket=ServiceTicketFactory.create(), part_id=part.pk, quantity=2, actor=COMMAND)
    job = looked_at(desk, PARTS, old)
    assert fates(job) == ["same"]
    assert "Its stock stays as it is, 48" in remarks(job)


def test_a_list_of_new_parts_is_imported_twice(desk: Desk) -> None:
    rows = "Name,Part number,Price,In stock,Reorder point\nBulb,B-1,1.50,4,\n"
    told(desk, PARTS, looked_at(desk, PARTS, rows))
    assert Part.objects.get().reorder_point == 5
    Part.objects.update(reorder_point=9)
    assert fates(looked_at(desk, PARTS, rows)) == ["same"]
    # What nothing stands for may not be emptied.
    assert fates(looked_at(desk, PARTS, rows.replace("1.50", ""))) == ["refused"]


def test_the_check_digit_of_a_vin_that_is_corrected(desk: Desk) -> None:
    VehicleFactory.create(vin="1HGCM82633A004352")
    (row,) = table(exported(desk, VEHICLES))
    job = looked_at(desk, VEHICLES, sheet_of([row | {"VIN": "1HGCM82643A004352"}]))
    assert (fates(job), job.noted) == (["changed"], 1)
    assert "check digit" in remarks(job)
    assert looked_at(desk, VEHICLES, sheet_of([row | {"Colour": "red"}])).noted == 0


def test_what_was_counted_before_the_last_sale_is_to_be_looked_at_twice(desk: Desk) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    (row,) = table(exported(desk, PARTS))
    add_part(ticket=ServiceTicketFactory.create(), part_id=part.pk, quantity=2, actor=COMMAND)
    job = looked_at(desk, PARTS, sheet_of([row | {"Counted": "47"}]))
    assert (fates(job), job.noted) == (["changed"], 1)
    assert "The file says 50 in stock, and there are 48 by now" in remarks(job)
    # Who counted what is there takes nothing back.
    assert looked_at(desk, PARTS, sheet_of([row | {"Counted": "48"}])).noted == 0


@pytest.mark.parametrize(
    ("typed", "remark"),
    [
        ({"Price": "4290"}, "The price was 42.90 until now."),
        ({"Price": "8"}, "The price was 42.90 until now."),
        ({"Cost": "2.5"}, "The cost was 25.00 until now."),
        ({"Cost": "43"}, "It costs more than the customer pays."),
        ({"Price": "45", "Cost": "27"}, ""),
    ],
)
def test_money_that_may_be_a_comma_in_the_wrong_place(
    desk: Desk, typed: dict[str, str], remark: str
) -> None:
    PartFactory.create(price=Decimal("42.90"), cost=Decimal("25.00"))
    (row,) = table(exported(desk, PARTS))
    job = looked_at(desk, PARTS, sheet_of([row | typed]))
    assert fates(job) == ["changed"]
    assert (remark in remarks(job), job.noted) == (True, 1 if remark else 0)


def test_a_phone_is_the_same_however_it_is_written(desk: Desk) -> None:
    known = CustomerFactory.create(phone="+1 (555) 010-2030")
    rows = "Name,Phone\nAda,1.555.010.2030\nBob,+1 555 0102030\nEve,+1 555 010 2031\n"
    job = looked_at(desk, CUSTOMERS, rows)
    assert job.noted == 2
    assert f"Customer {known.pk} has this phone, too." in job.rows.get(number=2).remarks[0]
    assert job.rows.get(number=3).remarks[0] == "Row 2 has this phone, too."


def test_a_count_goes_into_the_ledger(desk: Desk) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    (row,) = table(exported(desk, PARTS))
    job = looked_at(desk, PARTS, sheet_of([row | {"Counted": "47"}]))
    assert job.rows.get().changes == [["Counted", "50", "47"]]
    told(desk, PARTS, job)
    last = StockMovement.objects.filter(part=part).latest("pk")
    assert (last.change, last.reason, last.note) == (-3, "adjusted", "Counted.")
    # The same file once more: it is as it was counted.
    assert fates(looked_at(desk, PARTS, sheet_of([row | {"Counted": "47"}]))) == ["same"]


@pytest.mark.parametrize("typed", ["-1", "1.5", "1.000", "1,000", "1000001", "many"])
def test_a_stock_that_cannot_be(desk: Desk, typed: str) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    job = looked_at(desk, PARTS, f"No.,Counted\n{part.pk},{typed}\n")
    assert fates(job) == ["refused"]


def test_a_part_number_that_another_one_has_by_now(desk: Desk) -> None:
    first, second = PartFactory.create(part_number="A-1"), PartFactory.create(part_number="A-2")
    job = looked_at(desk, PARTS, f"No.,Part number\n{second.pk},{first.part_number}\n")
    assert fates(job) == ["refused"]
    assert "already" in remarks(job)


def test_a_part_that_nobody_has_is_named(desk: Desk) -> None:
    job = looked_at(desk, PARTS, "Part number,Cost\nNOSUCH-1,3.10\n")
    assert job.rows.get().remarks[0] == "There is no part NOSUCH-1 yet."


# --- Customers ---


def test_customers_come_in_and_those_that_may_be_known_are_told(desk: Desk) -> None:
    known = CustomerFactory.create(email="ada@x.example")
    job = looked_at(
        desk,
        CUSTOMERS,
        "Name,E-mail,Phone\nAda,ADA@x.example,\nBob,bob@x.example,+1 555 010 2030\nEve,eve,\n",
    )
    assert fates(job) == ["new", "new", "refused"]
    assert f"Customer {known.pk} has this e-mail, too." in job.rows.get(number=2).remarks[0]
    assert "valid email" in remarks(job)
    job = looked_at(desk, CUSTOMERS, "Name,E-mail\nBob,Bob@x.example\n")
    told(desk, CUSTOMERS, job)
    assert Customer.objects.get(name="Bob").email == "bob@x.example"


def test_what_is_to_be_looked_at_twice(desk: Desk) -> None:
    known = CustomerFactory.create(name="Gwen", email="gwen@x.example")
    job = looked_at(
        desk,
        CUSTOMERS,
        f"No.,Name,E-mail\n,Ada,a@x.example\n,Ida,A@x.example\n{known.pk},Hans,gwen@x.example\n",
    )
    assert (job.noted, fates(job)) == (2, ["new", "new", "changed"])
    # The first of the file is no customer yet.
    assert job.rows.get(number=3).remarks == ["Row 2 has this e-mail, too."]
    assert job.rows.get(number=4).remarks == ["This is Gwen until now."]
    page = desk.get(f"{CUSTOMERS}import/{job.pk}/", {"fate": "noted"}).content.decode()
    assert "To be looked at twice (2)" in page
    assert "Ida" in page and "Ada" not in page


def test_who_has_closed_the_account_is_in_no_sheet(desk: Desk) -> None:
    customer = CustomerFactory.create()
    close_customer(customer=customer, actor=COMMAND)
    assert table(exported(desk, CUSTOMERS)) == []
    job = looked_at(desk, CUSTOMERS, f"No.,Name\n{customer.pk},Ada\n")
    assert "There is no customer" in remarks(job)


def test_a_sign_in_is_changed_by_those_who_may_alone(clerk: Persona) -> None:
    from django.contrib.auth.models import Permission

    for name in ("view", "add", "change"):
        clerk.user.user_permissions.add(Permission.objects.get(codename=f"{name}_customer"))
    owner = UserFactory.create(email="boss@x.example", is_staff=True, is_superuser=True)
    customer = CustomerFactory.create(user=owner, email=owner.email)
    desk = Desk(type(clerk.user).objects.get(pk=clerk.user.pk))
    job = looked_at(desk, CUSTOMERS, f"No.,E-mail\n{customer.pk},clerk@x.example\n")
    assert "may not change how this account signs in" in remarks(job)
    owner.refresh_from_db()
    assert owner.email == "boss@x.example"


# --- Vehicles ---


def test_vehicles_by_their_vin(desk: Desk) -> None:
    owner, other = CustomerFactory.create(), CustomerFactory.create()
    known = VehicleFactory.create(customer=owner)
    job = looked_at(
        desk,
        VEHICLES,
        f"VIN,Customer no.,Plate\n{known.vin.lower()},{other.pk},AB 12\n{VIN},{owner.pk},\n"
        f"1HGCM82633A004353,,\n{VIN[:10]}QQQ,,\n1HGCM82633A004354,999,\n",
    )
    assert fates(job) == ["changed", "new", "new", "refused", "refused"]
    assert job.rows.get(number=2).changes == [
        ["Customer no.", str(owner.pk), str(other.pk)],
        ["Plate", "", "AB 12"],
    ]
    assert "check digit" in job.rows.get(number=4).remarks[0]
    assert "There is no customer with this number" in remarks(job)
    job = looked_at(desk, VEHICLES, f"VIN,Customer no.\n{known.vin},{other.pk}\n{VIN},{owner.pk}\n")
    told(desk, VEHICLES, job)
    known.refresh_from_db()
    assert known.customer == other
    assert Vehicle.objects.get(vin=VIN).make == "Honda"  # from the VIN


# --- Tickets ---


def test_tickets_move_by_the_table_of_moves(desk: Desk) -> None:
    customer = CustomerFactory.create()
    ticket = ServiceTicketFactory.create(customer=customer)
    done = ServiceTicketFactory.create()
    for to in ("in_progress", "completed"):
        transition(ticket=done, to=to, actor=COMMAND)
    job = looked_at(
        desk,
        TICKETS,
        "No.,Customer no.,VIN,Description,Service date,Status\n"
        f"{ticket.pk},{customer.pk},{ticket.vin},Brakes,2026-03-31,In Progress\n"
        f",{customer.pk},{VIN},Oil,2026-03-31,\n"
        f",{customer.pk},{VIN},Oil,31.03.2026,\n"
        f",{customer.pk},{VIN},Oil,2026-03-31,completed\n"
        f"{done.pk},{customer.pk},{done.vin},Oil,2026-03-31,in_progress\n",
    )
    assert fates(job) == ["changed", "new", "refused", "refused", "refused"]
    assert "“31.03.2026” is not a day" in remarks(job)
    assert "A ticket stays with its customer." in remarks(job)
    lines = [f"No.,Customer no.,VIN,Description,Service date,Status\n{ticket.pk},{customer.pk},"]
    lines += [f"{ticket.vin},Brakes,2026-03-31,In Progress\n,{customer.pk},{VIN},Oil,2026-03-31,\n"]
    job = looked_at(desk, TICKETS, "".join(lines))
    assert job.rows.count() == 2
    told(desk, TICKETS, job)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.service_desc) == ("in_progress", "Brakes")
    assert ticket.service_date == datetime.date(2026, 3, 31)
    new = ServiceTicket.objects.latest("pk")
    assert (new.status, new.vehicle.vin, new.customer) == ("pending", VIN, customer)
    customer.refresh_from_db()
    assert customer.ticket_count == 2


def test_a_car_of_somebody_else_is_remarked_on(desk: Desk) -> None:
    customer, vehicle = CustomerFactory.create(), VehicleFactory.create()
    job = looked_at(
        desk,
        TICKETS,
        f"Customer no.,VIN,Description,Service date\n{customer.pk},{vehicle.vin},Oil,2026-03-31\n",
    )
    assert job.rows.get().remarks == [f"The vehicle is customer {vehicle.customer_id}'s."]


def test_a_vin_that_is_new_and_looks_wrong_is_remarked_on(desk: Desk) -> None:
    customer, known = CustomerFactory.create(), VehicleFactory.create(vin="1HGCM82633A004354")
    lines = "".join(
        f"{customer.pk},{vin},Oil,2026-03-31\n"
        for vin in ("1HGCM82633A004353", "1HGCM826", "1HGCM82633A", VIN)
    )
    lines += f"{known.customer_id},{known.vin},Oil,2026-03-31\n"
    job = looked_at(desk, TICKETS, f"Customer no.,VIN,Description,Service date\n{lines}")
    assert fates(job) == ["new", "refused", "new", "new", "new"]
    said = [" ".join(row.remarks) for row in job.rows.order_by("pk")]
    assert "check digit does not match" in said[0] and "has 11 characters" in said[2]
    assert said[3] == said[4] == ""  # of one that is here, whoever entered it was told


def test_a_comeback_needs_its_reason_and_a_page_to_give_it(desk: Desk) -> None:
    ticket = ServiceTicketFactory.create()
    for to in ("in_progress", "completed"):
        transition(ticket=ticket, to=to, actor=COMMAND)
    job = looked_at(desk, TICKETS, f"No.,Status\n{ticket.pk},in progress\n")
    assert fates(job) == ["refused"]
    assert "reason" in remarks(job)


def test_cancelling_puts_the_parts_back(desk: Desk) -> None:
    ticket, part = ServiceTicketFactory.create(), PartFactory.create(quantity_in_stock=5)
    add_part(ticket=ticket, part_id=part.pk, quantity=2, actor=COMMAND)
    job = looked_at(desk, TICKETS, f"No.,Status\n{ticket.pk},cancelled\n")
    part.refresh_from_db()
    assert part.quantity_in_stock == 3  # looking at it has put nothing back
    told(desk, TICKETS, job)
    part.refresh_from_db()
    assert part.quantity_in_stock == 5


def test_a_part_number_in_other_capitals_is_to_be_looked_at_twice(boss: Persona) -> None:
    part = PartFactory.create(part_number="FUE-104")
    new = "Part number,Name,Price\nfue-104,Gas cap,8\nFUE-105,Oil,9\n"
    job = looked_at(Desk(boss.user), PARTS, new)
    assert fates(job) == ["new", "new"] and job.noted == 1
    assert remarks(job) == "There is a part FUE-104 already: capitals make another number."
    assert fates(looked_at(Desk(boss.user), PARTS, f"No.,Price\n{part.pk},8\n")) == ["changed"]
