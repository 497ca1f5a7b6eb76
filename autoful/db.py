"""Transactions that lose a race and try again, and the row lock that every verb takes."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, models, transaction
from django.db.models import F

from autoful.errors import Busy, Missing

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

RETRIES = 3

# 1213 deadlock (rolls the whole transaction back), 1205 lock wait (only the statement),
# 1020 a record changed since it was read. MySQL and MariaDB number them alike.
LOST_RACES = {1213, 1205, 1020}


def lost_a_race(error: OperationalError) -> bool:
    """Whether the same transaction, run once more, may succeed."""
    return bool(error.args) and (
        error.args[0] in LOST_RACES or "database is locked" in str(error.args[0])
    )


def retrying(function: Callable[P, T]) -> Callable[P, T]:
    """Run `function` in one transaction, again when it loses a race, at most `RETRIES` times more.

    The retry stands outside the outermost transaction: after a lock wait the statement is undone
    and the transaction is not, so going on inside it would commit half a change. A verb called
    within another one joins its transaction, and the outer one retries.

    Raises Busy when every try was lost.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if transaction.get_connection().in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        for attempt in range(RETRIES + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not lost_a_race(error):
                    raise
                logger.info("lost a race", extra={"verb": function.__name__, "attempt": attempt})
                if attempt < RETRIES:
                    # Jitter, or the same rivals meet again at the same moment.
                    time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311
        raise Busy

    return run


def lock(rows: models.QuerySet[M], pk: int, missing: Missing) -> M:
    """The row, fresh and locked until the transaction ends; raises `missing` when it is gone."""
    row = lock_if_there(rows, pk)
    if row is None:
        raise missing
    return row


def lock_if_there(rows: models.QuerySet[M], pk: int) -> M | None:
    """The row, fresh and locked until the transaction ends, if it is still one of `rows`.

    The lock is an UPDATE of `version`, not SELECT … FOR UPDATE: it also holds on a Galera
    cluster, where two nodes gave the same row to two readers but refuse the second writer.
    What is read after it is current, because the isolation is READ COMMITTED.
    """
    if not rows.filter(pk=pk).update(version=F("version") + 1):
        return None
    return rows.get(pk=pk)
