"""What a list of tickets may be asked for: through the API, by whom; and in the back office."""

from typing import Any

import django_filters
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from autoful.api.filters import IdFilter, Ordering, TextFilter
from customers.vehicles import normalize_vin
from tickets.models import ServiceTicket


class PublicTicketFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=ServiceTicket.Status.choices)
    service_date = django_filters.DateFilter()
    service_date_after = django_filters.DateFilter("service_date", lookup_expr="gte")
    service_date_before = django_filters.DateFilter("service_date", lookup_expr="lte")
    ordering = Ordering(fields=["id", "service_date", "status"])

    class Meta:
        model = ServiceTicket
        fields: tuple[str, ...] = ()


class TicketFilter(PublicTicketFilter):
    customer_id = IdFilter()
    mechanic_id = IdFilter("assignments__mechanic_id")
    VIN = TextFilter("vin", max_length=17, normalize=normalize_vin)
    ordering = Ordering(fields=["id", "service_date", "status"])


class DueFilter(admin.SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", "Open and for today"), ("late", "Open and past its day")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today = timezone.localdate()
        if self.value() == "today":
            return queryset.due(today)
        return queryset.late(today) if self.value() == "late" else queryset
