"""The first page of the back office: what is going on in the shop today.

Each part of it is shown to whoever may see what it is about, and costs a fixed number of queries.
"""

from collections import defaultdict
from datetime import date
from typing import Any, cast

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from autoful import tally
from autoful.accounts.models import User
from inventory.models import Part
from mechanics.models import Mechanic
from tickets.models import Assignment, ServiceTicket
from tickets.months import months

LONGEST = 8  # rows of a list; the rest is a click away
MOST_AT_WORK = 100  # tickets in progress that are told by their mechanics

Status = ServiceTicket.Status


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows besides what every page does: unfold's DASHBOARD_CALLBACK."""
    may = request.user.has_perm
    today = timezone.localdate()
    context["begin"] = _begin(request)
    if may("tickets.view_serviceticket"):
        statuses = _statuses()
        context |= {"statuses": statuses, "late": _late(today), "due": _due(today)}
        if may("mechanics.view_mechanic"):
            context["team"] = _at_work()
        if not any(status["count"] for status in statuses):
            context["steps"] = _first_steps(request)
        if may("inventory.view_cost"):
            context["months"] = months(timezone.localtime())
    if may("inventory.view_part"):
        context["low"] = _low()
    if may("tickets.view_own_work") and not may("tickets.view_serviceticket"):
        context["mine"] = _mine(request)
    return context


def _list_of(model: str, **asked: Any) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return reverse(f"admin:{model}_changelist") + (f"?{query}" if query else "")


def _tickets(**asked: Any) -> str:
    return _list_of("tickets_serviceticket", **asked)


# --- Tickets --------------------------------------------------------------------------------------


def _statuses() -> list[dict[str, Any]]:
    """Every status with the number of tickets in it, and the list of those."""
    counted = ServiceTicket.objects.order_by().values_list("status").annotate(Count("pk"))
    numbers = dict(counted)
    return [
        {
            # Of what is over, all there ever were.
            "label": status.label if status in ServiceTicket.OPEN else f"{status.label} in all",
            "count": numbers.get(status, 0),
            "url": _tickets(status__exact=status.value),
        }
        for status in Status
    ]


def _late(today: date) -> dict[str, Any]:
    """Open tickets whose day has passed, longest ago first."""
    late = ServiceTicket.objects.late(today)
    # Each status by itself: of several at once, their index does not have the days in order.
    found: list[tuple[date, int]] = []
    for status in ServiceTicket.OPEN:
        found += late.filter(status=status).values_list("service_date", "pk")[:LONGEST]
    longest_ago = [pk for _, pk in sorted(found)[:LONGEST]]
    rows = late.filter(pk__in=longest_ago).select_related("customer", "vehicle")
    return {
        "count": late.count(),
        "url": _tickets(due="late"),
        "rows": [
            {"ticket": ticket, "days": (today - ticket.service_date).days, "url": _page(ticket)}
            for ticket in rows
        ],
    }


def _due(today: date) -> dict[str, Any]:
    """Open tickets for today."""
    due = ServiceTicket.objects.due(today)
    rows = due.select_related("customer", "vehicle")[:LONGEST]
    return {
        "count": due.count(),
        "url": _tickets(due="today"),
        "rows": [{"ticket": ticket, "url": _page(ticket)} for ticket in rows],
    }


def _page(ticket: ServiceTicket) -> str:
    return reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))


def _at_work() -> list[dict[str, Any]]:
    """Every mechanic who is here, with the tickets they are at; who has none stands first."""
    in_progress = ServiceTicket.objects.filter(status=Status.IN_PROGRESS).order_by("-id")
    numbers = list(in_progress.values_list("pk", flat=True)[:MOST_AT_WORK])
    at: dict[int, list[ServiceTicket]] = defaultdict(list)
    assignments = Assignment.objects.filter(ticket__in=numbers).order_by("ticket")
    for assignment in assignments.select_related("ticket__vehicle"):
        at[assignment.mechanic_id].append(assignment.ticket)
    mechanics = Mechanic.objects.existing().filter(approved=True).order_by("name")
    # Of all tickets, also of those too many to be told.
    busy = set(
        Assignment.objects.filter(ticket__status=Status.IN_PROGRESS)
        .order_by()
        .values_list("mechanic", flat=True)
        .distinct()
    )
    rows = [
        {
            "name": mechanic.name,
            "is_busy": mechanic.pk in busy,
            "tickets": [{"ticket": ticket, "url": _page(ticket)} for ticket in at[mechanic.pk]],
        }
        for mechanic in mechanics
    ]
    return sorted(rows, key=lambda row: bool(row["is_busy"]))


def _mine(request: HttpRequest) -> list[dict[str, Any]]:
    """The open tickets of the mechanic who asks."""
    mine = ServiceTicket.objects.worked_on_by(cast(User, request.user))
    mine = mine.filter(status__in=ServiceTicket.OPEN)
    rows = mine.select_related("vehicle").order_by("service_date", "id")[:MOST_AT_WORK]
    return [{"ticket": ticket, "url": _page(ticket)} for ticket in rows]


# --- Parts ----------------------------------------------------------------------------------------


def _low() -> dict[str, Any]:
    """Parts at or below their reorder point, emptiest first, with what brings them above it."""
    low = Part.objects.to_order()
    count = low.count()
    return {
        "count": count,
        "any": count or tally.total("inventory"),
        "url": _list_of("inventory_part", stock="low"),
        "rows": [
            {
                "part": part,
                "needed": part.needed,
                "url": reverse("admin:inventory_part_change", args=(part.pk,)),
            }
            for part in low[:LONGEST]
        ],
    }


# --- What begins here -----------------------------------------------------------------------------------


def _begin(request: HttpRequest) -> list[dict[str, str]]:
    """What the counter does most, for whoever may."""
    page = cast(Any, admin.site._registry[ServiceTicket])
    ways = []
    if page.has_walk_in_permission(request):
        url = reverse("admin:tickets_serviceticket_walk_in")
        ways.append({"title": "Walk-in", "variant": "primary", "url": url})
    if page.has_add_permission(request):
        url = reverse("admin:tickets_serviceticket_add")
        ways.append({"title": "New ticket", "variant": "default", "url": url})
    return ways


def _first_steps(request: HttpRequest) -> list[dict[str, Any]]:
    """What leads a shop without tickets to its first one; only what this person may do."""
    steps = [
        ("mechanics", "mechanics_mechanic", "Enter your mechanics", "Who works on the cars."),
        ("inventory", "inventory_part", "Enter your parts", "With what is on the shelf now."),
        (
            "service_tickets",
            "tickets_serviceticket",
            "Open your first ticket",
            "A customer, a vehicle, and what is to be done.",
        ),
    ]
    return [
        {
            "title": title,
            "text": text,
            "done": tally.total(name) > 0,
            "url": reverse(f"admin:{model}_add"),
        }
        for name, model, title, text in steps
        if request.user.has_perm(model.replace("_", ".add_"))
    ]
