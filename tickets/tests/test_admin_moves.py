"""The buttons on a ticket's page: exactly the moves that its status allows."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from autoful.testing.pages import Desk
from inventory.tests.factories import PartFactory
from tickets.lifecycle import TRANSITIONS
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status


def change(ticket):
    return reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))


def move(ticket, to):
    return reverse("admin:tickets_serviceticket_move", args=(ticket.pk, to))


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


@pytest.mark.parametrize("status", Status.values)
def test_the_buttons_are_exactly_the_allowed_moves(desk, status):
    ticket = ServiceTicketFactory.create(status=status)
    page = desk.get(change(ticket)).content.decode()
    offered = set(re.findall(r'name="_move" value="(\w+)"', page))
    assert offered == set(TRANSITIONS[status])


def test_moves_at_once(desk):
    ticket = ServiceTicketFactory.create()
    answer = desk.post(move(ticket, "in_progress"), follow=True)
    assert [str(m) for m in answer.context["messages"]] == [f"{ticket} is in progress."]
    ticket.refresh_from_db()
    assert ticket.status == "in_progress"
    moved = ticket.status_changes.last()
    assert (moved.actor, moved.role) == (desk.user, "back_office")


def test_looking_at_a_move_moves_nothing(desk):
    ticket = ServiceTicketFactory.create()
    for to in Status.values:
        desk.get(move(ticket, to))
    ticket.refresh_from_db()
    assert ticket.status == "pending"


def test_cancelling_asks_first(desk):
    pads = PartFactory.create()
    ticket = ServiceTicketFactory.create(parts=[(pads, 2)])
    question = desk.get(move(ticket, "cancelled")).content.decode()
    assert f"Back into stock: 2 × {pads}. If they are fitted, complete" in question  # noqa: RUF001
    assert "cannot be undone" in question
    desk.post(move(ticket, "cancelled"), {"reason": "Sold the car"})
    pads.refresh_from_db()
    assert pads.quantity_in_stock == 50
    assert ticket.status_changes.last().reason == "Sold the car"


def test_a_comeback_says_what_it_does_to_the_month(desk):
    ticket = ServiceTicketFactory.create(status=Status.COMPLETED)
    assert (
        "The month in which it was completed"
        in desk.get(move(ticket, "in_progress")).content.decode()
    )


def test_a_completed_ticket_with_parts_comes_back_by_its_button(desk):
    ticket = ServiceTicketFactory.create(status=Status.COMPLETED, parts=[(PartFactory.create(), 2)])
    asked = desk.save(change(ticket), {"_move": "in_progress"})
    assert (asked.status_code, asked["Location"]) == (302, move(ticket, "in_progress"))


def test_a_comeback_needs_its_reason(desk):
    ticket = ServiceTicketFactory.create(status=Status.COMPLETED)
    answer = desk.post(move(ticket, "in_progress"), {"reason": " "})
    assert "Say why a completed ticket comes back" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.status == "completed"
    desk.post(move(ticket, "in_progress"), {"reason": "Still squeaks"})
    ticket.refresh_from_db()
    assert ticket.status == "in_progress"


def test_a_move_that_is_not_allowed_says_so(desk):
    ticket = ServiceTicketFactory.create()
    answer = desk.post(move(ticket, "completed"))
    assert "A ticket that is pending cannot become completed." in answer.content.decode()
    assert desk.post(move(ticket, "exploded")).status_code == 403
    ticket.refresh_from_db()
    assert ticket.status == "pending"


def test_who_may_not_change_tickets_moves_none(clerk):
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_serviceticket"))
    ticket = ServiceTicketFactory.create()
    desk = Desk(clerk.user)
    assert "/move/" not in desk.get(change(ticket)).content.decode()
    assert desk.post(move(ticket, "in_progress")).status_code == 403
    ticket.refresh_from_db()
    assert ticket.status == "pending"


def test_moving_needs_the_form_s_token(boss):
    ticket = ServiceTicketFactory.create()
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(boss.user)
    assert stranger.post(move(ticket, "in_progress")).status_code == 403
    ticket.refresh_from_db()
    assert ticket.status == "pending"
