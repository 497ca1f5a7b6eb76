"""Opening, changing and closing a customer's record."""

from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import hashers

from autoful.accounts.errors import EmailTaken
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.actor import COMMAND, NOBODY
from customers.errors import CustomerNotFound
from customers.models import Customer
from customers.registration import (
    change_customer,
    close_customer,
    enter_walk_in,
    register_customer,
)
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults, refused
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

PERSON: dict[str, Any] = {"name": "Sarah Johnson", "phone": "+1 555 0100", "actor": NOBODY}


def register(email: str = "sarah@example.com", password: str = PASSWORD) -> Customer:
    return register_customer(email=email, password=password, **PERSON)


def test_register_customer() -> None:
    customer = register(" Sarah@Example.COM ")
    found = Customer.objects.get()
    assert (found, found.name, found.phone) == (customer, "Sarah Johnson", "+1 555 0100")
    assert found.user is not None
    assert (found.email, found.user.email) == ("sarah@example.com", "sarah@example.com")
    assert found.user.check_password(PASSWORD)
    assert found.user.password.startswith("bcrypt_sha256$")
    assert (found.user.is_active, found.user.is_staff) == (True, False)


def test_an_email_on_file_hands_over_no_history() -> None:
    walk_in = enter_walk_in(name="Sarah", email="sarah@example.com", actor=COMMAND)
    ServiceTicketFactory.create(customer=walk_in)
    customer = register()
    assert customer != walk_in
    assert not customer.service_tickets.exists()
    walk_in.refresh_from_db()
    assert (walk_in.user, walk_in.service_tickets.count()) == (None, 1)


@pytest.mark.parametrize(
    ("account", "password"),
    [
        ({"email": "sarah@example.com"}, "not that password"),
        ({"email": "sarah@example.com", "is_active": False}, PASSWORD),
    ],
    ids=["another password", "a closed account"],
)
def test_an_email_taken(account: dict[str, Any], password: str) -> None:
    UserFactory.create(**account)
    with refused(EmailTaken):
        register("SARAH@example.com", password)


def test_an_email_taken_by_a_customer() -> None:
    CustomerFactory.create(user=UserFactory.create(email="sarah@example.com"))
    with refused(EmailTaken):
        register()


def test_a_mechanic_becomes_a_customer_too() -> None:
    mechanic = MechanicFactory.create(user=UserFactory.create(email="sarah@example.com"))
    assert register().user == mechanic.user
    assert User.objects.count() == 1


@pytest.mark.parametrize("known", [False, True])
def test_registering_takes_one_hash_whatever_the_answer(known: bool) -> None:
    if known:
        UserFactory.create(email="sarah@example.com")
    hashed: list[None] = []
    encode = hashers.BCryptSHA256PasswordHasher.encode

    def counting(self: Any, *args: Any) -> str:
        hashed.append(None)
        return str(encode(self, *args))

    with patch.object(hashers.BCryptSHA256PasswordHasher, "encode", counting):
        register()
    assert len(hashed) == 1


def test_enter_walk_in() -> None:
    enter_walk_in(name="Ann", email=" Ann@Example.com", phone="+1 555 0101", actor=COMMAND)
    found = Customer.objects.get()
    assert (found.user, found.name, found.email) == (None, "Ann", "ann@example.com")
    enter_walk_in(name="Bob", actor=COMMAND)
    assert not User.objects.exists()


def test_change_customer_changes_what_is_given() -> None:
    customer = CustomerFactory.create(name="Sarah", phone="+1 555 0100")
    user, email, version = customer.user, customer.email, Customer.objects.get().version
    change_customer(customer=customer, phone="+1 555 0199", actor=COMMAND)
    found = Customer.objects.get()
    assert (found.name, found.email, found.phone) == ("Sarah", email, "+1 555 0199")
    assert found.version > version
    assert User.objects.get() == user
    assert User.objects.get().token_version == 1


def test_a_changed_email_is_the_accounts_too() -> None:
    customer = CustomerFactory.create()
    changed = change_customer(customer=customer, email=" New@Example.com", actor=COMMAND)
    assert changed.email == "new@example.com"
    assert User.objects.get().email == "new@example.com"
    assert User.objects.get().token_version == 1


def test_a_changed_password_ends_every_token() -> None:
    customer = CustomerFactory.create()
    change_customer(customer=customer, password="another good password", actor=COMMAND)
    user = User.objects.get()
    assert user.check_password("another good password")
    assert user.token_version == 2


def test_change_customer_refusals() -> None:
    UserFactory.create(email="taken@example.com")
    customer = CustomerFactory.create()
    with refused(EmailTaken):
        change_customer(customer=customer, name="New", email="TAKEN@example.com", actor=COMMAND)
    with refused(CustomerNotFound):
        change_customer(customer=Customer(pk=999), name="New", actor=COMMAND)


def test_close_customer() -> None:
    customer = CustomerFactory.create(name="Sarah Johnson")
    user, email = customer.user, customer.email
    ticket = ServiceTicketFactory.create(customer=customer)
    car = VehicleFactory.create(customer=customer, plate="AAA 111")
    others = VehicleFactory.create(plate="BBB 222")
    close_customer(customer=customer, actor=COMMAND)
    customer.refresh_from_db()
    assert (customer.name, customer.email, customer.phone) == ("Deleted customer", "", "")
    assert customer.user is None
    assert customer.deleted_at is not None
    assert user is not None
    user.refresh_from_db()
    assert (user.is_active, user.token_version, email in user.email) == (False, 3, False)
    assert not user.has_usable_password()
    assert ServiceTicket.objects.get().customer == ticket.customer
    for vehicle, owned in ((car, (None, "")), (others, (others.customer, "BBB 222"))):
        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.plate) == owned
    assert faults() == []


def test_a_closed_customers_email_is_free_again() -> None:
    first = register()
    close_customer(customer=first, actor=COMMAND)
    second = register()
    assert second.pk != first.pk
    assert second.user is not None
    assert second.user.email == "sarah@example.com"


def test_a_closed_customer_is_not_there() -> None:
    customer = CustomerFactory.create()
    close_customer(customer=customer, actor=COMMAND)
    for gone in (customer, Customer(pk=999)):
        with refused(CustomerNotFound):
            close_customer(customer=gone, actor=COMMAND)
        with refused(CustomerNotFound):
            change_customer(customer=gone, name="Back", actor=COMMAND)


@pytest.mark.parametrize("hat", ["mechanic", "back office"])
def test_the_other_hat_stays_on(hat: str) -> None:
    user = UserFactory.create(email="both@example.com", is_staff=hat == "back office")
    if hat == "mechanic":
        MechanicFactory.create(user=user)
    close_customer(customer=CustomerFactory.create(user=user), actor=COMMAND)
    user.refresh_from_db()
    assert (user.email, user.is_active, user.token_version) == ("both@example.com", True, 1)


def test_closing_a_walk_in() -> None:
    walk_in = enter_walk_in(name="Ann", email="ann@example.com", actor=COMMAND)
    close_customer(customer=walk_in, actor=COMMAND)
    walk_in.refresh_from_db()
    assert (walk_in.name, walk_in.email) == ("Deleted customer", "")
