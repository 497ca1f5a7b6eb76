"""The people of every test, each a signed-in client of the API.

    def test_owner_alone_may_change(sarah, tom, mike, boss, nobody):
        assert sarah.put(f"/customers/{sarah.id}", {"name": "Sarah Smith"}).status_code == 200
        assert tom.put(f"/customers/{sarah.id}", {"name": "Mine now"}).status_code == 403

A persona is a DRF test client (JSON) that also knows who it is: `id` is the customer's or
mechanic's number, `profile` the row, `user` the account, `actor` what the verbs are told.
The fixtures of these names are in the root conftest.py; nobody is made who is not asked for.
"""

from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from rest_framework.test import APIClient

from autoful.accounts.models import User
from autoful.accounts.tests.factories import SuperuserFactory, UserFactory
from autoful.accounts.tokens import issue
from autoful.actor import NOBODY, Actor, Role


class Persona(APIClient):
    """A client of the API and the one who holds it."""

    def __init__(self, actor: Actor = NOBODY, profile: Any = None) -> None:
        super().__init__()
        self.actor = actor
        self.profile = profile
        if profile is not None:
            token = issue(actor.role, profile, profile.user)
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        elif actor.user is not None:
            self.force_login(actor.user)

    @property
    def user(self) -> User:
        assert self.actor.user is not None, "nobody has no account"
        return self.actor.user

    @property
    def id(self) -> int:
        """The number of the customer or mechanic."""
        assert self.profile is not None, "only customers and mechanics have a number"
        return int(self.profile.pk)

    @property
    def name(self) -> str:
        return str(self.profile.name)


def wearing(role: Role, user: User, **fields: Any) -> Persona:
    """`user` as a customer or a mechanic; twice with one user is one person with two hats."""
    profile = apps.get_model(settings.ROLES[role])._default_manager.create(user=user, **fields)
    return Persona(Actor(role, user, profile.pk), profile)


def customer(name: str, email: str, phone: str = "+1 555 010 2030") -> Persona:
    user = UserFactory.create(email=email)
    return wearing(Role.CUSTOMER, user, name=name, email=email, phone=phone)


def mechanic(name: str, email: str, phone: str = "+1 555 010 4050") -> Persona:
    user = UserFactory.create(email=email)
    salary = Decimal("61500.00")
    return wearing(Role.MECHANIC, user, name=name, phone=phone, salary=salary, approved=True)


def back_office(user: User) -> Persona:
    """A signed-in session of the back office, with whatever Django permissions `user` has."""
    return Persona(Actor(Role.BACK_OFFICE, user))


def nobody() -> Persona:
    return Persona()


def sarah() -> Persona:
    """Sarah Johnson, the customer whose things they are."""
    return customer("Sarah Johnson", "sarah@example.com")


def tom() -> Persona:
    """Tom Baker, the other customer."""
    return customer("Tom Baker", "tom@example.com")


def mike() -> Persona:
    """Mike Chen, a mechanic."""
    return mechanic("Mike Chen", "mike@example.com")


def lisa() -> Persona:
    """Lisa Ray, the other mechanic."""
    return mechanic("Lisa Ray", "lisa@example.com")


def boss() -> Persona:
    """The back office, with every permission."""
    return back_office(SuperuserFactory.create(email="boss@example.com"))


def clerk() -> Persona:
    """The back office, with no permission yet; give them with `user.user_permissions`."""
    return back_office(UserFactory.create(email="clerk@example.com", is_staff=True))
