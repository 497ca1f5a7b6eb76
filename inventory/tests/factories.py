"""Parts for tests."""

from decimal import Decimal
from typing import Any

import factory

from autoful.actor import COMMAND
from inventory.models import Part
from inventory.parts import enter_part


class PartFactory(factory.django.DjangoModelFactory[Part]):
    """A part, entered as the shop does it: its first stock stands in the ledger."""

    class Meta:
        model = Part

    part_name = factory.Sequence(lambda n: f"Part {n}")
    price = Decimal("45.99")
    cost = Decimal("20.50")
    quantity_in_stock = 50

    @classmethod
    def _create(cls, model_class: type[Part], *args: Any, **fields: Any) -> Part:
        quantity = fields.pop("quantity_in_stock")
        return enter_part(fields=fields, quantity_in_stock=quantity, actor=COMMAND)
