"""The shop in memory: what its rows should be, and what each operation should leave behind.

The rules of the shop are written here once more, in `people`, `parts` and `tickets`, without its
database, its verbs and its trail.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models

from autoful.audit import ERASED
from tests.accounting.trail import (
    A_MOMENT,
    MASKED,
    MODELS,
    Change,
    Row,
    Rows,
    fields_of,
    many_of,
    plain,
    unset,
)


class Refused(Exception):
    """The shop must say no, and nothing is to change."""


@dataclass(frozen=True)
class By:
    """Who does it, as every entry must say: role, account, number of the customer or mechanic."""

    role: str
    user: int | None = None
    profile: int | None = None


NOBODY = By("nobody")
COMMAND = By("command")


@dataclass
class Expected:
    """What one operation must leave behind."""

    changes: list[Change] = field(default_factory=list)
    events: list[tuple[int | None, dict[str, Any], By]] = field(default_factory=list)
    movements: list[tuple[Any, ...]] = field(default_factory=list)
    moves: list[tuple[Any, ...]] = field(default_factory=list)
    erased: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)


def erased(value: Any) -> Any:
    return value if value in (None, "") else ERASED


def initial(kind: str) -> Row:
    """A new row of which nothing was said: the defaults of its columns."""
    return unset(kind) | {f.name: plain(f.get_default()) for f in fields_of(kind)}


class Model:
    """Rows by kind and number, as the trail writes them; passwords in the clear."""

    def __init__(self) -> None:
        self.rows: Rows = {kind: {} for kind in MODELS}
        self.passwords: dict[int, str] = {}
        self.epochs: dict[int, int] = {}  # how often an account's tokens and sessions were ended
        self.used: set[int] = set()  # parts that a ticket has ever used
        self.expected = Expected()
        self.by = NOBODY
        self.done = True  # whether the shop did what was asked for

    @contextmanager
    def operation(self, by: By) -> Iterator[None]:
        """What is done inside is one operation; Refused undoes it and leaves only its events."""
        before = copy.deepcopy((self.rows, self.passwords, self.epochs, self.used))
        self.expected, self.by = Expected(), by
        try:
            yield
        except Refused:
            self.rows, self.passwords, self.epochs, self.used = before
            self.expected = Expected(events=self.expected.events)
            raise

    # --- Writing ---

    def create(self, kind: str, lookup: Row, **values: Any) -> int:
        """A new row; the shop, if it did what was asked, says by `lookup` which number it got."""
        number = -1
        if self.done:
            rows = MODELS[kind]._base_manager.filter(**lookup).values_list("pk", flat=True)
            number = max(rows, default=number)
            assert number > 0, f"no {kind} was made: {lookup}"
            assert number not in self.rows[kind], f"no new {kind} was made: {lookup}"
        row = initial(kind) | {name: plain(value) for name, value in values.items()}
        self.rows[kind][number] = row
        for name, old in unset(kind).items():
            if name == "password":
                self._say(kind, number, "create", name, MASKED, MASKED)
            elif name in many_of(kind):
                self._join(kind, number, name, "add", row[name])
            elif old != row[name]:
                self._say(kind, number, "create", name, old, row[name])
        return number

    def write(self, kind: str, pk: int, **values: Any) -> None:
        row = self.rows[kind][pk]
        for name, value in values.items():
            old, new = row[name], plain(value)
            if name in many_of(kind):
                self._join(kind, pk, name, "add", new - old)
                self._join(kind, pk, name, "delete", old - new)
            elif old != new or name == "password":
                self._say(kind, pk, "update", name, old, new)
            row[name] = new

    def delete(self, kind: str, pk: int) -> None:
        row, blank = self.rows[kind].pop(pk), unset(kind)
        for name, value in row.items():
            if name not in many_of(kind) and value != blank[name]:
                self._say(kind, pk, "delete", name, value, blank[name])

    def erase(self, kind: str, pk: int, *names: str) -> None:
        """Closing blanks these fields in every entry about the row, those of now among them."""
        self.expected.erased.append((kind, pk, names))
        self.expected.changes = [
            replace(said, values=tuple(map(erased, said.values)))
            if (said.kind, said.pk) == (kind, pk) and said.field in names
            else said
            for said in self.expected.changes
        ]

    def _say(self, kind: str, pk: int, done: str, name: str, *values: Any) -> None:
        self.expected.changes.append(Change(kind, pk, done, name, values))

    def _join(self, kind: str, pk: int, name: str, done: str, others: set[str]) -> None:
        for other in others:
            self._say(kind, pk, done, name, other)

    # --- Asking ---

    def where(self, kind: str, **values: Any) -> list[int]:
        """The numbers of the rows that say all this."""
        return [
            pk
            for pk, row in self.rows[kind].items()
            if all(row[name] == value for name, value in values.items())
        ]

    def permissions(self, user: int) -> set[str]:
        """What the account may do, in the words of the admin."""
        row = self.rows["user"][user]
        groups = [g for g in self.rows["group"].values() if g["name"] in row["groups"]]
        return row["user_permissions"].union(*(group["permissions"] for group in groups))

    def may(self, permission: str) -> bool:
        """Whether who does it works here and may."""
        if self.by.role != "back_office" or self.by.user is None:
            return self.by.role in ("mechanic", "command")
        return self.rows["user"][self.by.user]["is_superuser"] or permission in self.permissions(
            self.by.user
        )

    def demand(self, allowed: Any) -> None:
        if not allowed:
            raise Refused


def timeless(rows: Rows) -> Rows:
    """The same without saying when."""
    times = {
        (kind, f.name)
        for kind in MODELS
        for f in fields_of(kind)
        if isinstance(f, models.DateTimeField)
    }
    return {
        kind: {
            pk: {
                name: A_MOMENT if (kind, name) in times and value is not None else value
                for name, value in row.items()
            }
            for pk, row in found.items()
        }
        for kind, found in rows.items()
    }
