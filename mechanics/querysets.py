"""Reads of mechanics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from customers.querysets import MOST_NESTED_TICKETS

if TYPE_CHECKING:
    from mechanics.models import Mechanic


class MechanicQuerySet(models.QuerySet["Mechanic"]):
    def existing(self) -> MechanicQuerySet:
        """Without those who left."""
        return self.filter(deleted_at=None)

    def with_ticket_count(self) -> Any:
        # A subquery, because Django keeps a joined count in COUNT(*) and joins every row there.
        assignments: Any = self.model._meta.get_field("assignments").related_model
        counted = assignments.objects.filter(mechanic=OuterRef("pk")).order_by().values("mechanic")
        count = Subquery(counted.annotate(n=Count("pk")).values("n"), IntegerField())
        return self.annotate(ticket_count=Coalesce(count, 0))

    def top(self, count: int) -> Any:
        """Those on the most tickets, most first; nobody without one."""
        return (
            self.existing()
            .annotate(ticket_count=Count("assignments"))
            .filter(ticket_count__gt=0)
            .order_by("-ticket_count", "id")[:count]
        )


def newest_tickets(mechanic: Mechanic) -> list[Any]:
    """What a mechanic's answer nests: the newest tickets they are on."""
    assignments = mechanic.assignments.select_related("ticket").order_by("-ticket_id")
    return [assignment.ticket for assignment in assignments[:MOST_NESTED_TICKETS]]
