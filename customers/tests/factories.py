"""Customers and vehicles for tests."""

import factory

from autoful.accounts.tests.factories import UserFactory
from customers.models import Customer, Vehicle

# 49 CFR 565.15: what each letter counts for, and each place, for the check digit in the ninth.
VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def valid_vin(number: int) -> str:
    """A 2003 Honda Accord's VIN with this serial number and the right check digit."""
    vin = f"1HGCM826{0}3A{number % 1_000_000:06d}"
    total = sum(
        int(VALUES.get(sign, sign)) * weight for sign, weight in zip(vin, WEIGHTS, strict=True)
    )
    return vin[:8] + "0123456789X"[total % 11] + vin[9:]


class CustomerFactory(factory.django.DjangoModelFactory[Customer]):
    """A customer with an account; `user=None` makes a walk-in who does not sign in."""

    class Meta:
        model = Customer

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Customer Number{n}")
    email = factory.LazyAttributeSequence(
        lambda made, n: made.user.email if made.user else f"walk-in{n}@example.com"
    )
    phone = "+1 555 010 2030"


class VehicleFactory(factory.django.DjangoModelFactory[Vehicle]):
    """A car with a valid VIN; `customer=None` makes one that nobody owns."""

    class Meta:
        model = Vehicle

    customer = factory.SubFactory(CustomerFactory)
    vin = factory.Sequence(lambda n: valid_vin(200_000 + n))  # tests type smaller ones
    make = "Honda"
    model = "Accord"
    year = 2003
