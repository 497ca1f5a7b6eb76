"""What is done to several rows of a list at once, and what comes before a row is deleted."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.admin import deleting
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.models import Vehicle
from customers.tests.factories import VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics import admin as mechanics
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db

PARTS = reverse("admin:inventory_part_changelist")


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("post", [{}, {"post": "yes"}])
def test_more_rows_than_a_page_can_ask_about_are_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, across: bool, post: dict[str, str]
) -> None:
    monkeypatch.setattr(deleting, "MOST_AT_ONCE", 3)
    parts = [PartFactory.create().pk for _ in range(4)]
    picked: dict[str, Any] = {"action": "delete_selected", "_selected_action": parts} | post
    if across:
        picked |= {"_selected_action": parts[:1], "select_across": "1"}
    answer: Any = desk.post(PARTS, picked, follow=True)
    assert "At most 3 rows at once. Narrow the list" in answer.content.decode()
    assert Part.objects.count() == 4
    picked |= {"_selected_action": parts[:3], "select_across": "0", "post": "yes"}
    desk.post(PARTS, picked)
    assert Part.objects.count() == 1


def test_what_breaks_in_an_action_is_no_mistyped_filter(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**fields: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(mechanics, "approve", broken)
    picked = {"action": "approve_selected"}
    picked["_selected_action"] = str(MechanicFactory.create(approved=False).pk)
    with pytest.raises(ValueError, match="a bug"):
        desk.post(f"{reverse('admin:mechanics_mechanic_changelist')}?approved__exact=0", picked)


def test_the_question_before_tells_nothing_to_who_may_not_see_the_row(clerk: Persona) -> None:
    car = VehicleFactory.create()
    url = reverse("admin:customers_vehicle_delete", args=(car.pk,))
    clerk.user.user_permissions.set(Permission.objects.filter(codename="delete_vehicle"))
    assert Desk(clerk.user).get(url).status_code == 403
    assert Desk(clerk.user).post(url, {"post": "yes"}).status_code == 403
    names = ["delete_vehicle", "view_vehicle"]
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert Desk(clerk.user).post(url, {"post": "yes"}).status_code == 302
    assert not Vehicle.objects.exists()


def test_a_filter_of_what_may_not_be_seen_is_not_offered(clerk: Persona) -> None:
    VehicleFactory.create(make="Honda"), VehicleFactory.create(make="Kia")
    names = ["view_vehicle"]
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    page = reverse("admin:customers_vehicle_changelist")
    assert "customer__isempty" not in Desk(clerk.user).get(page).content.decode()
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    assert "customer__isempty" in Desk(clerk.user).get(page).content.decode()
