"""A database not answering: which errors say so, and one line in the log about it."""

import logging
import sqlite3
import time
from typing import Any

from django.db import Error, InterfaceError, OperationalError

from autoful import metrics
from autoful.db import lost_a_race

logger = logging.getLogger(__name__)

RETRY_AFTER = "1"
MESSAGE = "The database does not answer. Try again soon."

# By the numbers of MySQL, MariaDB and their driver. What is wrong with a statement or with a row is
# none of them: that is the request's fault or ours, and a retry would not help.
UNAVAILABLE = {
    # cannot connect, gone away, lost during a query
    *(2002, 2003, 2005, 2006, 2012, 2013, 2055),
    # too many connections: of all, of this user, of this user's hour; no thread; host blocked
    *(1040, 1203, 1226, 1135, 1129),
    # took longer than it may (MariaDB, MySQL)
    *(1969, 3024),
    # shutting down, connection killed (MariaDB, MySQL), query killed, idle for too long
    *(1053, 1927, 3169, 1317, 4031),
    # a proxy or a network between us
    *(1158, 1159, 1160, 1161),
    # read only: by option or as a replica, by its files
    *(1290, 1792, 1836),
    # disk or memory full, files that cannot be written: 1030 and 1180 say so for the engine
    *(3, 1021, 1026, 1030, 1037, 1041, 1114, 1180, 1206),
    # refused: the database, the account, no such database, locked (MySQL, MariaDB), password expired
    *(1044, 1045, 1049, 1698, 3118, 4151, 1820, 1862),
    # a Galera node without its cluster
    1047,
}
UNAVAILABLE_SQLITE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}

SAY_AGAIN_SECONDS = 60.0
_said: dict[Any, float] = {}


def unavailable(error: BaseException | None) -> bool:
    """Whether the database does not answer, rather than refuses what it was asked."""
    if not isinstance(error, Error):
        return False
    return (
        isinstance(error, InterfaceError)
        or (isinstance(error, OperationalError) and lost_a_race(error))
        or _number(error) in UNAVAILABLE
        or _sqlite_code(error) in UNAVAILABLE_SQLITE
    )


def report(error: BaseException) -> None:
    """Count it, and say so in the log, each kind once a minute; each 503 is in autoful.access."""
    metrics.count("database_unavailable")
    _say(logging.ERROR, "the database does not answer: %s", error)


def report_replica(error: BaseException) -> None:
    """The same of the replica: a warning, because nobody is answered with a 503 for want of it."""
    metrics.count("replica_unavailable")
    _say(logging.WARNING, "the replica does not answer, lists come from the database: %s", error)


def _say(level: int, sentence: str, error: BaseException) -> None:
    """In the driver's words: they name the server, the account or a table, never SQL or a password."""
    number = _number(error) or _sqlite_code(error)
    kind, now = (sentence, number), time.monotonic()
    if now - _said.get(kind, -SAY_AGAIN_SECONDS) < SAY_AGAIN_SECONDS:
        return
    _said[kind] = now
    words = " ".join(str(error.args[-1] if error.args else type(error).__name__).split())
    logger.log(level, sentence, words, extra={"error": number})


def _number(error: BaseException) -> int | None:
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else None


def _sqlite_code(error: BaseException) -> int | None:
    """SQLite's primary result code; Django keeps its exception as the cause of its own."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
