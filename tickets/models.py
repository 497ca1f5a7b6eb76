"""The work: a ticket, its team, its parts, and every move of its status."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Sum

from autoful.fields import ExactCharField, MoneyField
from autoful.models import PreparedModel, ShopModel
from autoful.money import to_cents
from customers.models import LARGEST_MILEAGE, Customer, Vehicle, validate_vin
from inventory.models import Part
from mechanics.models import Mechanic
from tickets.querysets import ServiceTicketQuerySet

OWN_WORK = "tickets.view_own_work"  # the right of whoever sees the tickets they work on


class ServiceTicket(ShopModel):
    """One visit of a vehicle. `status` moves only through tickets/lifecycle.py."""

    class Status(models.TextChoices):
        PENDING = "pending"
        IN_PROGRESS = "in_progress"
        ON_HOLD = "on_hold"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    OPEN = (Status.PENDING, Status.IN_PROGRESS, Status.ON_HOLD)
    entered_as = "opened the ticket"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="service_tickets")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="service_tickets")
    vin = ExactCharField(
        "VIN",
        max_length=17,
        validators=[validate_vin],
        db_index=True,
        help_text="As written on the ticket.",
    )
    service_desc = models.TextField(
        "description",
        max_length=2000,
        help_text="What is to be done. The customer sees this.",
    )
    notes = models.TextField(
        max_length=4000, blank=True, help_text="Internal: the customer never sees this."
    )
    service_date = models.DateField(db_index=True)
    mileage = models.PositiveIntegerField(
        "mileage in", null=True, blank=True, validators=[MaxValueValidator(LARGEST_MILEAGE)]
    )
    status = models.CharField(
        max_length=12, choices=Status.choices, default=Status.PENDING, db_index=True
    )
    completed_at = models.DateTimeField("completed", null=True, blank=True, editable=False)

    objects = ServiceTicketQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["status", "service_date"], name="ticket_late"),
            models.Index(fields=["completed_at"], name="ticket_completed"),
        ]
        permissions: ClassVar = [("view_own_work", "Can view the tickets they work on")]

    def __str__(self) -> str:
        return f"Service ticket {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def parts_total(self) -> Decimal:
        """What the customer pays for the parts on it."""
        price = models.F("unit_price") * models.F("quantity_used")
        found = self.part_lines.aggregate(sum=Sum(price, output_field=models.DecimalField()))
        return to_cents(found["sum"] or Decimal(0))

    @property
    def reference(self) -> str:
        """What the stock ledger calls this ticket."""
        return f"ticket-{self.pk}"


class StatusChange(models.Model):
    """One move of a ticket's status, and who made it."""

    ticket = models.ForeignKey(ServiceTicket, models.CASCADE, related_name="status_changes")
    from_status = models.CharField(max_length=12, choices=ServiceTicket.Status.choices, blank=True)
    to_status = models.CharField(max_length=12, choices=ServiceTicket.Status.choices)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="who",
    )
    role = models.CharField(max_length=12)
    created_at = models.DateTimeField("when", auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"


class Assignment(PreparedModel):
    """A mechanic on a ticket's team."""

    ticket = models.ForeignKey(ServiceTicket, models.CASCADE, related_name="assignments")
    mechanic = models.ForeignKey(Mechanic, models.PROTECT, related_name="assignments")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "mechanic"], name="assignment_once")
        ]
        # A mechanic's newest tickets are its end; by the number of the assignment all are sorted.
        indexes: ClassVar = [
            models.Index(fields=["mechanic", "ticket"], name="assignment_newest_ticket")
        ]

    def __str__(self) -> str:
        return f"Mechanic {self.mechanic_id} on ticket {self.ticket_id}"


class PartLine(PreparedModel):
    """A part used on a ticket, at the price and cost of the moment it was written."""

    ticket = models.ForeignKey(ServiceTicket, models.CASCADE, related_name="part_lines")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity_used = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    unit_price = MoneyField()
    unit_cost = MoneyField(null=True)
    created_at = models.DateTimeField("when", auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = "part used", "parts used"
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "part"], name="part_line_once"),
            models.CheckConstraint(
                condition=Q(quantity_used__gte=1), name="part_line_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity_used}x part {self.part_id} on ticket {self.ticket_id}"
