"""Counting again what is kept, while the shop is open: where it differs, and putting it right.

What differs is found without a lock: one statement sees one moment, and a verb commits a row and
its count together. Only what differs is locked and counted anew, and that is exact: the lock is one
that every verb takes which moves this count. Whoever took it before us has committed, and is seen
by the statement after it (READ COMMITTED). Whoever made a row and waits for it has committed
nothing, is not seen, and counts itself when we are done.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from autoful import tally
from autoful.api import caching
from autoful.db import retrying
from autoful.models import Tally
from autoful.tally import SLOTS

BATCH = 500  # rows; those that differ among them are locked together, for milliseconds

Rows = Callable[[], models.QuerySet[Any]]


@dataclass(frozen=True)
class Difference:
    """`what` is kept as `kept`, and there are `counted`."""

    what: str
    kept: int
    counted: int

    def __str__(self) -> str:
        return f"{self.what}: {self.kept} kept, {self.counted} counted"


@dataclass(frozen=True)
class _Column:
    model: type[models.Model]
    column: str
    counted: Rows
    by: str

    def count(self) -> Coalesce:
        theirs = self.counted().filter(**{self.by: OuterRef("pk")}).order_by().values(self.by)
        count = Subquery(theirs.annotate(n=Count("pk")).values("n"), models.IntegerField())
        return Coalesce(count, 0)

    def look(self, rows: models.QuerySet[Any]) -> list[tuple[int, int, int]]:
        """Number, kept and counted of the first `BATCH` rows, in order, by one statement."""
        told = rows.annotate(n=self.count()).values_list("pk", self.column, "n")
        return list(told.order_by("pk")[:BATCH])

    def differences(self, *, repair: bool) -> Iterator[Difference]:
        rows, last = self.model._base_manager.all(), 0
        began = time.monotonic()
        while found := self.look(rows.filter(pk__gt=last)):
            last = found[-1][0]
            if wrong := [pk for pk, kept, counted in found if kept != counted]:
                if repair:
                    found = self.repair(wrong)
                for pk, kept, counted in found:
                    if kept != counted:
                        name = str(self.model._meta.verbose_name).capitalize()
                        yield Difference(f"{name} {pk}, {self.column}", kept, counted)
            # As long a pause as it took: half the time belongs to the shop.
            time.sleep(time.monotonic() - began)
            began = time.monotonic()

    @retrying
    def repair(self, ids: list[int]) -> list[tuple[int, int, int]]:
        rows = self.model._base_manager.filter(pk__in=ids)
        # Changes nothing, and locks: these rows only, in order of id as verbs do.
        rows.update(**{self.column: F(self.column)})
        found = self.look(rows)
        rows.update(**{self.column: self.count()})
        caching.drop_lists_showing(self.model)
        return found


@dataclass(frozen=True)
class _Total:
    name: str
    rows: Rows

    def look(self) -> tuple[int, int]:
        """Kept and counted, by one statement."""
        slots = Tally.objects.filter(name=self.name).order_by()
        counted = self.rows().order_by().values(what=Value(1)).annotate(n=Count("pk"))
        both = slots.annotate(what=Value(0)).values_list("what", "total")
        found = [0, 0]
        for what, number in both.union(counted.values_list("what", "n"), all=True):
            found[what] += number
        return found[0], found[1]

    def differences(self, *, repair: bool) -> Iterator[Difference]:
        kept, counted = self.look()
        if repair and kept != counted:
            # Before they are locked, or a new one could be added beside the locked ones.
            self.complete()
            kept, counted = self.repair()
        if kept != counted:
            yield Difference(self.name, kept, counted)

    @retrying
    def complete(self) -> None:
        there = set(Tally.objects.filter(name=self.name).values_list("slot", flat=True))
        missing = [Tally(name=self.name, slot=s, total=0) for s in range(SLOTS) if s not in there]
        Tally.objects.bulk_create(missing, ignore_conflicts=True)

    @retrying
    def repair(self) -> tuple[int, int]:
        slots = Tally.objects.filter(name=self.name)
        slots.update(total=F("total"))  # changes nothing, and locks every slot
        kept, counted = self.look()
        slots.filter(slot=0).update(total=F("total") + counted - kept)
        caching.drop_lists_showing(self.rows().model)
        return kept, counted


_kept: dict[str, _Column | _Total] = {}


def column(model: type[models.Model], column: str, *, of: Rows, by: str) -> None:
    """`column` of each row of `model` is the number of rows `of`, whose `by` it is."""
    _kept[f"{model._meta.label}.{column}"] = _Column(model, column, of, by)


def total(name: str, rows: Rows) -> None:
    """The tally `name` is the number of `rows`, and follows their model."""
    _kept[name] = _Total(name, rows)
    tally.follow(rows().model, name)


def differences(*, repair: bool = False) -> Iterator[Difference]:
    """Where a kept count is not what is counted; put right as it is found, if `repair`.

    Raises Busy when what differs could not be locked.
    """
    for kept in _kept.values():
        yield from kept.differences(repair=repair)
