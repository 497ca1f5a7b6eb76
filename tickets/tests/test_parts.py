"""The parts of a ticket."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from autoful.actor import COMMAND
from autoful.errors import InvalidField
from inventory.errors import InsufficientStock, PartNotFound
from inventory.models import LARGEST_QUANTITY, Part, StockMovement
from inventory.parts import change_part
from inventory.stock import set_quantity
from inventory.tests.factories import PartFactory
from tests.soundness import faults, refused
from tickets.errors import (
    LineChangedMeanwhile,
    LineNotOnTicket,
    LineTooLarge,
    TicketClosed,
    TicketNotFound,
)
from tickets.lifecycle import transition
from tickets.models import PartLine, ServiceTicket
from tickets.parts import add_part, change_quantity, remove_line
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pads() -> Part:
    return PartFactory.create(part_name="Brake pads", quantity_in_stock=50, price=Decimal("45.99"))


def test_add_part(pads: Part) -> None:
    ticket = ServiceTicketFactory.create()
    added = add_part(ticket=ticket, part_id=pads.pk, quantity=2, actor=COMMAND)
    assert (added.is_new, added.part.quantity_in_stock) == (True, 48)
    line = PartLine.objects.get()
    assert (line.ticket, line.part, line.quantity_used) == (ticket, pads, 2)
    assert (line.unit_price, line.unit_cost) == (Decimal("45.99"), Decimal("20.50"))
    movement = StockMovement.objects.get(reason="used")
    assert (movement.change, movement.reference) == (-2, f"ticket-{ticket.pk}")
    assert faults() == []


def test_a_part_already_there_keeps_its_price(pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 2)])
    change_part(part=pads, fields={"price": Decimal(99), "cost": Decimal(50)}, actor=COMMAND)
    added = add_part(ticket=ticket, part_id=pads.pk, quantity=3, actor=COMMAND)
    assert (added.is_new, added.line.quantity_used, added.part.quantity_in_stock) == (False, 5, 45)
    line = PartLine.objects.get()
    assert (line.quantity_used, line.unit_price) == (5, Decimal("45.99"))
    assert line.unit_cost == Decimal("20.50")
    assert faults() == []


@pytest.mark.parametrize(("quantity", "left"), [(1, 49), (5, 45), (2, 48)])
def test_a_quantity_is_corrected(quantity: int, left: int, pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 2)])
    line = ticket.part_lines.get()
    change_quantity(ticket=ticket, line_id=line.pk, quantity=quantity, was=2, actor=COMMAND)
    pads.refresh_from_db()
    assert (ticket.part_lines.get().quantity_used, pads.quantity_in_stock) == (quantity, left)
    assert faults() == []


def test_a_quantity_that_cannot_be_is_refused(pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 2)])
    correct = partial(change_quantity, ticket=ticket, actor=COMMAND)
    number = ticket.part_lines.get().pk
    with refused(InsufficientStock, requested=51, available=50):
        correct(line_id=number, quantity=51, was=2)
    with refused(InvalidField):
        correct(line_id=number, quantity=0, was=2)
    with refused(LineTooLarge, largest=LARGEST_QUANTITY):
        correct(line_id=number, quantity=LARGEST_QUANTITY + 1, was=2)
    with refused(LineChangedMeanwhile, quantity=2):
        correct(line_id=number, quantity=4, was=3)
    with refused(LineNotOnTicket):
        correct(line_id=number + 1, quantity=4, was=2)
    transition(ticket=ticket, to="in_progress", actor=COMMAND)
    transition(ticket=ticket, to="completed", actor=COMMAND)
    with refused(TicketClosed, status="completed"):
        correct(line_id=number, quantity=4, was=2)


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_a_closed_tickets_parts_are_frozen(status: str, pads: Part) -> None:
    ticket = ServiceTicketFactory.create(status=status, parts=[(pads, 2)])
    with refused(TicketClosed, status=status):
        add_part(ticket=ticket, part_id=pads.pk, quantity=1, actor=COMMAND)
    line = PartLine.objects.first()
    with refused(TicketClosed, status=status):
        remove_line(ticket=ticket, line_id=line.pk if line else 1, actor=COMMAND)


@pytest.mark.parametrize(
    ("status", "next_step"), [("completed", "Reopen it first"), ("cancelled", "Open a new one")]
)
def test_the_refusal_advises_what_is_possible(status: str, next_step: str) -> None:
    assert next_step in TicketClosed(status).message


@pytest.mark.parametrize("status", ["pending", "in_progress", "on_hold"])
def test_an_open_tickets_parts_are_not(status: str, pads: Part) -> None:
    ticket = ServiceTicketFactory.create(status=status)
    line = add_part(ticket=ticket, part_id=pads.pk, quantity=1, actor=COMMAND).line
    remove_line(ticket=ticket, line_id=line.pk, actor=COMMAND)
    assert faults() == []


def test_add_part_refusals(pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 1)])
    with refused(TicketNotFound):
        add_part(ticket=ServiceTicket(pk=999), part_id=pads.pk, quantity=1, actor=COMMAND)
    with refused(PartNotFound):
        add_part(ticket=ticket, part_id=999, quantity=1, actor=COMMAND)
    with refused(InsufficientStock, part="Brake pads", requested=50, available=49):
        add_part(ticket=ticket, part_id=pads.pk, quantity=50, actor=COMMAND)


def test_a_line_too_large_takes_nothing(pads: Part) -> None:
    set_quantity(part=pads, quantity=LARGEST_QUANTITY, actor=COMMAND)
    ticket = ServiceTicketFactory.create(parts=[(pads, LARGEST_QUANTITY)])
    set_quantity(part=pads, quantity=5, actor=COMMAND)
    with refused(LineTooLarge, largest=LARGEST_QUANTITY):
        add_part(ticket=ticket, part_id=pads.pk, quantity=1, actor=COMMAND)


def test_remove_line(pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 2), (PartFactory.create(), 1)])
    line = PartLine.objects.get(part=pads)
    removed, part = remove_line(ticket=ticket, line_id=line.pk, actor=COMMAND)
    assert (removed.quantity_used, part.quantity_in_stock) == (2, 50)
    assert PartLine.objects.get().part != pads
    assert StockMovement.objects.get(reason="returned").reference == f"ticket-{ticket.pk}"
    with refused(LineNotOnTicket):
        remove_line(ticket=ticket, line_id=line.pk, actor=COMMAND)
    assert faults() == []


def test_a_line_of_another_ticket_stays(pads: Part) -> None:
    ServiceTicketFactory.create(parts=[(pads, 2)])
    line, other = PartLine.objects.get(), ServiceTicketFactory.create()
    with refused(LineNotOnTicket):
        remove_line(ticket=other, line_id=line.pk, actor=COMMAND)
    with refused(TicketNotFound):
        remove_line(ticket=ServiceTicket(pk=999), line_id=line.pk, actor=COMMAND)


def test_the_database_itself_keeps_one_line(pads: Part) -> None:
    ticket = ServiceTicketFactory.create(parts=[(pads, 2)])
    for quantity, part in ((1, pads), (0, PartFactory.create())):
        with pytest.raises(IntegrityError), transaction.atomic():
            PartLine.objects.create(ticket=ticket, part=part, quantity_used=quantity, unit_price=1)
