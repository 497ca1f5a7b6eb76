"""Reads of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count

if TYPE_CHECKING:
    from customers.models import Customer  # noqa: F401


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def with_ticket_count(self) -> Any:
        return self.annotate(ticket_count=Count("service_tickets"))

    def top(self, count: int) -> Any:
        """Those with the most tickets, most first; nobody without one."""
        return (
            self.existing()
            .with_ticket_count()
            .filter(ticket_count__gt=0)
            .order_by("-ticket_count", "id")[:count]
        )
