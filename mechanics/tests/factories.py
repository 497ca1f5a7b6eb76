"""Mechanics for tests."""

from decimal import Decimal
from typing import Any

import factory

from autoful import tally
from autoful.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic


class MechanicFactory(factory.django.DjangoModelFactory[Mechanic]):
    """A mechanic at work; `approved=False` makes one who signed up and waits."""

    class Meta:
        model = Mechanic

    @classmethod
    def _create(cls, model_class: type[Mechanic], *args: Any, **fields: Any) -> Mechanic:
        made: Mechanic = super()._create(model_class, *args, **fields)
        tally.add("mechanics", int(made.deleted_at is None))
        return made

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Mechanic Number{n}")
    phone = "+1 555 010 4050"
    salary = Decimal("52000.00")
    approved = True
