"""How the database server finds what a request asks for: the plan of each query, and its rows."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from autoful.testing.queries import Statements

SMALL = 1_000  # a table that may be read whole
PAGE = (
    500  # rows that may be sorted: the lines and teams of the hundred tickets of the largest page
)


@dataclass(frozen=True)
class Step:
    """One table of a query, as EXPLAIN tells it."""

    table: str
    how: str
    index: str | None
    rows: int
    extra: str

    @property
    def sorts(self) -> bool:
        return bool(re.search("filesort|temporary", self.extra, re.IGNORECASE))


@dataclass(frozen=True)
class Query:
    sql: str
    steps: tuple[Step, ...]

    def faults(self, sizes: dict[str, int]) -> list[str]:
        """What is read whole or sorted though it is large."""
        found = []
        for step in self.steps:
            is_large = sizes.get(step.table, 0) > SMALL
            if is_large and step.how == "ALL":
                found.append(f"{step.table} is read whole")
            if is_large and step.how == "index" and "LIMIT" not in self.sql:
                found.append(f"all of {step.index} is read")
            if step.sorts and step.rows > PAGE:
                found.append(f"{step.rows} rows of {step.table} are sorted")
        return found


@dataclass(frozen=True)
class Asked:
    """The queries of one request, and how many rows and entries of indexes the server read."""

    queries: tuple[Query, ...]
    read: int

    def faults(self, sizes: dict[str, int], most: int) -> list[str]:
        found = [fault for query in self.queries for fault in query.faults(sizes)]
        return found + [f"{self.read} rows are read"] * (self.read > most)

    def indexes(self) -> set[str]:
        return {str(step.index) for query in self.queries for step in query.steps}

    def __str__(self) -> str:
        lines = [f"{self.read} rows read"]
        for query in self.queries:
            lines += [query.sql[:600], *(f"    {step}" for step in query.steps)]
        return "\n".join(lines)


def asked_by(request: Callable[[], Any]) -> Asked:
    """What the database is asked by this request; each SELECT is explained afterwards."""
    before = _read()
    with Statements(connection) as queries:
        request()
    read = _read() - before
    selects = [q["sql"] for q in queries if q["sql"].startswith("SELECT")]
    return Asked(tuple(Query(sql, explained(sql)) for sql in selects), read)


def explained(sql: str) -> tuple[Step, ...]:
    # MySQL 9 draws a tree unless told not to, and MariaDB knows no other form.
    mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        # No parameters: a percent sign of the query is its own.
        cursor.execute(f"EXPLAIN {'' if mariadb else 'FORMAT=TRADITIONAL '}{sql}")
        names = [column[0].lower() for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return tuple(
        Step(
            _table(sql, row["table"]),
            row["type"] or "",
            row["key"],
            int(row["rows"] or 0),
            row["extra"] or "",
        )
        for row in rows
    )


def _table(sql: str, alias: str | None) -> str:
    """A table that stands twice in a query has another name the second time."""
    found = re.search(rf"JOIN `(\w+)` {alias}\b", sql)
    return found[1] if found else alias or ""


def _read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _, value in cursor.fetchall())
