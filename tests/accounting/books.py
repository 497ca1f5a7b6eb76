"""Keeping the books: each operation is done, and compared with what it should have left behind."""

import datetime
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from auditlog.models import LogEntry
from django.db import connection
from django.utils import timezone

from autoful import recount
from autoful.accounts.account import closed_email
from autoful.logs import JSONFormatter
from inventory.models import StockMovement
from tests.accounting import doors
from tests.accounting.model import By, Refused, erased, timeless
from tests.accounting.trail import MODELS, changes_in, differences, present, replay
from tests.accounting.work import Work
from tests.soundness import faults
from tickets.models import StatusChange

EVENT = LogEntry.Action.ACCESS
# What closing an account leaves of what it erases: the one exception to "an entry stays".
AFTER_CLOSING: dict[str, dict[str, Any]] = {
    "customer": {"user": None, "name": "Deleted customer", "email": "", "phone": ""},
    "vehicle": {"customer": None, "plate": ""},
    "mechanic": {"user": None, "phone": "", "salary": None},
    "user": {"email": closed_email},
}


class LogLines(logging.Handler):
    """Every line of the log, as production writes it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JSONFormatter())
        self.lines: list[str] = []

    def listen(self) -> None:
        root = logging.getLogger()
        self.before = root.level
        root.addHandler(self)
        root.setLevel(logging.INFO)

    def close(self) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self.before)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Books:
    """One shop, its model, and every entry as it was first read."""

    def __init__(self) -> None:
        doors.empty_the_shop()
        self.model = Work()
        self.doors = doors.Doors()
        self.log = LogLines()
        self.log.listen()
        self.torn = False  # an operation did not end as it should
        self.entries: dict[int, dict[str, Any]] = {}
        self.last: Counter[Any] = Counter()
        self.done = Counter[str]()  # how operations ended, and which of them were done
        self.about = "opening the shop"

    def operation(
        self,
        luck: random.Random,
        by: By,
        act: Callable[[], bool],
        should: Callable[[], Any],
        *,
        goes_wrong: str = "",
    ) -> bool:
        """Do `act`, then compare with what the model says `should` have come of it.

        `goes_wrong`: a "lost race" is tried again, unseen; what "breaks" leaves nothing.
        """
        started, self.torn = timezone.now(), True
        self.doors.knock(luck, by)
        hindered = doors.trouble(goes_wrong, luck.randint(1, 2)) if goes_wrong else nullcontext()
        broke = done = False
        with hindered:
            try:
                done = act()
            except doors.Trouble:
                broke = True
        allowed = True
        self.model.done = done
        try:
            with self.model.operation(by):
                if broke:
                    raise Refused
                should()
        except Refused:
            allowed = False
        assert done == allowed, f"done: {done}, the model: {allowed}; {self.doors.said}"
        self._compare(by, started)
        self.done["done" if done else "broke" if broke else "refused"] += 1
        self.done[self.about] += done
        self.torn = False
        return done

    def close(self) -> None:
        self.log.close()

    def _compare(self, by: By, started: datetime.datetime) -> None:
        expected = self.model.expected
        written = list(_since(LogEntry, self.last).select_related("content_type").order_by("pk"))
        said = [change for entry in written for change in changes_in(entry)]
        same_things(said, expected.changes)
        events = []
        for entry in written:
            facts = dict(entry.additional_data)
            who = By(facts.pop("role"), entry.actor_id, facts.pop("profile_id", None))
            # The id that was brought, and after it the server's own.
            came_from = (entry.cid and entry.cid.rpartition(".")[0], entry.remote_addr)
            assert came_from == self.doors.came_from, f"{entry}: {came_from}"
            assert started <= entry.timestamp <= timezone.now(), f"{entry}: {entry.timestamp}"
            if entry.action == EVENT:
                events.append((entry.object_id, facts, who))
                continue
            assert entry.changes, f"{entry} says nothing"
            assert who == by, f"{entry} is {who}'s, and was done by {by}"
        same_things(events, expected.events)
        assert not (found := [str(kept) for kept in recount.differences()]), found
        same_things(_ledger(self.last), expected.movements)
        same_things(_timeline(self.last), expected.moves)
        for kind, pk, names in expected.erased:
            self._erase(kind, pk, names)
        self.entries |= {entry.pk: _copy(entry) for entry in written}

    def _erase(self, kind: str, pk: int, names: Iterable[str]) -> None:
        for entry in self.entries.values():
            if (entry["kind"], entry["object_id"]) == (kind, pk):
                entry["object_repr"] = f"{MODELS[kind]._meta.verbose_name} {pk}"
                for name in set(entry["changes"] or ()) & set(names):
                    entry["changes"][name] = [erased(value) for value in entry["changes"][name]]

    # --- Now and then, and at the end ---

    def balance(self) -> None:
        """The model, the shop and its trail say one thing; no entry was altered; no secret is out."""
        now = present()
        assert not (found := differences(timeless(now), timeless(self.model.rows))), found
        entries = list(LogEntry.objects.select_related("content_type").order_by("pk"))
        assert not (found := differences(self._unerased(replay(entries), now), now)), found
        same_things([_copy(entry) for entry in entries], list(self.entries.values()))
        assert not (found := faults()), found
        self.demand_no_secret()

    def demand_no_secret(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM auditlog_logentry")
            recorded = "\n".join(map(repr, cursor.fetchall()))
        logged = "\n".join(self.log.lines)
        for secret in self.doors.seen() | set(self.model.passwords.values()) - {""}:
            assert secret not in recorded, "a secret is in the trail"
            assert secret not in logged, "a secret is in the log"

    def _unerased(self, replayed: Any, now: Any) -> Any:
        """What was erased on closing reads as closing leaves it, and nowhere else."""
        for kind, pk, name, value in _fields(replayed):
            blank = AFTER_CLOSING.get(kind, {}).get(name, self)
            blank = blank(pk) if callable(blank) else blank
            if value == "erased" and blank is not self and now[kind][pk][name] == blank:
                replayed[kind][pk][name] = blank
        return replayed


def same_things(found: list[Any], wanted: list[Any]) -> None:
    """Both lists hold the same, whatever the order."""
    found, wanted = sorted(map(repr, found)), sorted(map(repr, wanted))
    missing, surplus = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    assert not missing and not surplus, f"missing: {list(missing)}; too much: {list(surplus)}"


def _fields(rows: Any) -> list[tuple[str, int, str, Any]]:
    return [
        (kind, pk, name, value)
        for kind, found in rows.items()
        for pk, row in found.items()
        for name, value in row.items()
    ]


def _since(model: Any, last: Counter[Any]) -> Any:
    """The rows of an append-only table that were not there before."""
    rows = model.objects.filter(pk__gt=last[model])
    last[model] = max([last[model], *rows.values_list("pk", flat=True)])
    return rows


def _ledger(last: Counter[Any]) -> list[tuple[Any, ...]]:
    columns = ("part", "change", "balance", "reason", "reference", "note", "actor", "role")
    return list(_since(StockMovement, last).values_list(*columns))


def _timeline(last: Counter[Any]) -> list[tuple[Any, ...]]:
    columns = ("ticket", "from_status", "to_status", "reason", "actor", "role")
    return list(_since(StatusChange, last).values_list(*columns))


def _copy(entry: LogEntry) -> dict[str, Any]:
    columns = ("pk", "object_id", "object_pk", "object_repr", "action", "changes", "actor_id")
    columns += ("cid", "remote_addr", "timestamp", "additional_data")
    return {"kind": entry.content_type.model} | {name: getattr(entry, name) for name in columns}
