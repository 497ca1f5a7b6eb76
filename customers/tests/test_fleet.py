"""A customer with more vehicles than a page has boxes for."""

import pytest
from django.urls import reverse

from autoful.testing.pages import Desk, fields_of
from customers.admin import VehicleFormSet
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin

pytestmark = pytest.mark.django_db

MOST = VehicleFormSet.shown_at_most


@pytest.fixture
def fleet():
    owner = CustomerFactory.create(name="City Cabs")
    return owner, [VehicleFactory.create(customer=owner, plate=f"P-{n}") for n in range(MOST + 45)]


def page_of(owner):
    return reverse("admin:customers_customer_change", args=(owner.pk,))


def test_its_page_is_saved_and_the_others_are_a_link_away(boss, fleet):
    owner, cars = fleet
    desk = Desk(boss.user)
    page = desk.get(page_of(owner)).content.decode()
    assert "45 more</a> on the list of vehicles" in page and "?q=City%20Cabs" in page
    typed = {"phone": "+1 555 010 9999", "vehicles-0-plate": "NEW-1"}
    typed |= {"vehicles-TOTAL_FORMS": str(MOST + 1), f"vehicles-{MOST}-vin": valid_vin(700_000)}
    assert desk.save(page_of(owner), typed).status_code == 302
    owner.refresh_from_db()
    assert (owner.phone, owner.vehicles.count()) == ("+1 555 010 9999", MOST + 46)
    cars[45].refresh_from_db()
    assert cars[45].plate == "NEW-1"  # the first of the newest


def test_it_is_said_as_well_when_the_page_comes_back(boss, fleet):
    owner, _ = fleet
    answer = Desk(boss.user).save(page_of(owner), {"phone": "none"})
    assert "45 more</a> on the list of vehicles" in answer.content.decode()


def test_one_that_is_entered_meanwhile_moves_no_row(boss, fleet):
    owner, cars = fleet
    desk = Desk(boss.user)
    form = fields_of(desk.get(page_of(owner)), "customer_form")
    VehicleFactory.create(customer=owner)
    assert desk.post(page_of(owner), form | {"vehicles-0-plate": "NEW-1"}).status_code == 302
    cars[45].refresh_from_db()
    assert cars[45].plate == "NEW-1"


def test_of_few_nothing_is_left_out(boss):
    car = VehicleFactory.create()
    assert (
        "on the list of vehicles" not in Desk(boss.user).get(page_of(car.customer)).content.decode()
    )
