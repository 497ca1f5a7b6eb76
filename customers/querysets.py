"""Reads of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from customers.models import Customer  # noqa: F401


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def open_ticket_count(self) -> int:
        """How many of their tickets are still worked on."""
        tickets: Any = self.model._meta.get_field("service_tickets").related_model
        found = tickets.objects.filter(customer__in=self.values("pk"), status__in=tickets.OPEN)
        return int(found.count())

    def top(self, count: int) -> CustomerQuerySet:
        """Those with the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]
