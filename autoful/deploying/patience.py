"""Waiting for locks while the shop is open: a second at a time, again and again, and not for ever.

An ALTER needs its table to itself for a moment. Behind a transaction that somebody left open it
waits for the server's own day or year, and whoever asks for the table after it queues behind it:
the shop stands still for the sake of a client nobody remembers. So the wait is short, those who
queued are let through, and the statement is tried again.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

# Everybody else's requests wait as long as we do, so: the shortest that MySQL knows, in seconds.
# A web session gives up after 3 and tries again (see the settings), and so outlasts it.
WAIT = 1
# Seconds of free passage in between; longer than the wait, so that the queue is gone by then.
PAUSE = 2.0
# Three minutes: longer than any request, short enough for somebody who looks on.
TRIES = 60

LOCKED = {1205, 1213}  # a lock wait, or a deadlock that we were chosen to end
DEFINES = re.compile(r"\s*(ALTER|CREATE|DROP|RENAME)\s", re.IGNORECASE)
RECORDS = re.compile(r"\s*INSERT INTO `django_migrations`", re.IGNORECASE)

WHO_IS_OPEN = """
    SELECT t.trx_mysql_thread_id, p.user, p.host, TIMESTAMPDIFF(SECOND, t.trx_started, NOW())
    FROM information_schema.innodb_trx t
    JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
    WHERE p.id <> CONNECTION_ID() ORDER BY t.trx_started LIMIT 1
"""


class StillLocked(Exception):
    """The lock was never free. The message says who has it, and what has taken effect already."""


@contextmanager
def patient(connection: BaseDatabaseWrapper, say: Callable[[str], Any]) -> Iterator[None]:
    """Within the block, statements of this connection wait with patience; `say` is told of it.

    Raises StillLocked when the lock was not free `TRIES` times.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION lock_wait_timeout = {WAIT}, innodb_lock_wait_timeout = {WAIT}")
    with connection.execute_wrapper(_Patience(connection, say)):
        yield


class _Patience:
    def __init__(self, connection: BaseDatabaseWrapper, say: Callable[[str], Any]) -> None:
        self.connection = connection
        self.say = say
        self.took_effect: list[str] = []  # of the migration under way

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        attempt = 0
        while True:
            attempt += 1
            try:
                result = execute(sql, params, many, context)
            except OperationalError as error:
                if error.args[0] not in LOCKED or not self._stands_alone(sql):
                    raise
                if attempt == TRIES:
                    raise StillLocked(self._end(sql)) from error
                self.say(f"Locked, try {attempt} of {TRIES}: {_start_of(sql)} {self._who()}")
                time.sleep(PAUSE)
                continue
            if RECORDS.match(sql):
                self.took_effect.clear()
            elif DEFINES.match(sql):
                self.took_effect.append(sql)
            return result

    def _stands_alone(self, sql: str) -> bool:
        """Whether the statement is a whole: one that defines commits itself, whatever is around it.

        Of a transaction, a deadlock undoes more than the statement that met it.
        """
        return bool(DEFINES.match(sql)) or not self.connection.in_atomic_block

    def _who(self) -> str:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(WHO_IS_OPEN)
                row = cursor.fetchone()
        except Error:  # that takes the right PROCESS
            return "(who holds it, this account may not ask)"
        if row is None:
            return "(who holds it is not known)"
        thread, user, host, seconds = row
        return f"(open the longest, {seconds} s: connection {thread} of {user} from {host})"

    def _end(self, sql: str) -> str:
        said = [
            f"Gave up after {TRIES} tries; the lock was never free: {_start_of(sql)} {self._who()}",
            "Wait for that transaction or end it (KILL and its connection), then migrate again.",
        ]
        if self.took_effect:
            said += [
                "Of this migration the following has taken effect, and MySQL cannot take it back; "
                "undo it by hand before you migrate again:",
                *self.took_effect,
            ]
        return "\n".join(said)


def _start_of(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 120 else f"{line[:119]}…"
