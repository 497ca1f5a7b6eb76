"""Reads of tickets."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from autoful.accounts.models import User
    from tickets.models import ServiceTicket  # noqa: F401


class ServiceTicketQuerySet(models.QuerySet["ServiceTicket"]):
    def worked_on_by(self, user: User) -> ServiceTicketQuerySet:
        """On whose team this account's mechanic is; an account is one mechanic's, so none twice."""
        return self.filter(assignments__mechanic__user=user)

    def late(self, today: date) -> ServiceTicketQuerySet:
        """Open although their day has passed, longest ago first."""
        late = self.filter(status__in=self.model.OPEN, service_date__lt=today)
        return late.order_by("service_date", "id")

    def due(self, day: date) -> ServiceTicketQuerySet:
        """Open, and for that day."""
        due = self.filter(status__in=self.model.OPEN, service_date=day)
        return due.order_by("service_date", "id")

    def with_team(self) -> ServiceTicketQuerySet:
        return self.prefetch_related("assignments__mechanic")
