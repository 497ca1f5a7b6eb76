"""Removing a vehicle that was entered by mistake, and no other."""

import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from autoful.testing.pages import Desk
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from tests.soundness import everything
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def delete(car):
    return reverse("admin:customers_vehicle_delete", args=(car.pk,))


def test_it_is_removed_and_the_trail_keeps_nobody(desk):
    car = VehicleFactory.create(plate="QX-771", customer=CustomerFactory.create(name="Dana"))
    assert "entered by mistake" in desk.get(delete(car)).content.decode()
    assert desk.post(delete(car), {"post": "yes"}).status_code == 302
    assert not Vehicle.objects.exists() and Customer.objects.count() == 1
    entries = LogEntry.objects.filter(content_type__model="vehicle", object_id=car.pk)
    assert [entry.get_action_display() for entry in entries] == ["delete", "create"]
    assert not any("QX-771" in str(entry.changes) for entry in entries)
    for entry in entries:
        assert entry.changes["vin"] and str(car.customer_id) not in entry.changes["customer"]


def test_one_with_a_history_stays(desk):
    ticket = ServiceTicketFactory.create()
    before = everything()
    asked = desk.get(delete(ticket.vehicle)).content.decode()
    assert "has 1 ticket, and its history stays" in asked and 'name="post"' not in asked
    answer = desk.post(delete(ticket.vehicle), {"post": "yes"}, follow=True)
    assert "its history stays" in str([str(m) for m in answer.context["messages"]])
    assert everything() == before


def test_of_several_all_or_none(desk):
    free, used = VehicleFactory.create(), ServiceTicketFactory.create().vehicle
    picked = {"action": "delete_selected", "_selected_action": [free.pk, used.pk]}
    page = reverse("admin:customers_vehicle_changelist")
    assert "its history stays" in desk.post(page, picked).content.decode()
    desk.post(page, picked | {"post": "yes"})
    assert Vehicle.objects.count() == 2
