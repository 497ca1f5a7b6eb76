"""This month against last: what was completed, and what its parts brought."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, DecimalField, F, Q, Sum

from autoful.admin.filters import beginning_of
from autoful.money import to_cents
from tickets.models import PartLine, ServiceTicket

# Unfold's colours, which read on its light pages and on its dark ones.
BARS = ["var(--color-base-400)", "var(--color-primary-600)"]

Status = ServiceTicket.Status


@dataclass(frozen=True)
class Period:
    """Tickets completed in it, what their parts brought, and what of that is left after their cost.

    A part whose cost nobody entered has no margin, and is counted in `unknown`.
    """

    tickets: int
    sold: Decimal
    margin: Decimal
    unknown: int


def months(now: datetime) -> dict[str, Any]:
    """This month until now, and last month: until the same moment of it, and whole."""
    this = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    # By the calendar of the shop, whatever a change of the clock does to the hours.
    last = beginning_of((this - timedelta(days=1)).date().replace(day=1))
    same = min(last + (now - this), this)
    periods = _completed({"this": (this, now), "same": (last, same), "last": (last, this)})
    names = last.strftime("%B"), this.strftime("%B")
    bars = f"All of {names[0]}", f"{names[1]} so far"
    return {
        "before": names[0],
        "name": names[1],
        "currency": settings.AUTOFUL_CURRENCY,
        "unknown": periods["this"].unknown,
        "figures": [
            _figure("Tickets completed", periods, "tickets", bars),
            _figure("Parts sold", periods, "sold", bars, is_money=True),
            _figure("Margin on parts", periods, "margin", bars, is_money=True),
        ],
    }


def _completed(spans: dict[str, tuple[datetime, datetime]]) -> dict[str, Period]:
    """One query for the tickets and one for their parts; a span is without its end."""
    earliest = min(start for start, _ in spans.values())
    tickets = ServiceTicket.objects.filter(status=Status.COMPLETED, completed_at__gte=earliest)
    counted = tickets.aggregate(
        **{
            name: Count("pk", filter=Q(completed_at__gte=start, completed_at__lt=end))
            for name, (start, end) in spans.items()
        }
    )
    sums: dict[str, Any] = {}
    for name, (start, end) in spans.items():
        within = Q(ticket__completed_at__gte=start, ticket__completed_at__lt=end)
        known = within & Q(unit_cost__isnull=False)
        sums[f"{name}_sold"] = _sum(F("unit_price"), within)
        sums[f"{name}_margin"] = _sum(F("unit_price") - F("unit_cost"), known)
        sums[f"{name}_unknown"] = Count("pk", filter=within & Q(unit_cost__isnull=True))
    lines = PartLine.objects.filter(
        ticket__status=Status.COMPLETED, ticket__completed_at__gte=earliest
    )
    money = lines.aggregate(**sums)
    return {
        name: Period(
            tickets=counted[name],
            sold=to_cents(money[f"{name}_sold"] or Decimal(0)),
            margin=to_cents(money[f"{name}_margin"] or Decimal(0)),
            unknown=money[f"{name}_unknown"],
        )
        for name in spans
    }


def _sum(each: Any, within: Q) -> Sum:
    return Sum(each * F("quantity_used"), filter=within, output_field=DecimalField())


def _figure(
    label: str,
    periods: dict[str, Period],
    name: str,
    labels: tuple[str, str],
    *,
    is_money: bool = False,
) -> dict[str, Any]:
    """One number of each period, and the bars of last month and this one."""
    this, same, last = (getattr(periods[period], name) for period in ("this", "same", "last"))
    bars = {"data": [float(last), float(this)], "backgroundColor": BARS, "maxBarThickness": 48}
    return {
        "label": label,
        "this": this,
        "last": last,
        "is_money": is_money,
        "change": this - same,
        "fewer": same - this,
        "chart": json.dumps({"labels": labels, "datasets": [bars]}),
    }
