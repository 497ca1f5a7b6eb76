"""Filters of the back office's lists."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest


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
