"""Reads of customers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Replace

if TYPE_CHECKING:
    from customers.models import Customer, Vehicle  # noqa: F401


PHONE = re.compile(r"\+?[0-9 ()./-]+")
PHONE_MARKS = " ()./-"
FEWEST_DIGITS = 4
LAST_SIX = 6  # of a VIN: what is read out over the phone


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def vin_begins(text: str) -> Q:
    """Whether a `vin` begins so: by its index, which MySQL does not use for LIKE BINARY."""
    vin = text.upper()  # as they are stored
    return Q(vin__gte=vin, vin__lt=f"{vin}\uffff")


class VehicleQuerySet(models.QuerySet["Vehicle"]):
    def found_by(self, text: str, *, described: bool = False) -> VehicleQuerySet:
        """By the plate, or by the VIN: its beginning, or its last six. `described`: by make and model
        too."""
        found = vin_begins(text) | Q(plate__istartswith=text)
        if len(text) >= LAST_SIX:
            found |= Q(vin__endswith=text.upper())
        if described:
            found |= Q(make__icontains=text) | Q(model__icontains=text)
        return self.filter(found)


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def found_by(self, text: str) -> CustomerQuerySet:
        """By a piece of the name, the beginning of the e-mail, or a phone number however spaced."""
        found = Q(name__icontains=text) | Q(email__istartswith=text)
        digits = _digits(text)
        if len(digits) >= FEWEST_DIGITS and PHONE.fullmatch(text):
            return self._with_bare_phone().filter(found | Q(bare_phone__contains=digits))
        return self.filter(found)

    def reached_at(self, phone: str, email: str) -> CustomerQuerySet:
        """Who has this phone number, however spaced, or this e-mail."""
        found = Q(email=email) if email else Q()
        if digits := _digits(phone):
            found |= Q(bare_phone__in=[digits, f"+{digits}"])
        return self._with_bare_phone().filter(found).order_by("-id") if found else self.none()

    def _with_bare_phone(self) -> CustomerQuerySet:
        bare: Any = F("phone")
        for mark in PHONE_MARKS:
            bare = Replace(bare, Value(mark), Value(""))
        return self.annotate(bare_phone=bare)

    def open_ticket_count(self) -> int:
        """How many of their tickets are still worked on."""
        tickets: Any = self.model._meta.get_field("service_tickets").related_model
        found = tickets.objects.filter(customer__in=self.values("pk"), status__in=tickets.OPEN)
        return int(found.count())

    def top(self, count: int) -> CustomerQuerySet:
        """Those with the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]
