"""The team of a ticket."""

from typing import Any

import pytest

from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role
from mechanics.errors import MechanicNotFound
from mechanics.models import Mechanic
from mechanics.registration import close_mechanic
from mechanics.tests.factories import MechanicFactory
from tests.soundness import refused
from tickets.assignment import assign, change_team, release, set_team
from tickets.errors import (
    AlreadyAssigned,
    MechanicUnavailable,
    NotAssigned,
    TicketClosed,
    TicketNotFound,
    UnknownMechanics,
)
from tickets.models import Assignment, ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mike(db: None) -> Mechanic:
    return MechanicFactory.create(name="Mike Chen")


@pytest.fixture
def lisa(db: None) -> Mechanic:
    return MechanicFactory.create(name="Lisa Ray")


@pytest.fixture
def gone(db: None) -> Mechanic:
    mechanic = MechanicFactory.create()
    close_mechanic(mechanic=mechanic, actor=COMMAND)
    return mechanic


def team(ticket: ServiceTicket) -> set[int]:
    return set(Assignment.objects.filter(ticket=ticket).values_list("mechanic_id", flat=True))


def test_assign(mike: Mechanic) -> None:
    ticket = ServiceTicketFactory.create()
    boss = Actor(Role.BACK_OFFICE, UserFactory.create(is_staff=True))
    version = Mechanic.objects.get(pk=mike.pk).version
    assert assign(ticket=ticket, mechanic_id=mike.pk, actor=boss) == ticket
    assert team(ticket) == {mike.pk}
    assert Assignment.objects.get().assigned_by == boss.user
    assert Mechanic.objects.get(pk=mike.pk).version > version  # the row that bookings lock


def test_assign_refusals(mike: Mechanic, gone: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    with refused(AlreadyAssigned):
        assign(ticket=ticket, mechanic_id=mike.pk, actor=COMMAND)
    with refused(TicketNotFound):
        assign(ticket=ServiceTicket(pk=999), mechanic_id=mike.pk, actor=COMMAND)
    for missing in (gone.pk, 999_999):
        with refused(MechanicNotFound):
            assign(ticket=ticket, mechanic_id=missing, actor=COMMAND)


@pytest.mark.parametrize(
    "why", [{"approved": False}, {"user__is_active": False}], ids=["not approved", "deactivated"]
)
def test_a_mechanic_who_cannot_work_is_not_put_on_a_ticket(
    why: dict[str, Any], mike: Mechanic
) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    idle = MechanicFactory.create(**why).pk
    with refused(MechanicUnavailable):
        assign(ticket=ticket, mechanic_id=idle, actor=COMMAND)
    with refused(MechanicUnavailable):
        set_team(ticket=ticket, mechanic_ids=[idle], actor=COMMAND)
    with refused(MechanicUnavailable):
        change_team(ticket=ticket, add_ids=[idle], remove_ids=[mike.pk], actor=COMMAND)


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_a_closed_tickets_team_is_frozen(status: str, mike: Mechanic, lisa: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike], status=status)
    for move in (
        lambda: assign(ticket=ticket, mechanic_id=lisa.pk, actor=COMMAND),
        lambda: release(ticket=ticket, mechanic_id=mike.pk, actor=COMMAND),
        lambda: set_team(ticket=ticket, mechanic_ids=[lisa.pk], actor=COMMAND),
        lambda: change_team(ticket=ticket, add_ids=[lisa.pk], actor=COMMAND),
    ):
        with refused(TicketClosed, status=status):
            move()


def test_release(mike: Mechanic, lisa: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike, lisa])
    other = ServiceTicketFactory.create(mechanics=[mike])
    release(ticket=ticket, mechanic_id=mike.pk, actor=COMMAND)
    assert (team(ticket), team(other)) == ({lisa.pk}, {mike.pk})


def test_release_refusals(mike: Mechanic, lisa: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    with refused(NotAssigned):
        release(ticket=ticket, mechanic_id=lisa.pk, actor=COMMAND)
    with refused(MechanicNotFound):
        release(ticket=ticket, mechanic_id=999_999, actor=COMMAND)
    with refused(TicketNotFound):
        release(ticket=ServiceTicket(pk=999), mechanic_id=mike.pk, actor=COMMAND)


def test_set_team(mike: Mechanic, lisa: Mechanic) -> None:
    ticket, third = ServiceTicketFactory.create(mechanics=[mike]), MechanicFactory.create()
    kept = Assignment.objects.get().pk
    set_team(ticket=ticket, mechanic_ids=[third.pk, mike.pk, third.pk], actor=COMMAND)
    assert team(ticket) == {mike.pk, third.pk}
    assert Assignment.objects.get(mechanic=mike).pk == kept
    set_team(ticket=ticket, mechanic_ids=[lisa.pk], actor=COMMAND)
    assert team(ticket) == {lisa.pk}
    set_team(ticket=ticket, mechanic_ids=[], actor=COMMAND)
    assert team(ticket) == set()


def test_set_team_is_all_or_nothing(mike: Mechanic, lisa: Mechanic, gone: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    ids = [lisa.pk, 999_999, gone.pk]
    with refused(UnknownMechanics, unknown_ids=sorted([999_999, gone.pk])) as raised:
        set_team(ticket=ticket, mechanic_ids=ids, actor=COMMAND)
    assert "999999" in raised.value.message
    with refused(TicketNotFound):
        set_team(ticket=ServiceTicket(pk=999), mechanic_ids=[lisa.pk], actor=COMMAND)


def test_change_team(mike: Mechanic, lisa: Mechanic) -> None:
    ticket, third = ServiceTicketFactory.create(mechanics=[mike]), MechanicFactory.create()
    change_team(ticket=ticket, add_ids=[lisa.pk], remove_ids=[mike.pk], actor=COMMAND)
    assert team(ticket) == {lisa.pk}
    # Adding who is there and releasing who is not is done already.
    change_team(ticket=ticket, add_ids=[lisa.pk, third.pk], remove_ids=[mike.pk], actor=COMMAND)
    assert team(ticket) == {lisa.pk, third.pk}


@pytest.mark.parametrize("side", ["add_ids", "remove_ids"])
def test_change_team_is_all_or_nothing(side: str, mike: Mechanic, lisa: Mechanic) -> None:
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    given = {"add_ids": [lisa.pk], "remove_ids": [mike.pk]}
    given[side] = [*given[side], 999_999]
    with refused(UnknownMechanics, unknown_ids=[999_999]):
        change_team(ticket=ticket, **given, actor=COMMAND)
    with refused(TicketNotFound):
        change_team(ticket=ServiceTicket(pk=999), add_ids=[lisa.pk], actor=COMMAND)
