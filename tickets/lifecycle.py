"""A ticket's life: opened, moved through its statuses, deleted."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from autoful import tally, written_once
from autoful.actor import Actor
from autoful.db import lock, lock_and_ask, lock_if_there
from autoful.prepared import Question
from autoful.verbs import verb
from customers.errors import CustomerNotFound
from customers.models import Customer
from customers.registration import enter_walk_in
from customers.vehicles import brought_in, normalize_vin, save_vehicle, vehicle_for
from inventory import stock
from mechanics.models import Mechanic
from tickets.errors import (
    IllegalTransition,
    ReasonRequired,
    TicketClosed,
    TicketNotFound,
)
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange

Status = ServiceTicket.Status

EDITABLE = ("vin", "service_desc", "service_date", "notes", "mileage")

TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.PENDING: (Status.IN_PROGRESS, Status.ON_HOLD, Status.CANCELLED),
    Status.IN_PROGRESS: (Status.COMPLETED, Status.ON_HOLD, Status.CANCELLED),
    Status.ON_HOLD: (Status.IN_PROGRESS, Status.CANCELLED),
    Status.COMPLETED: (Status.IN_PROGRESS,),
    Status.CANCELLED: (),
}


def lock_ticket(ticket_id: int) -> ServiceTicket:
    """The ticket, fresh and locked; the first lock of every verb that touches one.

    Order everywhere: tickets, customers, vehicles, mechanics, parts, each by id (ADR 2). Raises
    TicketNotFound.
    """
    ticket, _ = lock_ticket_and_ask(ticket_id)
    return ticket


def lock_ticket_and_ask(ticket_id: int, *questions: Question) -> tuple[ServiceTicket, list[Any]]:
    """The ticket as by `lock_ticket`, and the answers to what is asked once it is locked."""
    return lock_and_ask(ServiceTicket.objects.all, ticket_id, TicketNotFound(), *questions)


def lock_open_ticket(ticket_id: int) -> ServiceTicket:
    """As `lock_ticket`, for a change of parts or team. Raises TicketClosed."""
    ticket = lock_ticket(ticket_id)
    demand_open(ticket)
    return ticket


def demand_open(ticket: ServiceTicket) -> None:
    """A closed ticket's parts and team are frozen: raises TicketClosed."""
    if not ticket.is_open:
        raise TicketClosed(ticket.status)


@verb
def open_ticket(
    *,
    customer_id: int,
    vin: str,
    service_desc: str,
    service_date: datetime.date,
    notes: str = "",
    mileage: int | None = None,
    car: Mapping[str, Any] | None = None,
    actor: Actor,
) -> ServiceTicket:
    """A new ticket for a customer and the vehicle they bring, of which `car` says more: `vehicle_for`.

    Raises CustomerNotFound.
    """
    # Locked: otherwise a customer who closes the account right now would get a ticket after it.
    customer = lock(
        Customer.objects.existing,
        customer_id,
        CustomerNotFound(),
        counted="ticket_count",
    )
    ticket = ServiceTicket.objects.create(
        customer=customer,
        vehicle=vehicle_for(vin=vin, customer=customer, mileage=mileage, car=car),
        vin=normalize_vin(vin),
        service_desc=service_desc,
        service_date=service_date,
        notes=notes,
        mileage=mileage,
    )
    _record(ticket, from_status="", reason="", actor=actor)
    return ticket


@verb
def open_for_walk_in(
    *,
    name: str,
    phone: str = "",
    email: str = "",
    car: Mapping[str, Any],
    actor: Actor,
    **ticket: Any,
) -> ServiceTicket:
    """A new ticket for somebody who has not been here before, and for their car; all or nothing.

    `car` is what `vehicle_for` takes by that name, `ticket` what `open_ticket` takes besides.
    """
    customer = enter_walk_in(name=name, phone=phone, email=email, actor=actor)
    return open_ticket(customer_id=customer.pk, car=car, actor=actor, **ticket)


@verb
def edit_ticket(
    *,
    ticket: ServiceTicket,
    fields: Mapping[str, Any],
    same_car: bool = False,
    status: str | None = None,
    reason: str = "",
    actor: Actor,
) -> ServiceTicket:
    """Change vin, service_desc, service_date, notes, mileage, and move the status when given.

    Another VIN is another vehicle; with `same_car` the vehicle's own is corrected. All or nothing.
    Raises TicketNotFound, VinTaken, OwnerChanged and what `transition` raises.
    """
    ticket = lock_ticket(ticket.pk)
    changed = {name: fields[name] for name in EDITABLE if name in fields}
    if "vin" in changed or "mileage" in changed:
        changed["vin"] = normalize_vin(changed.get("vin", ticket.vin))
        # None for a customer who closed the account: nothing becomes theirs any more.
        customer = lock_if_there(Customer.objects.existing, ticket.customer_id)
        mileage = changed.get("mileage", ticket.mileage)
        if same_car and changed["vin"] != ticket.vin:
            vehicle = ticket.vehicle
            vehicle.vin = changed["vin"]
            save_vehicle(vehicle=vehicle, changed=["vin"], actor=actor)
        if same_car or changed["vin"] == ticket.vin:
            # By the vehicle: under the VIN that was written first there may be none any more.
            changed["vehicle"] = brought_in(
                vehicle_id=ticket.vehicle_id, customer=customer, mileage=mileage
            )
        else:
            changed["vehicle"] = vehicle_for(vin=changed["vin"], customer=customer, mileage=mileage)
    for name, value in changed.items():
        setattr(ticket, name, value)
    if changed:
        ticket.save(update_fields=[*changed, "updated_at"])
    if status is not None and status != ticket.status:
        ticket = transition(ticket=ticket, to=status, reason=reason, actor=actor)
    return ticket


@verb
def transition(*, ticket: ServiceTicket, to: str, reason: str = "", actor: Actor) -> ServiceTicket:
    """Move the status. Cancelling puts the parts back into stock and releases the mechanics.

    Raises TicketNotFound, IllegalTransition (with what is allowed), ReasonRequired when a
    completed ticket comes back without one.
    """
    ticket = lock_ticket(ticket.pk)
    was = ticket.status
    if to not in TRANSITIONS[was]:
        raise IllegalTransition(was, to, TRANSITIONS[was])
    if was == Status.COMPLETED and not reason.strip():
        raise ReasonRequired
    if to == Status.CANCELLED:
        # One by one, so that each leaves its audit entry.
        for assignment in _count_mechanics_out([ticket]):
            assignment.delete()
        _return_parts([ticket], actor)
    ticket.status = to
    ticket.completed_at = timezone.now() if to == Status.COMPLETED else None
    ticket.save(update_fields=["status", "completed_at", "updated_at"])
    _record(ticket, from_status=was, reason=reason.strip(), actor=actor)
    return ticket


@verb
def delete_ticket(*, ticket: ServiceTicket, actor: Actor) -> None:
    """Remove the ticket; its parts go back into stock. Raises TicketNotFound."""
    delete_tickets(ticket_ids=[ticket.pk], actor=actor)


@verb
def delete_tickets(*, ticket_ids: Iterable[int], actor: Actor) -> None:
    """Remove several tickets, all or none; their parts go back. Raises TicketNotFound."""
    # First all tickets, then all customers, mechanics, parts: one by one, who ends the first ticket
    # would hold its parts and wait for the second ticket, and whoever holds that may be waiting for
    # the parts.
    tickets = [lock_ticket(ticket_id) for ticket_id in sorted(ticket_ids)]
    theirs = Counter(ticket.customer_id for ticket in tickets)
    tally.fewer(Customer.objects.all(), "ticket_count", theirs)
    _count_mechanics_out(tickets)
    _return_parts(tickets, actor)
    written_once.last.write_now()  # moves, if a verb around this one left some
    for ticket in tickets:
        ticket.delete()


def _count_mechanics_out(tickets: list[ServiceTicket]) -> list[Assignment]:
    """The assignments of these tickets, counted no more; whoever asks ends them."""
    assignments = list(Assignment.objects.filter(ticket__in=tickets).order_by("id"))
    on_them = Counter(assignment.mechanic_id for assignment in assignments)
    tally.fewer(Mechanic.objects.all(), "ticket_count", on_them)
    return assignments


def _return_parts(tickets: list[ServiceTicket], actor: Actor) -> None:
    # By part id, the order everyone locks parts in: two cancellations never wait for each other.
    lines = PartLine.objects.filter(ticket__in=tickets).select_related("ticket")
    for line in lines.order_by("part_id", "ticket_id"):
        stock.put_back(
            part_id=line.part_id,
            quantity=line.quantity_used,
            reference=line.ticket.reference,
            actor=actor,
        )
        line.delete()


def _record(ticket: ServiceTicket, *, from_status: str, reason: str, actor: Actor) -> None:
    written_once.leave(
        StatusChange(
            ticket=ticket,
            from_status=from_status,
            to_status=ticket.status,
            reason=reason,
            actor=actor.user,
            role=str(actor.role),
        )
    )
