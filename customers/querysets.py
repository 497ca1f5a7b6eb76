"""Reads of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from customers.models import Customer


MOST_NESTED_TICKETS = 100


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def with_ticket_count(self) -> Any:
        # A subquery, because Django keeps a joined count in COUNT(*) and joins every ticket there.
        tickets: Any = self.model._meta.get_field("service_tickets").related_model
        counted = tickets.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
        count = Subquery(counted.annotate(n=Count("pk")).values("n"), IntegerField())
        return self.annotate(ticket_count=Coalesce(count, 0))

    def open_ticket_count(self) -> int:
        """How many of their tickets are still worked on."""
        tickets: Any = self.model._meta.get_field("service_tickets").related_model
        found = tickets.objects.filter(customer__in=self.values("pk"), status__in=tickets.OPEN)
        return int(found.count())

    def top(self, count: int) -> Any:
        """Those with the most tickets, most first; nobody without one."""
        return (
            self.existing()
            .annotate(ticket_count=Count("service_tickets"))
            .filter(ticket_count__gt=0)
            .order_by("-ticket_count", "id")[:count]
        )


def newest_tickets(customer: Customer) -> Any:
    """What a customer's answer nests: the newest tickets, not ten years of a fleet's."""
    return customer.service_tickets.order_by("-id")[:MOST_NESTED_TICKETS]
