"""Filters and ordering of lists, by what the caller may see.

A filter on a field is an oracle for it: whoever may not see an e-mail may not ask for the
customers who have it.
"""

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.drainage import set_override
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from autoful.api.fields import LARGEST_ID


class _Text(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and self.max_length and len(value) > self.max_length:
            # Before it is trimmed: the schema's maxLength is about what is sent.
            raise forms.ValidationError(f"{self.max_length} characters at most.")
        return super().to_python(value)


class TextFilter(django_filters.CharFilter):
    """A text no longer than its column."""

    field_class = _Text

    def __init__(
        self, *args: Any, max_length: int, normalize: Callable[[str], str] = str, **kwargs: Any
    ) -> None:
        super().__init__(*args, max_length=max_length, **kwargs)
        self.normalize = normalize
        text = {"type": "string", "maxLength": max_length, "pattern": r"^[^\u0000]*$"}
        set_override(self, "field", text)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return super().filter(qs, self.normalize(value) if value else value)


class IdFilter(django_filters.NumberFilter):
    """A number that a row could have."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, **kwargs)
        set_override(self, "field", {"type": "integer", "minimum": 1, "maximum": LARGEST_ID})


class Ordering(django_filters.OrderingFilter):
    """`?ordering=name,-id`; ties are always settled by id, so that pages never overlap."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        named = [order for order in value or () if order]
        if not named:  # `?ordering=,` names none either
            return qs
        ordered = super().filter(qs, named)
        # In the same direction: otherwise no index serves both and every row is sorted.
        tie = "-id" if str(ordered.query.order_by[-1]).startswith("-") else "id"
        return ordered.order_by(*ordered.query.order_by, tie)


def _orders(filterset: Any) -> set[str]:
    return {order for order, _ in filterset.base_filters["ordering"].extra["choices"]}


class ShopFilterBackend(DjangoFilterBackend):
    """The view's `public_filterset_class` for callers who do not work here."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        if getattr(view, "swagger_fake_view", False):
            return view.filterset_class  # the documentation names them all
        return view.filterset_for_caller() if hasattr(view, "filterset_for_caller") else None

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        allowed = self.get_filterset_class(view)
        if allowed is not None:
            every = set(view.filterset_class.base_filters)
            for name in sorted(every - set(allowed.base_filters)):
                if name in request.query_params:
                    raise PermissionDenied(f"Only the shop's own people may filter by {name}.")
            for name in sorted(_orders(view.filterset_class) - _orders(allowed)):
                if name in request.query_params.get("ordering", "").split(","):
                    raise PermissionDenied(f"Only the shop's own people may order by {name}.")
            if not set(allowed.base_filters) & set(request.query_params):
                return queryset  # a form to check that nothing is asked takes longer than the list
        return super().filter_queryset(request, queryset, view)
