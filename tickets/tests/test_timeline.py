"""What happened to a ticket, and who did it, as its page tells it."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autoful.actor import COMMAND, Actor, Role
from autoful.testing.pages import Desk
from inventory.tests.factories import PartFactory
from mechanics.registration import close_mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.assignment import assign, release, set_team
from tickets.lifecycle import edit_ticket, transition
from tickets.models import ServiceTicket
from tickets.parts import add_part, remove_line
from tickets.tests.factories import ServiceTicketFactory
from tickets.timeline import Timeline

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status


@pytest.fixture
def mike():
    return MechanicFactory.create(name="Mike Chen")


@pytest.fixture
def as_mike(mike):
    return Actor(Role.MECHANIC, mike.user, mike.pk)


def told(ticket):
    """Oldest first."""
    events = Timeline(ticket, set(), lambda model: True).read(0, 100)
    return [f"{event.who.name} {event.what}" for event in reversed(events)]


def test_a_ticket_from_beginning_to_end(mike, as_mike, boss):
    part = PartFactory.create(part_name="Brake Pad Set", quantity_in_stock=50)
    ticket = ServiceTicketFactory.create()
    office = Actor(Role.BACK_OFFICE, boss.user)
    assign(ticket=ticket, mechanic_id=mike.pk, actor=office)
    transition(ticket=ticket, to=Status.IN_PROGRESS, actor=as_mike)
    line = add_part(ticket=ticket, part_id=part.pk, quantity=2, actor=as_mike).line
    add_part(ticket=ticket, part_id=part.pk, quantity=1, actor=as_mike)
    remove_line(ticket=ticket, line_id=line.pk, actor=as_mike)
    fields = {"notes": "Discs next time", "service_date": datetime.date(2026, 1, 2)}
    edit_ticket(ticket=ticket, fields=fields, actor=as_mike)
    transition(ticket=ticket, to=Status.COMPLETED, actor=as_mike)
    transition(ticket=ticket, to=Status.IN_PROGRESS, reason="Still squeaks", actor=office)
    release(ticket=ticket, mechanic_id=mike.pk, actor=office)
    email = boss.user.email
    said = told(ticket)
    assert said[0].startswith("Autoful opened the ticket: customer ")
    said[0] = "Autoful opened the ticket"
    assert said == [
        "Autoful opened the ticket",
        f"{email} put on the team: Mike Chen",
        "Mike Chen moved the ticket to in progress",
        "Mike Chen added 2 × Brake Pad Set, stock 48",  # noqa: RUF001
        "Mike Chen added 1 × Brake Pad Set, stock 47",  # noqa: RUF001
        "Mike Chen took off 3 × Brake Pad Set, stock 50",  # noqa: RUF001
        "Mike Chen set notes to Discs next time; changed service date from 14 Mar 2025 to 2 Jan 2026",
        "Mike Chen moved the ticket to completed",
        f"{email} moved the ticket to in progress: Still squeaks",
        f"{email} took off the team: Mike Chen",
    ]


def test_a_team_that_is_set_says_who_came_and_who_went(mike):
    lisa = MechanicFactory.create(name="Lisa Park")
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    set_team(ticket=ticket, mechanic_ids=[lisa.pk], actor=COMMAND)
    assert set(told(ticket)[2:]) == {
        "Autoful put on the team: Lisa Park",
        "Autoful took off the team: Mike Chen",
    }


def test_a_mechanic_who_has_left_is_no_made_up_address(mike, as_mike):
    ticket = ServiceTicketFactory.create()
    transition(ticket=ticket, to=Status.IN_PROGRESS, actor=as_mike)
    close_mechanic(mechanic=mike, actor=COMMAND)
    assert told(ticket)[-1] == "A mechanic who has left moved the ticket to in progress"


def test_another_tickets_events_are_not_told(mike):
    part = PartFactory.create()
    one = ServiceTicketFactory.create(mechanics=[mike], parts=[(part, 1)])
    # Whose number begins with the other's.
    other = ServiceTicketFactory.create(mechanics=[mike], parts=[(part, 1)])
    assert len(told(one)) == len(told(other)) == 3


def test_it_costs_the_same_however_much_has_happened(mike):
    ticket = ServiceTicketFactory.create(mechanics=[mike], parts=[(PartFactory.create(), 1)])

    def queries():
        with CaptureQueriesContext(connection) as seen:
            told(ServiceTicket.objects.get(pk=ticket.pk))
        return len(seen)

    def happen():
        mechanic = MechanicFactory.create()
        actor = Actor(Role.MECHANIC, mechanic.user, mechanic.pk)
        assign(ticket=ticket, mechanic_id=mechanic.pk, actor=actor)
        add_part(ticket=ticket, part_id=PartFactory.create().pk, quantity=1, actor=actor)
        edit_ticket(ticket=ticket, fields={"notes": f"By {mechanic}"}, actor=actor)

    happen()
    queries()
    few = queries()
    for _ in range(4):
        happen()
    assert queries() == few


def test_the_page_shows_car_customer_and_what_was_before(boss):
    first = ServiceTicketFactory.create(service_desc="Timing belt")
    part = PartFactory.create()
    ticket = ServiceTicketFactory.create(vin=first.vin, parts=[(part, 2)])
    page = Desk(boss.user).get(f"/admin/tickets/serviceticket/{ticket.pk}/change/")
    said = page.content.decode()
    assert "Timing belt" in said and "91.98" in said
    assert ticket.customer.phone in said
    assert f"added 2 × {part.part_name}, stock 48" in said  # noqa: RUF001
    assert [earlier.pk for earlier in page.context_data["before"]] == [first.pk]
    page = Desk(boss.user).get(f"/admin/tickets/serviceticket/{first.pk}/change/")
    assert not page.context_data["before"]
    assert "has not been here before" in page.content.decode()


def test_a_part_is_picked_with_its_stock_in_sight(boss):
    PartFactory.create(part_name="Brake Pad Set", part_number="BP-1", quantity_in_stock=7)
    asked = {"app_label": "tickets", "model_name": "partline", "field_name": "part", "term": "pad"}
    found = Desk(boss.user).get("/admin/autocomplete/", asked).json()["results"]
    assert [row["text"] for row in found] == ["Brake Pad Set (BP-1), 7 in stock"]
