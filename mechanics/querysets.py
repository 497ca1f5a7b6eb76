"""Reads of mechanics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from mechanics.models import Mechanic  # noqa: F401


class MechanicQuerySet(models.QuerySet["Mechanic"]):
    def existing(self) -> MechanicQuerySet:
        """Without those who left."""
        return self.filter(deleted_at=None)

    def top(self, count: int) -> MechanicQuerySet:
        """Those on the most tickets, most first; nobody without one."""
        return self.existing().filter(ticket_count__gt=0).order_by("-ticket_count", "id")[:count]
