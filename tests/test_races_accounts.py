"""The races for accounts: registering, a second hat, taking hats off.

As in test_races.py, each stands beside a control in which it really happens.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError

from autoful.accounts.account import Credentials
from autoful.accounts.errors import EmailTaken
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.actor import COMMAND, NOBODY
from autoful.errors import DomainError
from autoful.testing.rivals import (
    many_connections,
    outcome,
    rival_after,
    rival_before,
    unclean,
)
from customers import registration as customer_desk
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanics import registration as mechanic_desk
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults

pytestmark = pytest.mark.django_db(transaction=True)

HASHING = 10.0  # seconds that a rival may need who hashes a password on a loaded machine


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def kinds(outcomes: list[Any], *errors: type[DomainError]) -> list[int]:
    """How many went well, then how many ended with each of `errors`."""
    assert unclean(outcomes) == []
    refused = [sum(isinstance(o, error) for o in outcomes) for error in errors]
    well = sum(not isinstance(o, Exception) for o in outcomes)
    assert well + sum(refused) == len(outcomes), outcomes
    return [well, *refused]


def registering(email: str, password: str = PASSWORD) -> Any:
    return partial(
        customer_desk.register_customer,
        name="Sarah Johnson",
        email=email,
        phone="+1 555 010 2030",
        password=password,
        actor=NOBODY,
    )


def register_twice() -> list[Any]:
    """The rival comes when the e-mail was found free and the password hashed."""
    rival = registering("Sarah@example.com", "another good password")
    with rival_before(customer_desk, "enter_account_holder", rival, grace=HASHING) as other:
        mine = outcome(registering("sarah@example.com"))
    return [mine, other.outcome()]


def test_an_email_is_registered_once() -> None:
    assert kinds(register_twice(), EmailTaken) == [1, 1]
    assert User.objects.get().email == "sarah@example.com"
    assert Customer.objects.get().user == User.objects.get()


def test_control_looking_first_the_second_account_meets_the_unique_key() -> None:
    def naive(found: Credentials) -> User:
        return User.objects.create(email=found.email, password=found.password_hash)

    with patch.object(customer_desk, "open_account", naive):
        assert isinstance(register_twice()[0], IntegrityError)


def test_a_second_hat_is_put_on_once() -> None:
    UserFactory.create(email="sarah@example.com")
    rival = registering("sarah@example.com")
    with rival_before(customer_desk, "enter_account_holder", rival, grace=HASHING) as other:
        mine = outcome(registering("sarah@example.com"))
    assert kinds([mine, other.outcome()], EmailTaken) == [1, 1]
    assert Customer.objects.count() == 1


def test_no_second_hat_on_an_account_that_just_closed() -> None:
    user = UserFactory.create(email="sarah@example.com")
    mechanic = MechanicFactory.create(user=user)
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    with rival_before(customer_desk, "enter_account_holder", leave, grace=HASHING) as rival:
        mine = outcome(registering("sarah@example.com"))
    assert unclean([mine, rival.outcome()]) == []
    assert faults() == []


def test_taking_off_both_hats_at_once_closes_the_account() -> None:
    user = UserFactory.create(email="sarah@example.com")
    customer, mechanic = CustomerFactory.create(user=user), MechanicFactory.create(user=user)
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    with rival_after(User, "has_role", leave, grace=HASHING / 10) as rival:
        customer_desk.close_customer(customer=customer, actor=COMMAND)
    assert unclean([rival.outcome()]) == []
    user.refresh_from_db()
    assert not user.is_active
    assert user.email != "sarah@example.com"
