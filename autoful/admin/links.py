"""What is only read leads to other pages, and to none that its reader may not open."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from unfold.decorators import display


@cache
def as_text(model: Any, name: str) -> Callable[[Any], str]:
    """A column's value in words. Always the same one: Django compares what is shown and what is read."""

    @display(description=model._meta.get_field(name).verbose_name)
    def text(row: Any) -> str:
        value = getattr(row, name)
        return "-" if value is None else str(value)

    return text


class NoDeadLinks:
    """A page or a table that is only read. Django makes a link of each row that another one points at,
    whoever reads it."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        sets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        return [
            (title, options | {"fields": [self._opened(request, f) for f in options["fields"]]})
            for title, options in sets
        ]

    def _opened(self, request: HttpRequest, field: Any) -> Any:
        page: Any = self
        names = {column.name: column for column in page.opts.concrete_fields}
        column = names.get(field) if isinstance(field, str) else None
        led_to = page.admin_site._registry.get(column.related_model) if column else None
        if led_to is None or led_to.has_view_permission(request):
            return field
        return as_text(page.model, field)
