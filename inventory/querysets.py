"""Reads of parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, DecimalField, Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from autoful.money import to_cents
from autoful.spelling import all_words, begins_so

if TYPE_CHECKING:
    from inventory.models import Part  # noqa: F401

LONGEST_GRADE = 8  # letters of what is written with marks in a part's name: 5W-30, R-1234yf
LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StockValue:
    """Stock in money: what was paid for it, and what it would bring. `without_cost` counts the parts
    that the first leaves out, because nobody entered what they cost."""

    at_cost: Decimal
    at_price: Decimal
    without_cost: int


class PartQuerySet(models.QuerySet["Part"]):
    def named(self, text: str) -> PartQuerySet:
        """Whose name contains `text`, whatever the case."""
        return self.filter(part_name__icontains=text)

    def found_by(self, text: str) -> PartQuerySet:
        """By the beginning of the part number however spaced, or pieces of the name."""
        named = all_words(text, "part_name", bare_up_to=LONGEST_GRADE)
        return self.filter(begins_so("part_number", text) | named)

    def low(self, threshold: int | None = None) -> PartQuerySet:
        """At or below `threshold`, or each part's own reorder point; emptiest first."""
        limit = F("reorder_point") if threshold is None else threshold
        return self.filter(quantity_in_stock__lte=limit).order_by("quantity_in_stock", "id")

    def to_order(self) -> PartQuerySet:
        """At or below their reorder point, without those the shop does not keep any more: none on the
        shelf, and none to be."""
        return self.low().exclude(quantity_in_stock=0, reorder_point=0)

    def unmoved_since(self, moment: datetime) -> PartQuerySet:
        """In stock, and neither delivered, used nor counted from `moment` on."""
        # Of each part the last movement, which an index knows: to ask whether there is none since,
        # MariaDB reads all of them.
        movements: Any = self.model._meta.get_field("movements").related_model
        theirs = movements.objects.filter(part=OuterRef("pk"))
        last = Subquery(theirs.order_by("-created_at").values("created_at")[:1])
        moved = Coalesce(last, Value(LONG_AGO))
        return self.filter(quantity_in_stock__gt=0).alias(moved=moved).filter(moved__lt=moment)

    def used(self) -> PartQuerySet:
        """Those that a ticket has used at some time."""
        movements: Any = self.model._meta.get_field("movements").related_model
        used = movements.objects.filter(part=OuterRef("pk"), reason=movements.Reason.USED)
        return self.filter(Exists(used))

    def value(self) -> StockValue:
        """What all of these parts in stock are worth."""
        pieces = F("quantity_in_stock")
        found = self.order_by().aggregate(
            at_cost=Sum(pieces * F("cost"), output_field=DecimalField()),
            at_price=Sum(pieces * F("price"), output_field=DecimalField()),
            without_cost=Count("pk", filter=Q(quantity_in_stock__gt=0, cost=None)),
        )
        return StockValue(
            at_cost=to_cents(found["at_cost"] or Decimal(0)),
            at_price=to_cents(found["at_price"] or Decimal(0)),
            without_cost=found["without_cost"],
        )

    def out_of_balance(self) -> Any:
        """Parts whose ledger does not add up to their stock; none, unless somebody cheated."""
        return self.annotate(ledger=Coalesce(Sum("movements__change"), 0)).exclude(
            ledger=F("quantity_in_stock")
        )
