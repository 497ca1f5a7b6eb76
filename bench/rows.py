"""Rows that the database server makes from numbers, by the thousand."""

from typing import Any

from django.db import models

LARGEST = 30_000  # numbers there are
HOT = 20_000  # entries of the audit trail about one part

Columns = dict[str, str]


class Rows:
    """Writes rows whose columns are SQL over a number."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def numbers(self) -> None:
        """`bench_number`.i from 0 to LARGEST."""
        digits = (
            "WITH RECURSIVE digit (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digit WHERE d < 9)"
        )
        self.cursor.execute("CREATE TEMPORARY TABLE bench_number (i INT NOT NULL PRIMARY KEY)")
        self.cursor.execute(
            f"INSERT INTO bench_number {digits} SELECT n FROM (SELECT a.d + 10 * b.d + 100 * c.d"
            " + 1000 * d.d + 10000 * e.d AS n"
            " FROM digit a, digit b, digit c, digit d, digit e) AS numbers"
            f" WHERE n < {LARGEST}"
        )

    def insert(self, model: type[models.Model], columns: Columns, source: str) -> None:
        """One row of `model` for each of `source`; `columns` by name are SQL over it."""
        columns = dict(columns)
        defaults = []
        for field in model._meta.concrete_fields:
            column = str(field.column)
            has_its_own = field.primary_key or field.has_db_default()
            if column not in columns and not has_its_own:
                columns[column] = "%s"
                defaults.append(field.get_default())
        names = ", ".join(f"`{name}`" for name in columns)
        self.cursor.execute(
            f"INSERT INTO `{model._meta.db_table}` ({names})"
            f" SELECT {', '.join(columns.values())} FROM ({source}) AS source",
            defaults,
        )

    def each(self, model: type[models.Model], count: int, columns: Columns) -> None:
        """Rows 1 to `count`; `n` is the number in `columns`."""
        for first in range(0, count, LARGEST):
            numbers = f"FROM bench_number WHERE i < {count - first}"
            self.insert(model, columns, f"SELECT CAST({first + 1} + i AS SIGNED) AS n {numbers}")
