"""Running things at once: threads with connections of their own, and a rival at a named point.

    with many_connections(tmp_path):                       # SQLite: a file, not memory
        outcomes = at_once(*[partial(buy, part)] * 40)     # all let go at the same moment
        with rival_before(stock, "take", partial(cancel, ticket)) as rival:
            mine = outcome(partial(add, ticket))           # `cancel` comes just before `take`
        theirs = rival.outcome()

A rival is given `GRACE` to finish. If it does, nothing kept it out, and the race has happened
whatever the machine's speed; if it does not, something holds it back, and it goes on afterwards.
A control, in which nothing should hold it back, is more patient: see `unhindered`.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection, connections, models, transaction

from autoful import db
from autoful.errors import DomainError, Missing
from autoful.prepared import Question, ask

GRACE = 0.3  # seconds a rival has before we take it for kept out
CONTROL_GRACE = 2.0  # the same in a control, on a loaded machine; below the wait for a row's lock
PATIENCE = 60.0  # seconds after which a thread that has not ended is stuck

Move = Callable[[], Any]
Rows = Callable[[], models.QuerySet[Any]]  # as `db.lock` takes them

on_mysql = pytest.mark.skipif(
    not settings.PRODUCTION, reason="SQLite lets one transaction write at a time"
)


def outcome(move: Move) -> Any:
    """What the move returned, or the error it ended with."""
    try:
        return move()
    except Exception as error:
        return error


def unclean(outcomes: list[Any]) -> list[Exception]:
    """The errors that no caller should ever see: those that are not the shop's own refusals."""
    return [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, DomainError)]


def kinds(outcomes: list[Any], *errors: type[DomainError]) -> list[int]:
    """How many went well, then how many ended with each of `errors`."""
    assert unclean(outcomes) == []
    refused = [sum(isinstance(o, error) for o in outcomes) for error in errors]
    well = sum(not isinstance(o, Exception) for o in outcomes)
    assert well + sum(refused) == len(outcomes), outcomes
    return [well, *refused]


class Rival:
    """A move in a thread of its own, with connections of its own."""

    grace = GRACE

    def __init__(self, move: Move) -> None:
        self._move = move
        self._outcome: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._outcome = outcome(self._move)
        finally:
            connections.close_all()

    def start(self, *, grace: float | None = None) -> bool:
        """Begin; whether it finished within `grace`."""
        self._thread.start()
        self._thread.join(self.grace if grace is None else grace)
        return not self._thread.is_alive()

    def outcome(self) -> Any:
        """Wait for the end; what it returned, or the error it ended with."""
        assert self._thread.ident is not None, "the point at which the rival comes was never passed"
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the rival is stuck"
        return self._outcome


def at_once(*moves: Move) -> list[Any]:
    """Let every move go at the same moment; their outcomes in the same order."""
    barrier = threading.Barrier(len(moves))

    def waiting(move: Move) -> Any:
        connection.ensure_connection()
        barrier.wait(PATIENCE)
        return move()

    rivals = [Rival(lambda move=move: waiting(move)) for move in moves]  # type: ignore[misc]
    for rival in rivals:
        rival.start(grace=0)
    return [rival.outcome() for rival in rivals]


@contextmanager
def rival_before(
    owner: Any, name: str, move: Move, *, grace: float | None = None
) -> Iterator[Rival]:
    """The first time this thread calls `owner.name`, `move` comes first, from another thread."""
    with _rival_at(owner, name, move, before=True, grace=grace) as rival:
        yield rival


@contextmanager
def rival_after(
    owner: Any, name: str, move: Move, *, grace: float | None = None
) -> Iterator[Rival]:
    """The same, with `move` coming between the call's end and what follows it."""
    with _rival_at(owner, name, move, before=False, grace=grace) as rival:
        yield rival


@contextmanager
def _rival_at(
    owner: Any, name: str, move: Move, *, before: bool, grace: float | None
) -> Iterator[Rival]:
    original = getattr(owner, name)
    mine = threading.get_ident()
    rival = Rival(move)
    waiting = [rival]

    def passing(*args: Any, **kwargs: Any) -> Any:
        comes = threading.get_ident() == mine and bool(waiting)
        if comes:
            waiting.clear()
        if comes and before:
            rival.start(grace=grace)
        result = original(*args, **kwargs)
        if comes and not before:
            rival.start(grace=grace)
        return result

    with patch.object(owner, name, passing):
        yield rival
        assert not waiting, f"{name} was never called"
        rival.outcome()


@contextmanager
def unhindered() -> Iterator[None]:
    """Rivals that nothing should hold back: they are waited for longer."""
    with patch.object(Rival, "grace", CONTROL_GRACE):
        yield


@contextmanager
def unprotected(*modules: Any) -> Iterator[None]:
    """The verbs of `modules` with their lock off: the row is read and nobody is kept out. What is
    `counted` with the lock is not counted: that would be a lock.

    SQLite lets one transaction write at a time, which is a lock too, so there the verbs also run
    without one, each statement for itself.
    """

    def read(rows: Rows, pk: int, missing: Missing, counted: str = "") -> Any:
        found = rows().filter(pk=pk).first()
        if found is None:
            raise missing
        return found

    def read_and_ask(rows: Rows, pk: int, missing: Missing, *questions: Question) -> Any:
        return read(rows, pk, missing), ask(questions) if questions else []

    with ExitStack() as stack:
        stack.enter_context(unhindered())
        for module in modules:
            stack.enter_context(patch.object(module, "lock", read))
            if hasattr(module, "lock_and_ask"):
                stack.enter_context(patch.object(module, "lock_and_ask", read_and_ask))
        if connection.vendor == "sqlite":
            stack.enter_context(without_transactions())
        yield


@contextmanager
def unlocked(module: Any, model: type[models.Model]) -> Iterator[None]:
    """The verbs of `module` with their lock of `model`'s rows off, and no other (on SQLite the
    transactions too, see `unprotected`). `lock_and_ask` stays on."""

    def reading(locking: Callable[..., Any]) -> Callable[..., Any]:
        def read(rows: Rows, pk: int, *missing: Exception, **counted: str) -> Any:
            if rows().model is not model:
                return locking(rows, pk, *missing, **counted)
            found = rows().filter(pk=pk).first()
            if found is None and missing:
                raise missing[0]
            return found

        return read

    with ExitStack() as stack:
        stack.enter_context(unhindered())
        for name in ("lock", "lock_if_there"):
            if hasattr(module, name):
                reads = reading(getattr(module, name))
                stack.enter_context(patch.object(module, name, reads))
        if connection.vendor == "sqlite":
            stack.enter_context(without_transactions())
        yield


@contextmanager
def without_transactions() -> Iterator[None]:
    """Verbs whose statements are committed one by one."""

    def none(**of_what_kind: bool) -> AbstractContextManager[None]:
        return nullcontext()

    no_transaction = SimpleNamespace(**vars(transaction) | {"atomic": none})
    with unhindered(), patch.object(db, "transaction", no_transaction):
        yield


@contextmanager
def many_connections(folder: Path) -> Iterator[None]:
    """The test's database as a shop has it: on SQLite a file in `folder`, as connections to one
    in memory share a lock of their own kind that no shop ever meets.

    Needs a test that commits (`django_db(transaction=True)`); what it writes on SQLite is gone at
    the end of the block.
    """
    settings = connection.settings_dict
    creation: Any = connection.creation
    if connection.vendor != "sqlite" or not creation.is_in_memory_db(settings["NAME"]):
        yield
        return
    connection.ensure_connection()
    memory, name = connection.connection, settings["NAME"]
    file = folder / "shop.sqlite3"
    with sqlite3.connect(file) as copy:
        memory.backup(copy)
    copy.close()
    connection.connection = None
    settings["NAME"] = str(file)
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = name
        connection.connection = memory
