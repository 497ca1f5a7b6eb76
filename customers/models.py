"""Who brings the cars, and the cars."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from autoful.fields import ExactCharField, NameField, validate_phone
from autoful.models import ShopModel
from customers.querysets import CustomerQuerySet, VehicleQuerySet

VIN = r"^[A-HJ-NPR-Za-hj-npr-z0-9]{11,17}$"

LARGEST_MILEAGE = 9_999_999

validate_vin = RegexValidator(
    VIN, "A VIN has 11 to 17 characters: digits and letters without I, O and Q."
)


def initialled(name: str) -> str:
    """ "Sarah Johnson" as the public sees her: "Sarah J."."""
    first, *others = name.split() or [""]
    return f"{first} {others[-1][0]}." if others else name


class Customer(ShopModel):
    """A customer of the shop. Walk-ins have no account; a closed one keeps only its number."""

    DELETED_NAME = "Deleted customer"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customer",
        verbose_name="account",
        help_text="Empty for a walk-in who does not sign in.",
    )
    name = NameField(max_length=120, db_index=True)
    email = ExactCharField("e-mail", max_length=254, blank=True, db_index=True)
    phone = models.CharField(max_length=32, blank=True, validators=[validate_phone])
    deleted_at = models.DateTimeField(null=True, editable=False)
    # Kept by the verbs of tickets, in the transaction that opens or deletes one.
    ticket_count = models.IntegerField(default=0, db_default=0, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        indexes: ClassVar = [
            # Two: ties are settled by -id in a list, and by id among the top. `deleted_at` last, or
            # MySQL takes them for every list of those who exist, and sorts it.
            models.Index(fields=["ticket_count", "id", "deleted_at"], name="customer_tickets"),
            models.Index(fields=["-ticket_count", "id", "deleted_at"], name="customer_top"),
        ]

    def __str__(self) -> str:
        return self.name

    sign_in_fields: ClassVar[tuple[str, ...]] = ("deleted_at",)

    def may_sign_in(self) -> bool:
        return self.deleted_at is None


class Vehicle(ShopModel):
    """A vehicle by its VIN. It may change hands; its history of tickets stays with it."""

    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="vehicles",
        verbose_name="owner",
    )
    vin = ExactCharField("VIN", max_length=17, unique=True, validators=[validate_vin])
    make = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=60, blank=True)
    year = models.PositiveSmallIntegerField("model year", null=True, blank=True)
    plate = models.CharField(max_length=16, blank=True)
    colour = models.CharField(max_length=30, blank=True)
    mileage = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(LARGEST_MILEAGE)]
    )

    objects = VehicleQuerySet.as_manager()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.described} ({self.vin})"

    @property
    def described(self) -> str:
        """2019 Toyota Tacoma, as far as it is known."""
        known = " ".join(str(part) for part in (self.year, self.make, self.model) if part)
        return known or "Vehicle"
