"""What has happened to a ticket, and who did it, in the shop's words.

Put together from the moves of its status, the stock ledger and the audit trail, each of which is
written once.
"""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from auditlog.models import LogEntry

from autoful import deferred
from autoful.admin.history import Event, History, MaySee
from autoful.admin.people import WITH_NAMES, who_of
from inventory.models import Part, StockMovement
from tickets.models import ServiceTicket

# What the moves of the status say already.
MOVED = {"status", "completed_at"}


class Timeline(History):
    """The history of a ticket, with the moves of its status and its parts."""

    def __init__(self, ticket: ServiceTicket, hidden: set[str], may_see: MaySee) -> None:
        super().__init__(ticket, hidden, may_see)
        self.moves = ticket.status_changes.exclude(from_status="").order_by("-id")
        self.stock = StockMovement.objects.filter(reference=ticket.reference).order_by("-id")

    def read(self, start: int, stop: int) -> list[Event]:
        # Of the entries that say nothing else, each has its move beside it, so no event is missing
        # before `stop`.
        entries = self.told(_besides_moves(deferred.piece(self.entries, 0, stop)))
        newest = (_moves(self.moves[:stop]), self._stock(self.stock[:stop]), entries)
        merged = heapq.merge(*newest, key=lambda event: event.when, reverse=True)
        return list(islice(merged, start, stop))

    def _stock(self, movements: Any) -> Iterator[Event]:
        sees_parts = self.may_see(Part)
        for movement in movements.select_related("part", *WITH_NAMES):
            done = "added" if movement.change < 0 else "took off"
            what = f"{done} {abs(movement.change)} × "  # noqa: RUF001
            if sees_parts:
                what += f"{movement.part}, stock {movement.balance}"
            else:
                what += f"part {movement.part_id}"
            yield Event(movement.created_at, who_of(movement.actor, movement.role), what)


def _moves(moves: Any) -> Iterator[Event]:
    for move in moves.select_related(*WITH_NAMES):
        reason = f": {move.reason}" if move.reason else ""
        what = f"moved the ticket to {move.get_to_status_display().lower()}{reason}"
        yield Event(move.created_at, who_of(move.actor, move.role), what)


def _besides_moves(entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
    for entry in entries:
        if entry.changes:
            entry.changes = {k: v for k, v in entry.changes.items() if k not in MOVED}
        if entry.changes or entry.action != LogEntry.Action.UPDATE:
            yield entry
