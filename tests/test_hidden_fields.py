"""What somebody may not see they may not write through the API either."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission

from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db
JSON = "application/json"


def with_rights(clerk: Persona, *names: str) -> Desk:
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return Desk(clerk.user)


def test_what_the_shop_pays(clerk: Persona) -> None:
    part = PartFactory.create(cost=Decimal("31.41"), location="A1")
    rights = ("view_part", "change_part", "add_part")
    desk = with_rights(clerk, *rights)
    for typed in ({"cost": 3}, {"location": "B2", "cost": None}):
        answer = desk.put(f"/inventory/{part.pk}", typed, JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    new = {"part_name": "Bulb", "price": 2, "quantity_in_stock": 1}
    assert desk.post("/inventory/", new | {"cost": 1}, JSON).status_code == 403
    assert desk.post("/inventory/", new, JSON).status_code == 201
    part.refresh_from_db()
    assert (part.cost, part.location) == (Decimal("31.41"), "A1")
    desk = with_rights(clerk, *rights, "view_cost")
    assert desk.put(f"/inventory/{part.pk}", {"cost": 3}, JSON).status_code == 200


def test_salaries(clerk: Persona, mike: Persona) -> None:
    other = MechanicFactory.create(salary=Decimal("54321.99"))
    desk = with_rights(clerk, "view_mechanic", "change_mechanic")
    answer = desk.put(f"/mechanics/{other.pk}", {"salary": 7}, JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert desk.put(f"/mechanics/{other.pk}", {"phone": "303 555 0100"}, JSON).status_code == 200
    other.refresh_from_db()
    assert other.salary == Decimal("54321.99")
    desk = with_rights(clerk, "view_mechanic", "change_mechanic", "view_salary")
    assert desk.put(f"/mechanics/{other.pk}", {"salary": 7}, JSON).status_code == 200
    # A mechanic's own is theirs to say, by the contract.
    assert mike.put(f"/mechanics/{mike.id}", {"salary": 7}).status_code == 200
