"""Reads of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from customers.models import Customer


MOST_NESTED_TICKETS = 100


class CustomerQuerySet(models.QuerySet["Customer"]):
    def existing(self) -> CustomerQuerySet:
        """Without the closed ones, who remain for the books only."""
        return self.filter(deleted_at=None)

    def top(self, count: int) -> CustomerQuerySet:
        """Those with the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]


def newest_tickets(customer: Customer) -> Any:
    """What a customer's answer nests: the newest tickets, not ten years of a fleet's."""
    return customer.service_tickets.order_by("-id")[:MOST_NESTED_TICKETS]
