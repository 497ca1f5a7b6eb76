"""Transactions that lose a race and try again, and the row lock that every verb takes."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, models, transaction
from django.db.models import F

from autoful import metrics, tally, written_once
from autoful.errors import Busy, DomainError, Missing
from autoful.prepared import Move, Prepared, Question, ask

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

RETRIES = 3

# 1213 deadlock (rolls the whole transaction back), 1205 lock wait (only the statement),
# 1020 a record changed since it was read. MySQL and MariaDB number them alike.
LOST_RACES = {1213, 1205, 1020}
SERVER_LOST = 2013


def lost_a_race(error: OperationalError) -> bool:
    """Whether the same transaction, run once more, may succeed."""
    return bool(error.args) and (
        error.args[0] in LOST_RACES or "database is locked" in str(error.args[0])
    )


def retrying(function: Callable[P, T], name: str = "", *, goes_on: bool = False) -> Callable[P, T]:
    """Run `function` in one transaction, again when it loses a race, at most `RETRIES` times more.

    The retry stands outside the outermost transaction: after a lock wait the statement is undone
    and the transaction is not, so going on inside it would commit half a change. A verb called
    within another one joins its transaction, and the outer one retries. `name` is what a lost race
    is told by, else the function's own.

    `goes_on`: `function` may go on when a verb inside it was refused. Otherwise a refusal takes the
    whole transaction back, and the verbs inside need no savepoint. Whoever goes on all the same finds
    the transaction broken (`TransactionManagementError`).

    Raises Busy when every try was lost.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        def attempt() -> T:
            alone = _goes_on.get()
            token = _goes_on.set(goes_on)
            if alone:
                written_once.last.write_now()  # or it would go with what may be taken back
            try:
                # The totals after the rows: who holds a slot waits for nothing any more.
                with (
                    transaction.atomic(savepoint=alone),
                    tally.last.block(may_fail_alone=alone),
                    written_once.last.block(may_fail_alone=alone),
                ):
                    return function(*args, **kwargs)
            finally:
                _goes_on.reset(token)

        if (around := _whole.get()) is not None:
            around.begin()
        if transaction.get_connection().in_atomic_block:
            return attempt()
        return again(attempt, name or f"{function.__module__}.{function.__name__}")

    return run


# Whoever is around us, if anybody: a test or a shell may go on.
_goes_on: ContextVar[bool] = ContextVar("goes_on", default=True)


def again(attempt: Callable[[], T], name: str) -> T:
    """What `attempt` returns, tried again while it loses a race. Raises Busy.

    `name` tells in the log and the figures whose race it was: `inventory.destroy` is a route of the
    API, `admin.part` a page of the back office, `inventory.parts.delete_part` a verb on its own.

    It holds a whole transaction, from before its beginning to after its end. What comes before
    the beginning and is asked for with `once` is not done again.
    """
    token = _done.set({})
    try:
        for number in range(RETRIES + 1):
            try:
                return attempt()
            except OperationalError as error:
                if not lost_a_race(error):
                    raise
                logger.info("lost a race", extra={"verb": name, "attempt": number})
                outcome = "retried" if number < RETRIES else "given up"
                metrics.count("lost_races", verb=name, outcome=outcome)
                if number < RETRIES:
                    # Jitter: otherwise the same rivals meet again at the same moment.
                    time.sleep(random.uniform(0.01, 0.05) * 2**number)  # noqa: S311
        raise Busy
    finally:
        _done.reset(token)


_done: ContextVar[dict[Any, Any] | None] = ContextVar("done", default=None)


def once(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` on the first try only; later tries of the same `again` get its result, or its
    refusal, again.

    For what stands before a verb and must not follow its lost races: a password's hash, which is
    slow, and a try at a password, which is counted. The verb itself still looks at what is there.
    """
    done = _done.get()
    if done is None:
        return function(*args, **kwargs)
    asked = function, args, tuple(sorted(kwargs.items()))
    if asked not in done:
        try:
            done[asked] = function(*args, **kwargs)
        except DomainError as refusal:
            done[asked] = refusal
    if isinstance(done[asked], DomainError):
        raise done[asked]
    found: T = done[asked]
    return found


class Whole:
    """One transaction for a verb and what belongs to it but comes before or after: see `whole`."""

    def __init__(self, first: Callable[[], None] | None, then: Callable[[], None]) -> None:
        self.all, self.effect = ExitStack(), ExitStack()
        self._first, self._then = first, then
        self._begun = False

    def begin(self) -> None:
        """Open the transaction, unless it is open."""
        if not self._begun:
            self._open()
            if self._first:
                self.effect.enter_context(transaction.atomic())
            self._then()

    def undo(self, error: Exception) -> None:
        """Take back everything since `first`, which stays, or is done now."""
        if not self._begun:
            self._open()
        self.effect.__exit__(type(error), error, error.__traceback__)
        if transaction.get_connection().needs_rollback:
            # Django keeps it to itself that this failed. The server has gone, and with it all of it.
            raise OperationalError(SERVER_LOST, "The savepoint is gone.") from error

    def _open(self) -> None:
        self.all.enter_context(transaction.atomic())
        self._begun = True
        if self._first:
            self._first()


_whole: ContextVar[Whole | None] = ContextVar("whole", default=None)


@contextmanager
def whole(first: Callable[[], None] | None, then: Callable[[], None]) -> Iterator[Whole]:
    """The verbs inside, and what is read and written after them, are one transaction.

    It is opened by the first verb and not before: what comes before a verb is slow, such as a
    password's hash, and would keep every other writer of the embedded database waiting. `first`
    and `then` come at its beginning; where there is a `first`, `undo` leaves what it did and takes back
    the rest. A verb that is refused takes back the others too.
    Whoever opens one retries it: see `again`.
    """
    made = Whole(first, then)
    token, going_on = _whole.set(made), _goes_on.set(False)
    try:
        with made.all, made.effect:
            yield made
    finally:
        _whole.reset(token)
        _goes_on.reset(going_on)


def after_commit(function: Callable[..., None], name: str) -> None:
    """Call `function` after the commit: one time, with every name that this is asked for, each once.

    Its failure is logged and undoes nothing: what is committed must not become an error. A name that
    a savepoint took back may be among them.
    """
    for _, waiting, *_ in transaction.get_connection().run_on_commit:
        if isinstance(waiting, _Call) and waiting.function is function:
            waiting.names[name] = None
            return
    transaction.on_commit(_Call(function, name), robust=True)


class _Call:
    def __init__(self, function: Callable[..., None], name: str) -> None:
        self.function, self.names = function, {name: None}
        # Django's line about one that failed asks for it.
        self.__qualname__ = function.__qualname__

    def __call__(self) -> None:
        self.function(*self.names)


def lock(rows: Callable[[], models.QuerySet[M]], pk: int, missing: Missing, counted: str = "") -> M:
    """The row, fresh and locked until the transaction ends; raises `missing` when it is gone.

    `counted` is a column that goes up by one in the same statement. `rows` is as in `lock_if_there`.
    """
    row, _ = lock_and_ask(rows, pk, missing, counted=counted)
    return row


def lock_and_ask(
    rows: Callable[[], models.QuerySet[M]],
    pk: int,
    missing: Missing,
    *questions: Question,
    counted: str = "",
) -> tuple[M, list[Any]]:
    """The row as by `lock`, and the answers to what is asked after it, in one way there and back."""
    row, answers = _locked(rows, pk, questions, counted)
    if row is None:
        raise missing
    return row, answers


def lock_if_there(rows: Callable[[], models.QuerySet[M]], pk: int, counted: str = "") -> M | None:
    """The row, fresh and locked until the transaction ends, if it is still one of `rows`.

    `rows` is a manager's function, `Customer.objects.existing`: what it says is written once.

    The lock is an UPDATE of `version`, not SELECT … FOR UPDATE: it also holds on a Galera
    cluster, where two nodes gave the same row to two readers but refuse the second writer.
    What is read after it is current, because the isolation is READ COMMITTED.
    """
    row, _ = _locked(rows, pk, (), counted)
    return row


def _locked(
    rows: Callable[[], models.QuerySet[M]], pk: int, questions: Iterable[Question], counted: str
) -> tuple[M | None, list[Any]]:
    move, by_number = _locking(rows, counted)
    is_there, found, *answers = ask([move.asked(pk), by_number.asked(pk), *questions])
    return found[0] if is_there else None, answers


def lock_all(rows: models.QuerySet[M], pks: Iterable[int]) -> dict[int, M]:
    """Those of `rows` that have these numbers, fresh and locked as by `lock`, in the order of their
    numbers.
    """
    wanted = list(pks)
    # In this order also where the database would find them in another.
    rows.filter(pk__in=wanted).order_by("pk").update(version=F("version") + 1)
    return rows.in_bulk(wanted)


@cache
def _locking(rows: Callable[[], models.QuerySet[Any]], counted: str) -> tuple[Move, Prepared]:
    moved = [name for name in ("version", counted) if name]
    move = Move(
        lambda number: rows().filter(pk=number), lambda _number: {n: F(n) + 1 for n in moved}
    )
    # Ours once it is moved, so it is asked for by its number alone.
    return move, Prepared(lambda number: rows().model._default_manager.filter(pk=number))
