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
BROKE = "run manage.py restore again"
# The table's comment, by which a shop that waits for the log is told from one that broke.
AWAITS_LOG = "kept closed for the binary log; when it is played in: manage.py restore --finish"

_admitted = False


class Closed(OperationalError):
    """The shop is marked; says what to do about it."""


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
    """Close a new connection to a shop that is marked, and raise Closed."""
    if connection.vendor != "mysql" or _admitted:
        return
    comment = _mark(connection)
    if comment is not None:
        connection.close()
        what_to_do = comment or BROKE
        raise Closed(SHUTTING_DOWN, f"a restore of this shop has not finished: {what_to_do}")


def _mark(connection: BaseDatabaseWrapper) -> str | None:
    """The mark's comment: none where there is no mark, empty while a restore runs or after it broke."""
    # The driver's own cursor: this is no query of whoever asked for the connection.
    with connection.connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_comment FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [TABLE],
        )
        found = cursor.fetchone()
        return None if found is None else found[0]


def is_marked() -> bool:
    """Whether a restore began here and has not ended; ask while `admitted`."""
    connection.ensure_connection()
    return connection.vendor == "mysql" and _mark(connection) is not None


def awaits_log() -> bool:
    """Whether all of a backup is here, and the shop is kept closed for the binary log."""
    connection.ensure_connection()
    return connection.vendor == "mysql" and _mark(connection) == AWAITS_LOG


def mark() -> None:
    """Close the shop."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (begun DATETIME NOT NULL)")
        cursor.execute(f"ALTER TABLE {TABLE} COMMENT = ''")
        cursor.execute(f"INSERT INTO {TABLE} VALUES (UTC_TIMESTAMP())")  # noqa: S608


def keep_for_log() -> None:
    """The marked shop holds all of its backup now, and stays closed."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} COMMENT = '{AWAITS_LOG}'")


def clear() -> None:
    """Open the shop."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
