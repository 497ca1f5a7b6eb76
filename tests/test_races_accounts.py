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


# --- A second hat ---------------------------------------------------------------------------------


def second_hat() -> Any:
    """Sarah's password is matched with her account; what is left is to put the hat on."""
    found = account.credentials(email="sarah@example.com", password=PASSWORD, role=Role.CUSTOMER)
    return partial(
        customer_desk.enter_account_holder,
        name="Sarah Johnson",
        phone="+1 555 010 2030",
        account=found,
        actor=NOBODY,
    )


def put_on_twice() -> list[Any]:
    """The rival comes when the account was found without this hat."""
    UserFactory.create(email="sarah@example.com")
    rival = second_hat()
    with rival_before(Customer, "save", rival) as other:
        mine = outcome(second_hat())
    return [mine, other.outcome()]


def test_a_second_hat_is_put_on_once() -> None:
    assert kinds(put_on_twice(), EmailTaken) == [1, 1]
    assert Customer.objects.get().user == User.objects.get()


def test_control_without_the_lock_the_same_hat_meets_the_unique_key() -> None:
    with unlocked(account, User):
        assert isinstance(put_on_twice()[0], IntegrityError)


def put_on_while_leaving(owner: Any, name: str) -> list[Any]:
    """The account's other hat is taken off, which closes it."""
    mechanic = MechanicFactory.create(user=UserFactory.create(email="sarah@example.com"))
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    put_on = second_hat()
    with rival_before(owner, name, leave) as rival:
        mine = outcome(put_on)
    return [mine, rival.outcome()]


def test_no_second_hat_on_an_account_that_just_closed() -> None:
    assert kinds(put_on_while_leaving(account, "open_account"), EmailTaken) == [1, 1]
    assert faults() == []


def test_an_account_that_just_got_a_second_hat_stays_open() -> None:
    assert kinds(put_on_while_leaving(Customer, "save")) == [2]
    assert User.objects.get().is_active
    assert faults() == []


def test_control_without_the_lock_it_closes_under_the_second_hat() -> None:
    with unlocked(account, User):
        assert kinds(put_on_while_leaving(Customer, "save")) == [2]
    assert faults() != []


def take_off_both() -> list[Any]:
    """The rival comes when the account was found to have another hat."""
    user = UserFactory.create(email="sarah@example.com")
    customer, mechanic = CustomerFactory.create(user=user), MechanicFactory.create(user=user)
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    with rival_after(User, "has_role", leave) as rival:
        mine = outcome(partial(customer_desk.close_customer, customer=customer, actor=COMMAND))
    return [mine, rival.outcome()]


def test_taking_off_both_hats_at_once_closes_the_account() -> None:
    assert kinds(take_off_both()) == [2]
    user = User.objects.get()
    assert not user.is_active
    assert user.email != "sarah@example.com"


@on_mysql
def test_control_without_the_lock_an_account_without_hats_stays_open() -> None:
    with unlocked(account, User):
        assert kinds(take_off_both()) == [2]
    assert not User.objects.get().has_role()
    assert User.objects.get().is_active
