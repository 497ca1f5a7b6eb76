"""The tickets on a customer's and on a vehicle's page."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.admin.inlines import ReadOnlyFormSet
from autoful.testing.pages import Desk, fields_of
from autoful.testing.personas import Persona
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


def page_of(row: Any) -> str:
    return reverse(f"admin:customers_{row._meta.model_name}_change", args=(row.pk,))


def listed(html: str) -> list[int]:
    return [int(number) for number in re.findall(r"/serviceticket/(\d+)/change/", html)]


def test_a_customers_tickets_and_a_cars_are_on_their_pages(desk: Desk) -> None:
    dana, tom = CustomerFactory.create(), CustomerFactory.create()
    car = VehicleFactory.create(customer=dana)
    first = ServiceTicketFactory.create(customer=dana, vin=car.vin)
    other = ServiceTicketFactory.create(customer=dana)
    lent = ServiceTicketFactory.create(customer=tom, vin=car.vin)
    assert listed(desk.get(page_of(dana)).content.decode()) == [other.pk, first.pk]
    assert listed(desk.get(page_of(car)).content.decode()) == [lent.pk, first.pk]


def test_only_the_latest_of_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReadOnlyFormSet, "limit", 2)
    dana = CustomerFactory.create()
    tickets = [ServiceTicketFactory.create(customer=dana).pk for _ in range(3)]
    assert listed(desk.get(page_of(dana)).content.decode()) == tickets[:0:-1]


def test_a_ticket_is_begun_from_there(desk: Desk) -> None:
    dana = CustomerFactory.create()
    car = VehicleFactory.create(customer=dana)
    for row in (car, dana):
        html = desk.get(page_of(row)).content.decode().replace("&amp;", "&")
        found = re.search(rf'"(/admin/tickets/serviceticket/add/\?vehicle={car.pk}[^"]*)"', html)
        assert found
        typed = fields_of(desk.get(found[1]), "serviceticket_form") | {"service_desc": "Brakes"}
        assert desk.post(found[1], typed).status_code == 302
        ticket = ServiceTicket.objects.latest("pk")
        assert (ticket.vehicle, ticket.customer) == (car, dana)


def test_nothing_is_begun_for_a_customer_who_is_gone(desk: Desk) -> None:
    ticket = ServiceTicketFactory.create()
    close_customer(customer=ticket.customer, actor=COMMAND)
    html = desk.get(page_of(ticket.customer)).content.decode()
    assert listed(html) == [ticket.pk]
    assert "New ticket" not in html


def test_they_are_for_whoever_may_see_tickets(clerk: Persona) -> None:
    ticket = ServiceTicketFactory.create(service_desc="Secret noise")
    clerk.user.user_permissions.add(*Permission.objects.filter(codename="view_vehicle"))
    desk = Desk(clerk.user)
    assert "Secret noise" not in desk.get(page_of(ticket.vehicle)).content.decode()
    clerk.user.user_permissions.add(*Permission.objects.filter(codename="view_serviceticket"))
    html = desk.get(page_of(ticket.vehicle)).content.decode()
    assert "Secret noise" in html
    assert ticket.customer.name not in html
    assert "New ticket" not in html


def test_a_new_customers_page_has_no_tickets(desk: Desk) -> None:
    assert "Tickets: the latest" not in desk.get("/admin/customers/customer/add/").content.decode()


def test_cars_are_offered_to_whoever_may_see_cars(clerk: Persona) -> None:
    car = VehicleFactory.create(model="Camry")
    seen = ("view_customer", "view_serviceticket", "add_serviceticket")
    clerk.user.user_permissions.add(*Permission.objects.filter(codename__in=seen))
    html = Desk(clerk.user).get(page_of(car.customer)).content.decode()
    assert "New ticket: another vehicle" in html
    assert "Camry" not in html
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_vehicle"))
    assert "Camry" in Desk(clerk.user).get(page_of(car.customer)).content.decode()
