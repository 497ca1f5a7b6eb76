"""Filters of the back office's lists."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import RangeDateFilter


class StandingFilter(admin.SimpleListFilter):
    """Leaves out who has left, unless asked: a closed account is a number in the books."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        current, *others = super().choices(changelist)
        yield {**current, "display": "Current"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "closed")


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, by the shop's calendar."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        column = self.parameter_name
        if first := self._day("from"):
            queryset = queryset.filter(**{f"{column}__gte": beginning_of(first)})
        if last := self._day("to"):
            after = beginning_of(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{column}__lt": after})
        return queryset

    def _day(self, end: str) -> date | None:
        text = str(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
        if not text:
            return None
        day = parse_date(text)  # ValueError for a February 31
        if day is None or not 1900 <= day.year <= 2999:
            raise IncorrectLookupParameters(text)
        return day


def beginning_of(day: date) -> datetime:
    """Its midnight, where the shop is."""
    return timezone.make_aware(datetime.combine(day, time()))
