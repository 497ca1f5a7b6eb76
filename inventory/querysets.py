"""Reads of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from inventory.models import Part  # noqa: F401


class PartQuerySet(models.QuerySet["Part"]):
    def named(self, text: str) -> PartQuerySet:
        """Whose name contains `text`, whatever the case."""
        return self.filter(part_name__icontains=text)

    def low(self, threshold: int | None = None) -> PartQuerySet:
        """At or below `threshold`, or each part's own reorder point; emptiest first."""
        limit = F("reorder_point") if threshold is None else threshold
        return self.filter(quantity_in_stock__lte=limit).order_by("quantity_in_stock", "id")

    def out_of_balance(self) -> Any:
        """Parts whose ledger does not add up to their stock; none, unless somebody cheated."""
        return self.annotate(ledger=Coalesce(Sum("movements__change"), 0)).exclude(
            ledger=F("quantity_in_stock")
        )
