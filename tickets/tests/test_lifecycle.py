"""A ticket's life."""

import datetime
from typing import Any

import pytest

from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role
from customers.errors import CustomerNotFound
from customers.models import Vehicle
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults, refused
from tickets.errors import IllegalTransition, ReasonRequired, TicketNotFound
from tickets.lifecycle import delete_ticket, edit_ticket, open_ticket, transition
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

STATUSES = ["pending", "in_progress", "on_hold", "completed", "cancelled"]
# domain.md's table, written out and not imported.
MOVES = {
    "pending": ["in_progress", "on_hold", "cancelled"],
    "in_progress": ["completed", "on_hold", "cancelled"],
    "on_hold": ["in_progress", "cancelled"],
    "completed": ["in_progress"],
    "cancelled": [],
}
EVERY_MOVE = [(was, to) for was in STATUSES for to in STATUSES]
OPENED: dict[str, Any] = {
    "service_desc": "Brakes squeal",
    "service_date": datetime.date(2025, 6, 1),
}


def history(ticket: ServiceTicket) -> list[tuple[str, str, str]]:
    rows = StatusChange.objects.filter(ticket=ticket).order_by("id")
    return list(rows.values_list("from_status", "to_status", "reason"))


def test_open_ticket() -> None:
    customer, mechanic = CustomerFactory.create(), Actor(Role.MECHANIC, UserFactory.create(), 4)
    vin = valid_vin(1)
    ticket = open_ticket(
        customer_id=customer.pk,
        vin=f" {vin.lower()} ",
        notes="pays in cash",
        mileage=120_000,
        actor=mechanic,
        **OPENED,
    )
    found = ServiceTicket.objects.get()
    assert (found, found.customer, found.status) == (ticket, customer, "pending")
    assert (found.vin, found.notes, found.mileage) == (vin, "pays in cash", 120_000)
    assert (found.vehicle.vin, found.vehicle.customer) == (vin, customer)
    assert found.vehicle.mileage == 120_000
    assert found.completed_at is None
    change = StatusChange.objects.get()
    assert (change.from_status, change.to_status) == ("", "pending")
    assert (change.actor, change.role) == (mechanic.user, "mechanic")


def test_open_ticket_for_nobody() -> None:
    closed = CustomerFactory.create()
    close_customer(customer=closed, actor=COMMAND)
    for customer_id in (closed.pk, 999_999):
        with refused(CustomerNotFound):
            open_ticket(customer_id=customer_id, vin=valid_vin(1), actor=COMMAND, **OPENED)


@pytest.mark.parametrize(("was", "to"), EVERY_MOVE)
def test_status_moves_by_the_table_only(was: str, to: str) -> None:
    ticket = ServiceTicketFactory.create(status=was)
    so_far = history(ticket)
    if to not in MOVES[was]:
        with refused(IllegalTransition, status=was, allowed=MOVES[was]):
            transition(ticket=ticket, to=to, reason="because", actor=COMMAND)
        return
    moved = transition(ticket=ticket, to=to, reason=" because ", actor=COMMAND)
    found = ServiceTicket.objects.get()
    assert (moved.status, found.status) == (to, to)
    assert (found.completed_at is not None) is (to == "completed")
    assert history(ticket) == [*so_far, (was, to, "because")]


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_comeback_needs_a_reason(reason: str) -> None:
    ticket = ServiceTicketFactory.create(status="completed")
    with refused(ReasonRequired):
        transition(ticket=ticket, to="in_progress", reason=reason, actor=COMMAND)


def test_cancelling_puts_parts_back_and_releases_mechanics() -> None:
    pads, oil = PartFactory.create(quantity_in_stock=5), PartFactory.create(quantity_in_stock=5)
    ticket = ServiceTicketFactory.create(
        mechanics=[MechanicFactory.create()], parts=[(pads, 2), (oil, 5)]
    )
    ServiceTicketFactory.create(mechanics=[MechanicFactory.create()], parts=[(pads, 1)])
    transition(ticket=ticket, to="cancelled", actor=COMMAND)
    assert set(Part.objects.values_list("pk", "quantity_in_stock")) == {(pads.pk, 4), (oil.pk, 5)}
    assert (Assignment.objects.count(), PartLine.objects.count()) == (1, 1)
    assert StockMovement.objects.filter(reason="returned").count() == 2
    assert faults() == []


def test_completing_keeps_team_and_parts() -> None:
    pads = PartFactory.create(quantity_in_stock=5)
    ServiceTicketFactory.create(
        status="completed", mechanics=[MechanicFactory.create()], parts=[(pads, 2)]
    )
    assert (Assignment.objects.count(), PartLine.objects.count()) == (1, 1)
    assert Part.objects.get().quantity_in_stock == 3
    assert faults() == []


@pytest.mark.parametrize("status", STATUSES)
def test_delete_ticket(status: str) -> None:
    pads = PartFactory.create(quantity_in_stock=5)
    ticket = ServiceTicketFactory.create(
        status=status, mechanics=[MechanicFactory.create()], parts=[(pads, 2)]
    )
    delete_ticket(ticket=ticket, actor=COMMAND)
    assert not ServiceTicket.objects.exists()
    assert not Assignment.objects.exists()
    assert Part.objects.get().quantity_in_stock == 5
    assert Vehicle.objects.count() == 1  # its history goes, the car does not
    assert faults() == []
    for move in (
        lambda: delete_ticket(ticket=ticket, actor=COMMAND),
        lambda: transition(ticket=ticket, to="in_progress", actor=COMMAND),
        lambda: edit_ticket(ticket=ticket, fields={"notes": "x"}, actor=COMMAND),
    ):
        with refused(TicketNotFound):
            move()


def test_edit_ticket_changes_what_is_given() -> None:
    ticket = ServiceTicketFactory.create(service_desc="Oil", notes="old", mileage=10)
    before = ServiceTicket.objects.get()
    edit_ticket(ticket=ticket, fields={"notes": "new"}, status="in_progress", actor=COMMAND)
    after = ServiceTicket.objects.get()
    assert (after.notes, after.status) == ("new", "in_progress")
    assert (after.service_desc, after.mileage, after.vin) == ("Oil", 10, before.vin)
    assert (after.version > before.version, after.updated_at > before.updated_at) == (True, True)


def test_edit_ticket_with_another_vin_is_for_another_vehicle() -> None:
    ticket, other = ServiceTicketFactory.create(), VehicleFactory.create(mileage=5)
    edit_ticket(ticket=ticket, fields={"vin": other.vin.lower(), "mileage": 9}, actor=COMMAND)
    found = ServiceTicket.objects.get()
    assert (found.vehicle, found.vin, found.vehicle.mileage) == (other, other.vin, 9)
    assert found.vehicle.customer == other.customer


def test_edit_ticket_is_all_or_nothing() -> None:
    ticket = ServiceTicketFactory.create(status="cancelled")
    fields = {"notes": "x", "vin": valid_vin(77)}
    with refused(IllegalTransition):
        edit_ticket(ticket=ticket, fields=fields, status="pending", actor=COMMAND)
    completed = ServiceTicketFactory.create(status="completed")
    with refused(ReasonRequired):
        edit_ticket(ticket=completed, fields=fields, status="in_progress", actor=COMMAND)


def test_edit_ticket_to_the_status_it_has_is_no_move() -> None:
    ticket = ServiceTicketFactory.create(status="completed")
    so_far = history(ticket)
    edit_ticket(ticket=ticket, fields={"notes": "x"}, status="completed", actor=COMMAND)
    assert (ServiceTicket.objects.get().notes, history(ticket)) == ("x", so_far)


@pytest.mark.parametrize("known", [False, True], ids=["new vehicle", "nobody's vehicle"])
def test_a_closed_customer_becomes_nobodys_owner(known: bool) -> None:
    ticket = ServiceTicketFactory.create()
    close_customer(customer=ticket.customer, actor=COMMAND)
    vin = VehicleFactory.create(customer=None).vin if known else valid_vin(77)
    edit_ticket(ticket=ticket, fields={"vin": vin}, actor=COMMAND)
    assert Vehicle.objects.get(vin=vin).customer is None
    assert faults() == []
