"""Reads of mechanics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from mechanics.models import Mechanic  # noqa: F401


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
