"""Reads of mechanics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from customers.querysets import MOST_NESTED_TICKETS

if TYPE_CHECKING:
    from mechanics.models import Mechanic


class MechanicQuerySet(models.QuerySet["Mechanic"]):
    def existing(self) -> MechanicQuerySet:
        """Without those who left."""
        return self.filter(deleted_at=None)

    def top(self, count: int) -> MechanicQuerySet:
        """Those on the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]


def newest_tickets(mechanic: Mechanic) -> list[Any]:
    """What a mechanic's answer nests: the newest tickets they are on."""
    assignments = mechanic.assignments.select_related("ticket").order_by("-ticket_id")
    return [assignment.ticket for assignment in assignments[:MOST_NESTED_TICKETS]]
