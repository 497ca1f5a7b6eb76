"""Who does the work."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from autoful.fields import MoneyField, NameField, validate_phone
from autoful.models import ShopModel
from mechanics.querysets import MechanicQuerySet


def first_name(name: str) -> str:
    """What the public is told of a mechanic's name."""
    return (name.split() or [""])[0]


class Mechanic(ShopModel):
    """A mechanic of the shop. One who left keeps the name, for the tickets they worked on.

    `version` is the row that bookings lock.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="mechanic",
        verbose_name="account",
    )
    name = NameField(max_length=120)
    phone = models.CharField(max_length=32, blank=True, validators=[validate_phone])
    salary = MoneyField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="A year, before tax.",
    )
    approved = models.BooleanField(
        default=False, help_text="May sign in as a mechanic and see the shop's data."
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    # Kept by the verbs of tickets, in the transaction that assigns or releases.
    ticket_count = models.IntegerField(default=0, db_default=0, editable=False)

    objects = MechanicQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        permissions: ClassVar = [("view_salary", "Can view salaries")]
        indexes: ClassVar = [
            models.Index(fields=["-ticket_count", "id", "deleted_at"], name="mechanic_top")
        ]

    def __str__(self) -> str:
        return self.name

    sign_in_fields: ClassVar[tuple[str, ...]] = ("approved", "deleted_at")

    def may_sign_in(self) -> bool:
        return self.approved and self.deleted_at is None

    @property
    def is_available(self) -> bool:
        """Whether they can be put on a ticket: here, approved, and not deactivated."""
        return self.may_sign_in() and (self.user is None or self.user.is_active)

    @property
    def email(self) -> str | None:
        return self.user.email if self.user else None
