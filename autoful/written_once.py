"""Rows that are written once and that nothing refers to: the audit trail, the stock's ledger, moves.

A verb that leaves several of them leaves them at its end: one INSERT for each kind, and on MySQL all
in one way to the database. They never learn their numbers.
"""

from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.signals import pre_save

from autoful.at_the_end import AtTheEnd
from autoful.prepared import Insert, ask

AT_ONCE = 100  # rows in one INSERT: a statement has its largest size


class Said(NamedTuple):
    model: type[models.Model]
    values: list[Any]


def leave(row: models.Model) -> None:
    """Write a new row at the end of the verb, as it is now; who listens to `pre_save` may change it.

    There is no `post_save`: it has no number yet, and never gets one.
    """
    model, fields = type(row), _insert(type(row)).fields
    for field in fields:
        field.pre_save(row, add=True)  # when it was made, say
    pre_save.send(model, instance=row, raw=False, using=DEFAULT_DB_ALIAS, update_fields=None)
    connection = connections[DEFAULT_DB_ALIAS]
    values = [f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields]
    last.say(Said(model, values))


@cache
def _insert(model: type[models.Model]) -> Insert:
    return Insert(model)


def _write(said: list[Said]) -> None:
    kinds: dict[type[models.Model], list[list[Any]]] = defaultdict(list)
    for model, values in said:
        kinds[model].append(values)
    ask(
        [
            _insert(model).asked(rows[start : start + AT_ONCE])
            for model, rows in kinds.items()
            for start in range(0, len(rows), AT_ONCE)
        ]
    )


last = AtTheEnd(_write)
