"""Totals that are kept instead of counted: COUNT(*) reads every row there is, this a handful.

A total lies in slots, so that two writers seldom wait for each other; one row would make everybody
wait for everybody. A verb says what it made or removed, `add("customers", 1)`, and that is written
when the outermost verb ends (`autoful.at_the_end`): who holds a slot waits for nothing any more.
Written where it is said, a page of the back office that opens a ticket would hold a slot and wait
for a part, while somebody who has the part waits for the slot.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models import Case, F, When
from django.db.models.signals import post_delete, post_save

from autoful.at_the_end import AtTheEnd
from autoful.models import Tally
from autoful.prepared import Move, Prepared, Question, ask

SLOTS = 16  # about as many as threads that write at once
CASES = 200  # rows that one statement moves


def follow(model: type[models.Model], name: str) -> None:
    """Keep the total of a model's rows, without those that are closed: `deleted_at`.

    Whoever makes or deletes one, a verb or the ORM in a shell, it counts. A verb that closes one
    says so itself.
    """

    def made(instance: models.Model, created: bool, raw: bool, **kwargs: Any) -> None:
        # A file that is loaded (`raw`) may bring the tally too: `recount` afterwards.
        if created and not raw and getattr(instance, "deleted_at", None) is None:
            add(name, 1)

    def deleted(instance: models.Model, **kwargs: Any) -> None:
        if getattr(instance, "deleted_at", None) is None:
            add(name, -1)

    post_save.connect(made, model, weak=False, dispatch_uid=f"autoful.tally.made.{name}")
    post_delete.connect(deleted, model, weak=False, dispatch_uid=f"autoful.tally.deleted.{name}")


def add(name: str, number: int) -> None:
    """There are `number` more of `name`, or fewer; part of the transaction that makes it so."""
    last.say((name, number))


def total(name: str, using: str = DEFAULT_DB_ALIAS) -> int:
    """How many there are."""
    (slots,) = ask([total_of(name)], using=using)
    return summed(slots)


def total_of(name: str) -> Question:
    """The question how many there are, whose answer is `summed`."""
    return _slots_of(name).asked()


def summed(slots: list[list[int]]) -> int:
    return max(sum(total for (total,) in slots), 0)


@cache
def _slots_of(name: str) -> Prepared:
    return Prepared(lambda: Tally.objects.filter(name=name).values_list("total"), 0)


def fewer(rows: models.QuerySet[Any], column: str, numbers: Mapping[int, int]) -> None:
    """Lower the `column` of several rows, each by its number: one statement, in order of id.

    One that is lower than it should be stops at zero, until `manage.py recount` puts it right:
    what the version before opened and did not count must not be what nobody can delete.
    """
    everyone = sorted(numbers)
    for start in range(0, len(everyone), CASES):
        ids = everyone[start : start + CASES]
        cases = [
            When(pk=pk, **{f"{column}__gte": numbers[pk]}, then=F(column) - numbers[pk])
            for pk in ids
        ]
        rows.filter(pk__in=ids).update(**{column: Case(*cases, default=0)})


def _write_all(said: list[tuple[str, int]]) -> None:
    numbers = Counter[str]()
    for name, number in said:
        numbers[name] += number
    for name in sorted(numbers):  # everybody in the same order
        if numbers[name]:
            _write(name, numbers[name])


last = AtTheEnd(_write_all, very_last=True)


@cache
def _move_of(slot: int) -> Move:
    return Move(
        lambda name, _number: Tally.objects.filter(name=name, slot=slot),
        lambda _name, number: {"total": F("total") + number},
        2,
    )


def _write(name: str, number: int) -> None:
    while not ask([_move_of(_slot()).asked(name, number)])[0]:
        # The first of its name in this slot. Two that are it at once meet at the unique key.
        try:
            with transaction.atomic():
                Tally.objects.create(name=name, slot=_slot(), total=0)
        except IntegrityError:
            pass


def _slot() -> int:
    """This thread's, always the same one: a transaction that took two would need an order."""
    if not hasattr(_mine, "slot"):
        _mine.slot = next(_slots) % SLOTS
    return int(_mine.slot)


_mine = threading.local()
# From one thread to the next, so that those of a process have different ones.
_slots = itertools.count(random.randrange(SLOTS))  # noqa: S311
