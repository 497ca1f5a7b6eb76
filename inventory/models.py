"""Parts, and the ledger of every one that came or went."""

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from autoful.fields import ExactCharField, MoneyField, NameField
from autoful.models import ShopModel
from autoful.money import CENT
from inventory.querysets import PartQuerySet

LARGEST_QUANTITY = 1_000_000


class Part(ShopModel):
    """A part the shop keeps. `quantity_in_stock` moves only through inventory/stock.py."""

    part_name = NameField("name", max_length=255, db_index=True)
    part_number = ExactCharField(max_length=64, null=True, blank=True, unique=True)
    category = models.CharField(max_length=60, blank=True, db_index=True)
    price = MoneyField(validators=[MinValueValidator(CENT)], help_text="What the customer pays.")
    cost = MoneyField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="What the shop pays.",
    )
    quantity_in_stock = models.PositiveIntegerField("in stock", default=0)
    reorder_point = models.PositiveIntegerField(
        default=5, validators=[MaxValueValidator(LARGEST_QUANTITY)]
    )
    location = models.CharField(max_length=40, blank=True, help_text="Shelf or bin.")

    objects = PartQuerySet.as_manager()
    told_as: ClassVar = {"quantity_in_stock": "stock"}

    class Meta:
        ordering = ("part_name", "id")
        permissions: ClassVar = [("view_cost", "Can view what the shop pays for parts")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quantity_in_stock__gte=0), name="part_stock_not_negative"
            ),
            models.CheckConstraint(condition=Q(price__gte=CENT), name="part_price_positive"),
        ]
        indexes: ClassVar = [models.Index(fields=["quantity_in_stock", "id"], name="part_stock")]

    def __str__(self) -> str:
        return self.part_name

    @property
    def needed(self) -> int:
        """How many bring it above its reorder point; none, if it is above."""
        return max(self.reorder_point + 1 - self.quantity_in_stock, 0)

    @property
    def cost_of_needed(self) -> Decimal | None:
        """What the shop pays for those; None where nobody entered a cost."""
        return None if self.cost is None else self.cost * self.needed


class StockMovement(models.Model):
    """One line of a part's ledger; written once, never changed.

    For every part the changes add up to `quantity_in_stock`: `manage.py check_stock` proves it.
    """

    class Reason(models.TextChoices):
        OPENING = "opening"
        RECEIVED = "received"
        USED = "used"
        RETURNED = "returned"
        ADJUSTED = "adjusted"

    part = models.ForeignKey(Part, models.CASCADE, related_name="movements")
    change = models.IntegerField()
    balance = models.PositiveIntegerField("balance after")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    reference = models.CharField(
        max_length=40,
        blank=True,
        db_index=True,
        help_text="What it was for: ticket-42.",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="who",
    )
    role = models.CharField(max_length=12)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("when", auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["part", "created_at"], name="movement_of_part")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.change:+d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The ledger is written once: correct it with another movement.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The ledger is written once: correct it with another movement.")
