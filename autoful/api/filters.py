"""Filters and ordering of lists, by what the caller may see.

A filter on a field is an oracle for it: whoever may not see an e-mail may not ask for the
customers who have it.
"""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


class Ordering(django_filters.OrderingFilter):
    """`?ordering=name,-id`; ties are always settled by id, so that pages never overlap."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        ordered = super().filter(qs, value)
        return ordered.order_by(*ordered.query.order_by, "id") if value else ordered


class ShopFilterBackend(DjangoFilterBackend):
    """The view's `public_filterset_class` for callers who do not work here."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        return view.filterset_for_caller() if hasattr(view, "filterset_for_caller") else None

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        allowed = self.get_filterset_class(view)
        if allowed is not None:
            every = set(view.filterset_class.base_filters)
            for name in sorted(every - set(allowed.base_filters)):
                if name in request.query_params:
                    raise PermissionDenied(f"Only the shop's own people may filter by {name}.")
        return super().filter_queryset(request, queryset, view)
