"""A connection for each thread, and the rows that SQL by hand gets on it."""

import os
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

import MySQLdb  # type: ignore[import-untyped]
from MySQLdb.constants import FIELD_TYPE  # type: ignore[import-untyped]
from MySQLdb.converters import conversions  # type: ignore[import-untyped]

_kept = threading.local()


def connection() -> Any:
    """This thread's, for as long as the process lives."""
    found = getattr(_kept, "connection", None)
    if found is None:
        where = urlsplit(os.environ["DATABASE_URL"])
        found = _kept.connection = MySQLdb.connect(
            host=where.hostname or "127.0.0.1",
            port=where.port or 3306,
            user=unquote(where.username or ""),
            password=unquote(where.password or ""),
            database=where.path.lstrip("/"),
            charset="utf8mb4",
            autocommit=True,
            # Amounts are numbers in JSON: no Decimal between.
            conv=conversions | {FIELD_TYPE.NEWDECIMAL: float},
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
    return found


def rows(statement: str, *values: Any) -> tuple[tuple[Any, ...], ...]:
    cursor = connection().cursor()
    cursor.execute(statement, values or None)
    found: tuple[tuple[Any, ...], ...] = cursor.fetchall()
    return found


def row(statement: str, *values: Any) -> tuple[Any, ...] | None:
    found = rows(statement, *values)
    return found[0] if found else None
