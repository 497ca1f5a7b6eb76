"""Rows that are written once and that nothing refers to: the audit trail, the stock's ledger, moves.

A verb that leaves several of them leaves them at its end: one INSERT for each kind, and on MySQL all
in one way to the database. They never learn their numbers.

Whoever reads such rows in the same verb, or deletes what they point at, calls `last.write_now` before.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.signals import pre_save

from autoful.at_the_end import AtTheEnd
from autoful.inserts import insert_of
from autoful.prepared import ask

# Bytes that wait, at most so many and one row: an import leaves a hundred thousand, and what goes to
# the database at once has its largest size (`max_allowed_packet`, of 16 MB on MariaDB).
MOST = 2_000_000
ROW = 20_000  # of them for each row besides its texts, so no more than a hundred
CHARACTER = 4  # as UTF-8, or a backslash of JSON's before its quote or its number


class Said(NamedTuple):
    model: type[models.Model]
    values: list[Any]


def leave(row: models.Model) -> None:
    """Write a new row at the end of the verb, as it is now; who listens to `pre_save` may change it.

    There is no `post_save`: it has no number yet, and never gets one.
    """
    model = type(row)
    insert = insert_of(model)
    insert.begin(row)
    if not insert.takes(row):
        raise TypeError(
            f"{model.__name__}: the database is to make a value, and nobody would learn it."
        )
    pre_save.send(model, instance=row, raw=False, using=DEFAULT_DB_ALIAS, update_fields=None)
    values = insert.values(row, DEFAULT_DB_ALIAS)
    letters = sum(len(value) for value in values if isinstance(value, str))
    last.say(Said(model, values), ROW + CHARACTER * letters)


def _write(said: list[Said]) -> None:
    kinds: dict[type[models.Model], list[list[Any]]] = defaultdict(list)
    for model, values in said:
        kinds[model].append(values)
    ask([insert_of(model).asked(rows) for model, rows in kinds.items()])


last = AtTheEnd(_write, most=MOST)
