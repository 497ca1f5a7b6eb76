"""The races for accounts: registering, hats put on, changed and taken off.

As in test_races.py, each stands beside a control in which it really happens.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection
from django.db.models import Model

from autoful.accounts import account, groups
from autoful.accounts.account import Credentials
from autoful.accounts.errors import EmailTaken
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, UserFactory, password_hash
from autoful.actor import COMMAND, NOBODY, Role
from autoful.testing.rivals import (
    kinds,
    many_connections,
    on_mysql,
    outcome,
    rival_after,
    rival_before,
    unhindered,
    unlocked,
    without_transactions,
)
from customers import registration as customer_desk
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanics import registration as mechanic_desk
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.soundness import everything, faults

pytestmark = pytest.mark.django_db(transaction=True)

HASHING = 10.0  # seconds that a rival may need who hashes a password on a loaded machine


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


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
    return lambda: customer_desk.enter_account_holder(
        name="Sarah Johnson", phone="+1 555 010 2030", account=found, actor=NOBODY
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
    assert kinds(put_on_while_leaving(customer_desk, "enter_account_holder"), EmailTaken) == [1, 1]
    assert faults() == []


def test_control_without_looking_again_the_second_hat_is_on_a_closed_account() -> None:
    with unhindered(), patch.object(account, "_is_same", lambda user, found: True):
        assert kinds(put_on_while_leaving(customer_desk, "enter_account_holder")) == [2]
    assert faults() != []


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


# --- A record that is changed while it is closed --------------------------------------------------

PHONE, EMAIL = "+1 555 010 9999", "new@example.com"

customer_and_mechanic = pytest.mark.parametrize(
    ("desk", "factory", "hat", "model"),
    [
        (customer_desk, CustomerFactory, "customer", Customer),
        (mechanic_desk, MechanicFactory, "mechanic", Mechanic),
    ],
    ids=["customer", "mechanic"],
)


def change_while_closing(desk: Any, factory: Any, hat: str) -> list[Any]:
    """The rival comes when the record was found there."""
    who = {hat: factory.create(), "actor": COMMAND}
    change, close = getattr(desk, f"change_{hat}"), getattr(desk, f"close_{hat}")
    with rival_before(desk, "change_account", partial(close, **who)) as rival:
        mine = outcome(partial(change, phone=PHONE, email=EMAIL, **who))
    return [mine, rival.outcome()]


@customer_and_mechanic
def test_nothing_personal_comes_back_to_a_closed_record(
    desk: Any, factory: Any, hat: str, model: type[Model]
) -> None:
    assert kinds(change_while_closing(desk, factory, hat)) == [2]
    left = str(everything())
    assert PHONE not in left
    assert EMAIL not in left
    assert faults() == []


@customer_and_mechanic
def test_control_without_the_lock_a_closed_record_has_a_phone_and_an_email(
    desk: Any, factory: Any, hat: str, model: type[Model]
) -> None:
    with unlocked(desk, model):
        assert kinds(change_while_closing(desk, factory, hat)) == [2]
    assert model._default_manager.get(deleted_at__isnull=False).phone == PHONE
    assert User.objects.get(is_active=False).email == EMAIL


def approve_while_leaving() -> list[Any]:
    """The rival comes when the mechanic was found there."""
    mechanic = MechanicFactory.create(approved=False)
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    with rival_before(Mechanic, "save", leave) as rival:
        mine = outcome(partial(mechanic_desk.approve, mechanic=mechanic, actor=COMMAND))
    return [mine, rival.outcome()]


def test_a_leaving_mechanic_is_not_approved_any_more() -> None:
    assert kinds(approve_while_leaving()) == [2]
    assert not Mechanic.objects.get().approved


def test_control_without_the_lock_a_departed_mechanic_is_approved() -> None:
    with unlocked(mechanic_desk, Mechanic):
        assert kinds(approve_while_leaving()) == [2]
    assert Mechanic.objects.get(deleted_at__isnull=False).approved


# --- An account that is changed under two hats ----------------------------------------------------


def change_password_under_two_hats() -> list[Any]:
    """The rival, whose password is hashed already, comes when the account was read."""
    user = UserFactory.create()
    new: dict[str, Any] = {"password": "another good password", "actor": COMMAND}
    customer, mechanic = CustomerFactory.create(user=user), MechanicFactory.create(user=user)
    change = partial(mechanic_desk.change_mechanic, mechanic=mechanic, **new)
    with (
        patch.object(mechanic_desk, "make_password", return_value=password_hash()),
        rival_before(account, "may_decide_sign_in", change) as rival,
    ):
        mine = outcome(partial(customer_desk.change_customer, customer=customer, **new))
    return [mine, rival.outcome()]


def test_each_of_two_new_passwords_ends_the_tokens_before_it() -> None:
    assert kinds(change_password_under_two_hats()) == [2]
    assert User.objects.get().token_version == 3


def test_control_without_the_lock_tokens_outlive_a_new_password() -> None:
    with unlocked(account, User):
        assert kinds(change_password_under_two_hats()) == [2]
    assert User.objects.get().token_version == 2


# --- A group that somebody joins while it is deleted ----------------------------------------------


def join_while_deleting() -> tuple[User, list[LogEntry]]:
    """The rival comes when all who were in the group have left it; the entries about them."""
    group, user = Group.objects.create(name="Counter"), UserFactory.create()
    delete = partial(groups.delete_groups, group_ids=[group.pk], actor=COMMAND)
    with rival_after(groups, "_let_go", partial(user.groups.add, group.pk)) as rival:
        assert outcome(delete) is None
    rival.outcome()
    assert not Group.objects.exists()
    return user, list(LogEntry.objects.get_for_object(user).exclude(action=0))


def test_nobody_leaves_a_group_unnoticed() -> None:
    user, entries = join_while_deleting()
    assert entries == []  # who came too late was never in it
    assert not user.groups.exists()


def test_control_without_the_lock_somebody_leaves_without_an_entry() -> None:
    with ExitStack() as stack:
        stack.enter_context(unhindered())
        stack.enter_context(patch.object(groups, "_lock", lambda group_id: True))
        if connection.vendor == "sqlite":
            stack.enter_context(without_transactions())
        _, entries = join_while_deleting()
    assert [entry.changes["groups"]["operation"] for entry in entries] == ["add"]
