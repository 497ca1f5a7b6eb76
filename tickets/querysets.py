"""Reads of tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from tickets.models import ServiceTicket  # noqa: F401


class ServiceTicketQuerySet(models.QuerySet["ServiceTicket"]):
    def with_team(self) -> ServiceTicketQuerySet:
        return self.prefetch_related("assignments__mechanic")
