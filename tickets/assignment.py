"""The team of a ticket."""

from collections.abc import Iterable

from autoful import audit, tally
from autoful.actor import Actor
from autoful.db import lock, lock_if_there
from autoful.verbs import verb
from mechanics.errors import MechanicNotFound
from mechanics.models import Mechanic
from tickets.errors import (
    AlreadyAssigned,
    MechanicUnavailable,
    NotAssigned,
    UnknownMechanics,
)
from tickets.lifecycle import lock_open_ticket
from tickets.models import Assignment, ServiceTicket

JOINED, LEFT = "put on the team", "took off the team"


@verb
def assign(*, ticket: ServiceTicket, mechanic_id: int, actor: Actor) -> ServiceTicket:
    """Put a mechanic on the ticket.

    Raises TicketNotFound, TicketClosed, MechanicNotFound, MechanicUnavailable, AlreadyAssigned.
    """
    ticket = lock_open_ticket(ticket.pk)
    mechanic = _lock_available(mechanic_id)
    # The ticket's lock makes this check and the insert one step; the unique key stands behind it.
    if ticket.assignments.filter(mechanic=mechanic).exists():
        raise AlreadyAssigned(mechanic.name)
    _put(ticket, mechanic, actor)
    return ticket


@verb
def release(*, ticket: ServiceTicket, mechanic_id: int, actor: Actor) -> ServiceTicket:
    """Take a mechanic off the ticket.

    Raises TicketNotFound, TicketClosed, MechanicNotFound, NotAssigned.
    """
    ticket = lock_open_ticket(ticket.pk)
    assignment = ticket.assignments.filter(mechanic_id=mechanic_id).first()
    if assignment is None:
        # Asked only now: one who left can still be on a ticket that came back.
        mechanic = Mechanic.objects.existing().filter(pk=mechanic_id).first()
        raise NotAssigned(mechanic.name) if mechanic else MechanicNotFound
    tally.fewer(Mechanic.objects.all(), "ticket_count", {mechanic_id: 1})
    _take_off(ticket, assignment)
    return ticket


@verb
def set_team(*, ticket: ServiceTicket, mechanic_ids: Iterable[int], actor: Actor) -> ServiceTicket:
    """Make these mechanics the team: who is missing is added, who is not named is released.

    All or nothing. Raises TicketNotFound, TicketClosed, UnknownMechanics, MechanicUnavailable.
    """
    ticket = lock_open_ticket(ticket.pk)
    wanted = set(mechanic_ids)
    there = set(ticket.assignments.values_list("mechanic_id", flat=True))
    _change(ticket, add=wanted - there, remove=there - wanted, actor=actor)
    return ticket


@verb
def change_team(
    *,
    ticket: ServiceTicket,
    add_ids: Iterable[int] = (),
    remove_ids: Iterable[int] = (),
    actor: Actor,
) -> ServiceTicket:
    """Add and release mechanics in one step; adding who is there and releasing who is not is done.

    All or nothing. Raises TicketNotFound, TicketClosed, UnknownMechanics, MechanicUnavailable.
    """
    ticket = lock_open_ticket(ticket.pk)
    there = set(ticket.assignments.values_list("mechanic_id", flat=True))
    add, remove = set(add_ids), set(remove_ids)
    known = Mechanic.objects.existing().filter(pk__in=remove - there)
    if unknown := remove - there - set(known.values_list("pk", flat=True)):
        raise UnknownMechanics(unknown)
    _change(ticket, add=add - there, remove=remove & there, actor=actor)
    return ticket


def lock_open_tickets_of(mechanic_id: int) -> None:
    """The first part of a mechanic's leaving: their open tickets, locked in order of id.

    Before the mechanic, as everywhere, or a leaving and an assignment would wait for each other.
    """
    for ticket_id in _open_tickets_of(mechanic_id):
        lock_if_there(ServiceTicket.objects.all, ticket_id)


def release_open_assignments(mechanic: Mechanic) -> None:
    """Take a mechanic who leaves off every open ticket; finished ones keep the name.

    Part of the leaving's transaction, with the mechanic locked: nobody can assign them meanwhile.
    """
    released = 0
    for ticket_id in _open_tickets_of(mechanic.pk):
        # Locked already, or assigned since we looked: a ticket whose team changes shows another
        # version, otherwise somebody who read it before could write over the change unawares.
        ticket = lock_if_there(ServiceTicket.objects.all, ticket_id)
        if ticket is not None and ticket.is_open:
            for assignment in ticket.assignments.filter(mechanic=mechanic):
                _take_off(ticket, assignment)
                released += 1
    if released:
        tally.fewer(Mechanic.objects.all(), "ticket_count", {mechanic.pk: released})


def _open_tickets_of(mechanic_id: int) -> list[int]:
    """In order of id."""
    theirs = Assignment.objects.filter(
        mechanic_id=mechanic_id, ticket__status__in=ServiceTicket.OPEN
    )
    return list(theirs.order_by("ticket_id").values_list("ticket_id", flat=True))


def _lock_available(mechanic_id: int) -> Mechanic:
    """Who is about to be put on a ticket, and is counted there already."""
    mechanic = lock(
        Mechanic.objects.existing,
        mechanic_id,
        MechanicNotFound(),
        counted="ticket_count",
    )
    if not mechanic.is_available:
        raise MechanicUnavailable(mechanic.name)
    return mechanic


def _change(ticket: ServiceTicket, *, add: set[int], remove: set[int], actor: Actor) -> None:
    known = set(Mechanic.objects.existing().filter(pk__in=add).values_list("pk", flat=True))
    if unknown := add - known:
        raise UnknownMechanics(unknown)
    # By id: two teams that share mechanics lock them in the same order and never deadlock.
    for mechanic_id in sorted(add | remove):
        if mechanic_id in remove:
            tally.fewer(Mechanic.objects.all(), "ticket_count", {mechanic_id: 1})
            continue
        try:
            mechanic = _lock_available(mechanic_id)
        except MechanicNotFound as left:  # since we looked
            raise UnknownMechanics({mechanic_id}) from left
        _put(ticket, mechanic, actor)
    for assignment in ticket.assignments.filter(mechanic_id__in=remove):
        _take_off(ticket, assignment)


# The entries about an assignment are found by its number, which is gone with it: the ticket's own
# say who came and went.


def _put(ticket: ServiceTicket, mechanic: Mechanic, actor: Actor) -> None:
    Assignment.objects.create(ticket=ticket, mechanic=mechanic, assigned_by=actor.user)
    audit.record_event(ticket, JOINED, mechanic=mechanic.pk)


def _take_off(ticket: ServiceTicket, assignment: Assignment) -> None:
    assignment.delete()
    audit.record_event(ticket, LEFT, mechanic=assignment.mechanic_id)
