"""Reads of tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from tickets.models import ServiceTicket  # noqa: F401


class ServiceTicketQuerySet(models.QuerySet["ServiceTicket"]):
    def with_details(self) -> ServiceTicketQuerySet:
        """Everything a ticket's answer shows, in a fixed number of queries.

        The customer is prefetched, not joined: MariaDB starts a joined list from customers and
        sorts every ticket in a temporary table for one page.
        """
        return self.prefetch_related("customer", "assignments__mechanic__user", "part_lines__part")

    def with_team(self) -> ServiceTicketQuerySet:
        return self.prefetch_related("assignments__mechanic")
