"""Nobody takes over an account by changing how it signs in, through whichever hat."""

import pytest
from django.contrib.auth.models import Permission
from django.test import override_settings

from autoful.accounts.tests.factories import SuperuserFactory
from autoful.actor import Role
from autoful.errors import Forbidden
from autoful.testing.personas import Persona, wearing
from customers.registration import change_customer
from mechanics.registration import change_mechanic
from tests.soundness import refused

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def owner() -> tuple[Persona, Persona]:
    """The owner of the shop, a superuser, who also drives a car and turns a wrench."""
    user = SuperuserFactory.create(email="owner@example.com")
    customer = wearing(Role.CUSTOMER, user, name="Olga Own", email=user.email, phone="555 0100")
    return customer, wearing(Role.MECHANIC, user, name="Olga Own", approved=True)


def allow(clerk: Persona, *codenames: str) -> None:
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=codenames))


@override_settings(RATE_LIMITS=None)
@pytest.mark.parametrize("change", [{"password": "taken-over-1"}, {"email": "mine@example.com"}])
def test_a_clerk_does_not_become_the_owner(
    clerk: Persona, owner: tuple[Persona, Persona], change: dict[str, str]
) -> None:
    allow(clerk, "change_customer", "view_customer", "change_mechanic", "view_mechanic")
    for hat, verb in zip(owner, (change_customer, change_mechanic), strict=True):
        noun = str(hat.actor.role)
        answer = clerk.put(f"/{noun}s/{hat.id}", change)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        with refused(Forbidden):
            verb(**{noun: hat.profile}, **change, actor=clerk.actor)


@override_settings(RATE_LIMITS=None)
def test_a_customers_clerk_sets_no_mechanics_password(clerk: Persona, mike: Persona) -> None:
    customer = wearing(Role.CUSTOMER, mike.user, name="Mike", email=mike.user.email)
    allow(clerk, "change_customer")
    assert clerk.put(f"/customers/{customer.id}", {"password": "a fine one 1"}).status_code == 403
    assert clerk.put(f"/customers/{customer.id}", {"phone": "555 0199"}).status_code == 200


@override_settings(RATE_LIMITS=None)
def test_who_may_change_customers_helps_one(clerk: Persona, sarah: Persona) -> None:
    allow(clerk, "change_customer")
    assert clerk.put(f"/customers/{sarah.id}", {"password": "a fine one 1"}).status_code == 200
    sarah.user.refresh_from_db()
    assert sarah.user.check_password("a fine one 1")
