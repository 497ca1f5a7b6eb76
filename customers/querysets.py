"""Reads of customers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Right

from autoful.accounts.models import normalize_email
from autoful.fields import FoldedIExact
from autoful.spelling import all_words, bare, bare_column, begins_so

if TYPE_CHECKING:
    from customers.models import Customer, Vehicle  # noqa: F401


PHONE = re.compile(r"\+?[0-9 ()./-]+")
YEAR = re.compile("(19|20)[0-9]{2}")
FEWEST_DIGITS = 4
END_OF_PHONE = 9  # digits that nobody leaves off
NICKNAMES = {"chevy": "chevrolet", "vw": "volkswagen"}  # of makes, as they are said at the counter
SHORT = 6  # letters of a model that is written with marks: F-150, CR-V, X-Trail
LAST_SIX = 6  # of a VIN: what is read out over the phone


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


Way = tuple[str, str]  # "email" or "phone", and which, in one spelling


def ways_to_reach(*, phone: str, email: str) -> list[Way]:
    """What tells that two customers may be one: a number and an address, however they are written, with
    the country before it or without."""
    digits = _digits(phone)[-END_OF_PHONE:]
    ways = [("email", normalize_email(email))] if email else []
    return [*ways, ("phone", digits)] if digits else ways


def vin_begins(text: str) -> Q:
    """Whether a `vin` begins so: by its index, which MySQL does not use for LIKE BINARY."""
    vin = text.upper()  # as they are stored
    return Q(vin__gte=vin, vin__lt=f"{vin}\uffff")


class VehicleQuerySet(models.QuerySet["Vehicle"]):
    def found_by(self, text: str) -> VehicleQuerySet:
        """By the plate however spaced; by the VIN, its beginning or its last six; or by words of make,
        model and year."""
        found = vin_begins(text) | begins_so("plate", text)
        if len(text) >= LAST_SIX:
            found |= Q(vin__endswith=text.upper())
        if YEAR.fullmatch(text) or any(letter.isalpha() for letter in text):
            found |= self._described_so(text)
        return self.filter(found)

    def _described_so(self, text: str) -> Q:
        found = Q()
        for word in text.split():
            if YEAR.fullmatch(word):
                found &= Q(year=word)
                continue
            called = Q()
            for name in {word, NICKNAMES.get(word.lower(), word)}:
                called |= all_words(name, "make") | all_words(name, "model", bare_up_to=SHORT)
            found &= called
        return found

    def with_plate(self, plate: str) -> VehicleQuerySet:
        """Those with this plate, however it is spaced."""
        same = Q(FoldedIExact(bare_column("plate"), bare(plate)))
        return self.filter(begins_so("plate", plate) & same).order_by("-id")


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def found_by(self, text: str) -> CustomerQuerySet:
        """By pieces of the name, the beginning of the e-mail, or a phone number however spaced."""
        found = all_words(text, "name") | Q(email__istartswith=text)
        digits = _digits(text)
        if len(digits) >= FEWEST_DIGITS and PHONE.fullmatch(text):
            return self._with_bare_phone().filter(found | Q(bare_phone__contains=digits))
        return self.filter(found)

    def reached_at(self, phone: str, email: str) -> CustomerQuerySet:
        """Who has this phone number, however written, or this e-mail."""
        return self._reached(ways_to_reach(phone=phone, email=email)).order_by("-id")

    def who_is_reached(self, ways: Collection[Way]) -> dict[Way, int]:
        """The number of the first customer whom each of these reaches."""
        found: dict[Way, int] = {}
        if ways:
            reached = self._reached(ways).order_by("id").values_list("pk", "phone", "email")
            for pk, phone, email in reached:
                for way in ways_to_reach(phone=phone, email=email):
                    found.setdefault(way, pk)
        return found

    def _reached(self, ways: Iterable[Way]) -> CustomerQuerySet:
        kinds = list(ways)
        emails = [value for kind, value in kinds if kind == "email"]
        digits = [value for kind, value in kinds if kind == "phone"]
        # Of a short one, the plus is in its end.
        phones = [*digits, *(f"+{number}" for number in digits)]
        ends = self._with_bare_phone().annotate(end=Right("bare_phone", END_OF_PHONE))
        return ends.filter(Q(email__in=emails) | Q(end__in=phones))

    def _with_bare_phone(self) -> CustomerQuerySet:
        return self.annotate(bare_phone=bare_column("phone"))

    def open_ticket_count(self) -> int:
        """How many of their tickets are still worked on."""
        tickets: Any = self.model._meta.get_field("service_tickets").related_model
        found = tickets.objects.filter(customer__in=self.values("pk"), status__in=tickets.OPEN)
        return int(found.count())

    def top(self, count: int) -> CustomerQuerySet:
        """Those with the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]
