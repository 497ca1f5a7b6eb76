"""INSERTs that the ORM does not write anew for every row, for `prepared.ask`."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import CharField, Field, IntegerField, Model, TextField

from autoful.prepared import Told, Written, how_many

# Of a value to the driver, in a field.
STEPS = ("get_db_prep_save", "get_db_prep_value", "get_prep_value", "to_python")


class Insert:
    """An INSERT by the values of `fields`, each as the driver takes it: all but the number."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.fields = [f for f in model._meta.local_concrete_fields if not f.primary_key]
        # Most have nothing to make.
        self._make = [f for f in self.fields if type(f).pre_save is not Field.pre_save]
        self._taken = [(f.attname, _taken_as_they_are(f), f.get_db_prep_save) for f in self.fields]
        self._one = f"({', '.join(['%s'] * len(self.fields))})"
        self._heads: dict[str, str] = {}

    def asked(self, rows: Sequence[Sequence[Any]]) -> "Rows":
        """`ask` answers with how many there were."""
        return Rows(self, rows, how_many)

    def numbered(self, row: Sequence[Any]) -> "Rows":
        """`ask` answers with the number of the new row."""
        return Rows(self, [row], _number)

    def begin(self, row: Model) -> None:
        """Let the fields of a new row make what is theirs to make: when it was made, say."""
        for field in self._make:
            field.pre_save(row, add=True)

    def takes(self, row: Model) -> bool:
        """Whether its values are known here; what the database makes (`db_default`) is not."""
        return not any(hasattr(getattr(row, field.attname), "as_sql") for field in self.fields)

    def values(self, row: Model, using: str) -> list[Any]:
        """Those of a new row, as it is now."""
        connection = connections[using]
        taken = []
        for name, as_they_are, prepared in self._taken:
            value = getattr(row, name)
            taken.append(value if type(value) in as_they_are else prepared(value, connection))
        return taken

    def text(self, rows: int, using: str) -> str:
        if using not in self._heads:
            quoted = connections[using].ops.quote_name
            columns = ", ".join(quoted(str(field.column)) for field in self.fields)
            table = quoted(self.model._meta.db_table)
            self._heads[using] = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 - our names
        return self._heads[using] + ", ".join([self._one] * rows)


def _taken_as_they_are(field: Any) -> tuple[type[Any], ...]:
    """The kinds of values that a field would give the driver as they are; most rows have few others."""
    for kind, usual in ((str, CharField), (str, TextField), (int, IntegerField)):
        if isinstance(field, usual) and all(
            getattr(type(field), step) is getattr(usual, step) for step in STEPS
        ):
            return kind, type(None)
    return ()


class Rows(NamedTuple):
    insert: Insert
    rows: Sequence[Sequence[Any]]
    told: Told

    def written(self, using: str) -> Written:
        text = self.insert.text(len(self.rows), using)
        return text, list(chain.from_iterable(self.rows)), self.told


@cache
def insert_of(model: type[Model]) -> Insert:
    return Insert(model)


def _number(cursor: Any, connection: Any) -> int:
    return int(cursor.lastrowid)
