"""INSERTs that the ORM does not write anew for every row, for `prepared.ask`."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Model

from autoful.prepared import Told, Written, how_many


class Insert:
    """An INSERT by the values of `fields`, each as the driver takes it: all but the number."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.fields = [f for f in model._meta.local_concrete_fields if not f.primary_key]
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
        for field in self.fields:
            field.pre_save(row, add=True)

    def takes(self, row: Model) -> bool:
        """Whether its values are known here; what the database makes (`db_default`) is not."""
        return not any(hasattr(getattr(row, field.attname), "as_sql") for field in self.fields)

    def values(self, row: Model, using: str) -> list[Any]:
        """Those of a new row, as it is now."""
        connection = connections[using]
        return [
            field.get_db_prep_save(getattr(row, field.attname), connection) for field in self.fields
        ]

    def text(self, rows: int, using: str) -> str:
        if using not in self._heads:
            quoted = connections[using].ops.quote_name
            columns = ", ".join(quoted(str(field.column)) for field in self.fields)
            table = quoted(self.model._meta.db_table)
            self._heads[using] = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 - our names
        return self._heads[using] + ", ".join([self._one] * rows)


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
