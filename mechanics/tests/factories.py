"""Mechanics for tests."""

from decimal import Decimal

import factory

from autoful.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic


class MechanicFactory(factory.django.DjangoModelFactory[Mechanic]):
    """A mechanic at work; `approved=False` makes one who signed up and waits."""

    class Meta:
        model = Mechanic

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Mechanic Number{n}")
    phone = "+1 555 010 4050"
    salary = Decimal("52000.00")
    approved = True
