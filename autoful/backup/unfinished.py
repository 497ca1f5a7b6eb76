"""A shop whose restore has not ended is closed: no server opens a connection to half of a shop.

The mark is a table, because on MySQL loading is many commits: whatever ends a restore midway, the
mark is there already and stays. SQLite needs none: a new file takes the old one's place in one step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "autoful_restore_unfinished"
# As a server that is shutting down: the API answers 503, and the probes say not ready.
SHUTTING_DOWN = 1053

_admitted = False


@contextmanager
def admitted() -> Iterator[None]:
    """The restore itself may connect."""
    global _admitted
    _admitted, before = True, _admitted
    try:
        yield
    finally:
        _admitted = before


def refuse(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Close a new connection to a shop that is marked, and raise OperationalError."""
    if connection.vendor == "mysql" and not _admitted and _marked(connection):
        connection.close()
        raise OperationalError(
            SHUTTING_DOWN,
            "a restore of this shop has not finished; run manage.py restore again",
        )


def _marked(connection: BaseDatabaseWrapper) -> bool:
    # The driver's own cursor: this is no query of whoever asked for the connection.
    with connection.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [TABLE],
        )
        return cursor.fetchone() is not None


def is_marked() -> bool:
    """Whether a restore began here and has not ended; ask while `admitted`."""
    connection.ensure_connection()
    return connection.vendor == "mysql" and _marked(connection)


def mark() -> None:
    """Close the shop."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (begun DATETIME NOT NULL)")
        cursor.execute(f"INSERT INTO {TABLE} VALUES (UTC_TIMESTAMP())")  # noqa: S608


def clear() -> None:
    """Open the shop."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
