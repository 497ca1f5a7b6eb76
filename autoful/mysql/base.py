"""A database that hangs (a cut cable, a machine that swaps) costs a request seconds, not threads.

Connecting and the look whether a kept connection still answers are bounded. After either was
waited for in vain, one request a second asks for a connection and the others are refused at once.
A database that refuses is not left alone, nor is one that hung any more when it refuses: asking it
costs nothing, and so its first moment back is ours. See ADR 11.
"""

import select
import threading
import time
from typing import Any

import MySQLdb  # type: ignore[import-untyped]
from django.db import Error
from django.db.backends.mysql import base
from MySQLdb.constants import CR  # type: ignore[import-untyped]
from MySQLdb.cursors import Cursor  # type: ignore[import-untyped]

from autoful.mysql import SEPARATOR

CHECK_SECONDS = 1.5
TRUSTED_SECONDS = 1.0
PAUSE_SECONDS = 1.0
WAITED_SECONDS = 0.5  # a refusal comes sooner


class Pause:
    """Whether this process asks a server for connections, or leaves it alone for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: float | None = None

    def may_ask(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._until is None:
                return True
            if now < self._until:
                return False
            # This one asks. It may wait, so the others go on being refused.
            self._until = now + PAUSE_SECONDS
            return True

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + PAUSE_SECONDS

    def end(self) -> None:
        with self._lock:
            self._until = None


_pauses: dict[str, Pause] = {}


class BeginningCursor(Cursor):
    """The first statement of a transaction takes its BEGIN along."""

    def execute(self, query: str | bytes, args: Any = None) -> Any:
        if not getattr(self.connection, "begins", False):
            return super().execute(query, args)
        begin: Any = f"BEGIN{SEPARATOR}"
        super().execute((begin if isinstance(query, str) else begin.encode()) + query, args)
        self.connection.begins = False  # and not before: what cannot be sent has begun nothing
        self.nextset()
        return self.rowcount

    def nextset(self) -> Any:
        try:
            return super().nextset()
        except MySQLdb.OperationalError as error:
            # As Django does for a statement that goes alone.
            if error.args[0] in base.CursorWrapper.codes_for_integrityerror:
                raise MySQLdb.IntegrityError(*error.args) from error
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    _answered = 0.0

    @property
    def pause(self) -> Pause:
        """That of this alias, which all threads share; this object is one thread's own."""
        return _pauses.setdefault(self.alias, Pause())

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.pause.may_ask():
            raise MySQLdb.OperationalError(
                CR.CONN_HOST_ERROR, "it hung and is left alone for a moment"
            )
        began = time.monotonic()
        try:
            connection = super().get_new_connection(conn_params)
        except MySQLdb.Error:
            if time.monotonic() - began > WAITED_SECONDS:
                self.pause.begin()
            else:
                self.pause.end()
            raise
        self.pause.end()
        self._answered = time.monotonic()
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        # Django would turn autocommit off before a transaction and on after it, each a way to the
        # server. After a deadlock, when statements commit one by one, Django lets none through.
        self.connection.begins = True

    def create_cursor(self, name: str | None = None) -> Any:
        return base.CursorWrapper(self.connection.cursor(BeginningCursor))

    def _commit(self) -> None:
        if not self._ends_unbegun():
            super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        if not self._ends_unbegun():
            super()._rollback()  # type: ignore[misc]

    def _ends_unbegun(self) -> bool:
        if self.connection is None or not getattr(self.connection, "begins", False):
            return False
        self.connection.begins = False
        return True

    def init_connection_state(self) -> None:
        try:
            super().init_connection_state()
            if seconds := self.settings_dict.get("STATEMENT_SECONDS"):
                self._bound_statements(seconds)
        except Error:
            # Or Django would go on with it as it is: at the server's own isolation.
            self.close()
            raise

    def _bound_statements(self, seconds: int) -> None:
        # MySQL bounds what reads alone; what writes waits for locks, which the settings bound.
        bound = "max_statement_time = %s" if self.mysql_is_mariadb else "max_execution_time = %s"
        with self.cursor() as cursor:
            cursor.execute(
                f"SET SESSION {bound}", [seconds * (1 if self.mysql_is_mariadb else 1000)]
            )

    def is_usable(self) -> bool:
        """Whether the connection answers within `CHECK_SECONDS`.

        The driver's own ping would wait as long as any query may. One that has answered within
        `TRUSTED_SECONDS`, and met no error since, is asked nothing: that the server has closed its
        end shows without.
        """
        try:
            answer = select.poll()
            answer.register(self.connection.fileno(), select.POLLIN)
            fresh = time.monotonic() - self._answered < TRUSTED_SECONDS
            if fresh and not self.errors_occurred:
                return not answer.poll(0)
            self.connection.send_query(b"SELECT 1")
            if not answer.poll(CHECK_SECONDS * 1000):
                self.pause.begin()
                return False
            self.connection.read_query_result()
            self.connection.store_result()
        except MySQLdb.Error:
            return False
        self._answered = time.monotonic()
        return True
