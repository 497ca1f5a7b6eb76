"""What has happened to a ticket, and who did it: one list, newest first, in the shop's words.

Put together from the moves of its status, the stock ledger and the audit trail, each of which is
written once.
"""

from collections.abc import Iterator

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from autoful.admin.history import WITH_NAMES, Event, facts_of, who_of
from inventory.models import StockMovement
from mechanics.models import Mechanic
from tickets.assignment import JOINED, LEFT
from tickets.models import ServiceTicket

MOST = 200  # of each kind
# What the moves of the status, and the ticket's number of cars and customers, say already.
TOLD = {"status", "completed_at", "vehicle"}
NAMES = {
    "vin": "VIN",
    "service_desc": "description",
    "service_date": "date",
    "mileage": "mileage in",
}


def timeline(ticket: ServiceTicket) -> list[Event]:
    """What happened to the ticket, newest first. Seven queries at most, whatever there is."""
    events = [*_moves(ticket), *_stock(ticket), *_entries(ticket)]
    return sorted(events, key=lambda event: event.when, reverse=True)


def _moves(ticket: ServiceTicket) -> Iterator[Event]:
    moves = ticket.status_changes.select_related(*WITH_NAMES).order_by("-id")[:MOST]
    for move in moves:
        to = move.get_to_status_display().lower()
        what = f"moved the ticket to {to}" if move.from_status else "opened the ticket"
        reason = f": {move.reason}" if move.reason else ""
        yield Event(move.created_at, who_of(move.actor, move.role), what + reason)


def _stock(ticket: ServiceTicket) -> Iterator[Event]:
    moved = StockMovement.objects.filter(reference=ticket.reference).order_by("-id")[:MOST]
    for movement in moved.select_related("part", *WITH_NAMES):
        done = "added" if movement.change < 0 else "took off"
        what = f"{done} {abs(movement.change)} × {movement.part}, stock {movement.balance}"  # noqa: RUF001
        yield Event(movement.created_at, who_of(movement.actor, movement.role), what)


def _entries(ticket: ServiceTicket) -> Iterator[Event]:
    kind = ContentType.objects.get_for_model(ServiceTicket)
    entries = LogEntry.objects.filter(content_type=kind, object_id=ticket.pk)
    entries = entries.exclude(action=LogEntry.Action.CREATE).select_related(*WITH_NAMES)
    found = list(entries.order_by("-id")[:MOST])
    team = Mechanic.objects.in_bulk(
        {facts["mechanic"] for e in found if "mechanic" in (facts := facts_of(e))}
    )
    for entry in found:
        if what := _said(entry, team):
            yield Event(
                entry.timestamp, who_of(entry.actor, str(facts_of(entry).get("role", ""))), what
            )


def _said(entry: LogEntry, team: dict[int, Mechanic]) -> str:
    """What an entry says that the others do not; empty for nothing."""
    event, number = facts_of(entry).get("event"), facts_of(entry).get("mechanic")
    if event in (JOINED, LEFT):
        name = team[number].name if number in team else f"mechanic {number}"
        return f"put {name} on the team" if event == JOINED else f"took {name} off the team"
    changed = [NAMES.get(name, name) for name in entry.changes or {} if name not in TOLD]
    return f"changed {', '.join(changed)}" if changed else ""
