"""Opening, changing and closing a customer's record."""

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from autoful import audit, tally
from autoful.accounts.account import (
    Credentials,
    change_account,
    close_account,
    credentials,
    open_account,
)
from autoful.accounts.models import normalize_email
from autoful.actor import Actor, Role
from autoful.db import lock, lock_if_there, once
from autoful.errors import InvalidField
from autoful.models import IdempotencyKey
from autoful.verbs import verb
from customers.errors import CustomerNotFound
from customers.models import Customer, Vehicle
from customers.vehicles import REMOVED

PERSONAL = ("name", "email", "phone", "user")
OF_THE_OWNER = ("customer", "plate")  # of a vehicle


def register_customer(
    *, name: str, email: str, phone: str, password: str, actor: Actor
) -> Customer:
    """A customer with an account of their own.

    Always a new record: whoever the shop has on file under this e-mail keeps their history; whether
    the two are one person is not for an e-mail to say. Raises EmailTaken, TooManyRequests.
    """
    account = once(credentials, email=email, password=password, role=Role.CUSTOMER)
    return enter_account_holder(name=name, phone=phone, account=account, actor=actor)


@verb
def enter_account_holder(*, name: str, phone: str, account: Credentials, actor: Actor) -> Customer:
    """The record of a customer whose password is hashed already. Raises EmailTaken."""
    return Customer.objects.create(
        user=open_account(account), name=name, email=account.email, phone=phone
    )


@verb
def enter_walk_in(*, name: str, email: str = "", phone: str = "", actor: Actor) -> Customer:
    """A customer entered at the counter, who does not sign in."""
    return Customer.objects.create(name=name, email=normalize_email(email), phone=phone)


def change_customer(
    *,
    customer: Customer,
    name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    password: str | None = None,
    actor: Actor,
) -> Customer:
    """Change what is given; None leaves a field as it is. Raises CustomerNotFound, EmailTaken."""
    return _change(
        customer_id=customer.pk,
        name=name,
        email=email,
        phone=phone,
        password_hash=once(make_password, password) if password is not None else None,
        actor=actor,
    )


@verb
def _change(
    *,
    customer_id: int,
    name: str | None,
    email: str | None,
    phone: str | None,
    password_hash: str | None,
    actor: Actor,
) -> Customer:
    customer = lock(Customer.objects.existing, customer_id, CustomerNotFound())
    given = {"name": name, "phone": phone}
    if customer.user is not None:
        customer.user = change_account(
            user=customer.user,
            hat=customer,
            email=email,
            password_hash=password_hash,
            actor=actor,
        )
        customer.email = customer.user.email  # written with the account
    elif password_hash is not None:
        raise InvalidField("password", "This customer has no account to sign in with.")
    elif email is not None:
        given["email"] = normalize_email(email)
    changed = {field: value for field, value in given.items() if value is not None}
    for field, value in changed.items():
        setattr(customer, field, value)
    if changed:
        customer.save(update_fields=[*changed, "updated_at"])
    return customer


@verb
def close_customer(*, customer: Customer, actor: Actor) -> None:
    """Close the account and erase what is personal; the tickets stay for the books.

    Vehicles lose their owner and their plate: the car's history stays with the car, whose it was
    does not. Raises CustomerNotFound.
    """
    customer = lock(Customer.objects.existing, customer.pk, CustomerNotFound())
    user = customer.user
    customer.user = None
    customer.name, customer.email, customer.phone = Customer.DELETED_NAME, "", ""
    customer.deleted_at = timezone.now()
    customer.save(update_fields=["user", "name", "email", "phone", "deleted_at", "updated_at"])
    tally.add("customers", -1)
    audit.erase_personal_data(customer, PERSONAL)
    hat = Actor(Role.CUSTOMER, profile_id=customer.pk).hat
    IdempotencyKey.objects.erase_answers(caller=hat, about=customer)
    for vehicle_id in customer.vehicles.order_by("id").values_list("id", flat=True):
        vehicle = lock_if_there(Vehicle.objects.all, vehicle_id)
        if vehicle is None or vehicle.customer_id != customer.pk:
            continue  # removed or sold a moment ago: the buyer's now
        vehicle.customer, vehicle.plate = None, ""
        vehicle.save(update_fields=["customer", "plate", "updated_at"])
        audit.erase_personal_data(vehicle, OF_THE_OWNER)
    for event in audit.events(customer, REMOVED):
        audit.erase_personal_data(Vehicle(pk=event["vehicle"]), OF_THE_OWNER)
    if user is not None:
        close_account(user=user)
