"""Removing a vehicle that was entered by mistake, and no other."""

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.testing.pages import Desk
from autoful.testing.queries import Statements
from customers.errors import OwnerChanged
from customers.models import Customer, Vehicle
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from customers.vehicles import delete_vehicle
from tests.soundness import everything
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def delete(car):
    return reverse("admin:customers_vehicle_delete", args=(car.pk,))


def entries(car):
    return LogEntry.objects.filter(content_type__model="vehicle", object_id=car.pk)


def test_it_is_removed_and_the_trail_says_what_it_was(desk):
    car = VehicleFactory.create(plate="QX-771", customer=CustomerFactory.create(name="Dana"))
    assert "entered by mistake" in desk.get(delete(car)).content.decode()
    assert desk.post(delete(car), {"post": "yes"}).status_code == 302
    assert not Vehicle.objects.exists() and Customer.objects.count() == 1
    assert [entry.get_action_display() for entry in entries(car)] == ["delete", "create"]
    assert entries(car)[0].changes["plate"] == ["QX-771", None]
    history = reverse("admin:customers_customer_history", args=(car.customer.pk,))
    assert f"vehicle removed no. {car.pk}" in desk.get(history).content.decode()


def test_whose_it_was_goes_when_they_close_the_account(desk):
    car = VehicleFactory.create(plate="QX-771")
    desk.post(delete(car), {"post": "yes"})
    close_customer(customer=car.customer, actor=COMMAND)
    for entry in entries(car):
        assert entry.changes["vin"] and set(entry.changes["plate"]) == {"erased", None}
        assert set(entry.changes["customer"]) == {"erased", None}
    trail = reverse("admin:auditlog_logentry_changelist")
    said = desk.get(trail, {"q": str(car.pk)}).content.decode()
    assert "owner erased" in said and "no. erased" not in said


def test_one_that_was_sold_meanwhile_is_not_removed(desk):
    car = VehicleFactory.create()
    stale = Vehicle.objects.get()
    Vehicle.objects.update(customer=CustomerFactory.create())
    with pytest.raises(OwnerChanged):
        delete_vehicle(vehicle=stale, actor=COMMAND)
    assert Vehicle.objects.get() == car


def test_one_with_a_history_stays(desk):
    ticket = ServiceTicketFactory.create()
    before = everything()
    asked = desk.get(delete(ticket.vehicle)).content.decode()
    assert "has 1 ticket, and its history stays" in asked and 'name="post"' not in asked
    answer = desk.post(delete(ticket.vehicle), {"post": "yes"}, follow=True)
    assert "its history stays" in str([str(m) for m in answer.context["messages"]])
    assert everything() == before


def test_its_page_locks_the_owner_first(desk):
    """As everybody does, or two would wait for each other."""
    car = VehicleFactory.create()
    with Statements(connection) as seen:
        desk.save(reverse("admin:customers_vehicle_change", args=(car.pk,)), {"plate": "QX-771"})
    updates = [one["sql"].split()[1].strip('`"') for one in seen if one["sql"].startswith("UPDATE")]
    ours = [table for table in updates if table.startswith("customers_")]
    assert ours[:2] == ["customers_customer", "customers_vehicle"]


def test_of_several_all_or_none(desk):
    free, used = VehicleFactory.create(), ServiceTicketFactory.create().vehicle
    picked = {"action": "delete_selected", "_selected_action": [free.pk, used.pk]}
    page = reverse("admin:customers_vehicle_changelist")
    assert "its history stays" in desk.post(page, picked).content.decode()
    desk.post(page, picked | {"post": "yes"})
    assert Vehicle.objects.count() == 2
