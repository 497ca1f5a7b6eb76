"""Lists from a read replica, for those who did not just write.

A replica follows the database a moment behind. Who has just changed something must see it, so for
`LAG` seconds their lists come from the database itself. One that does not answer, or that is
further behind than `LAG`, is left alone for `PAUSE` seconds; then lists come from the database too.
Nothing else is ever read from it: a check before a write must see what is, not what was.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from auditlog.models import LogEntry
from django.conf import settings
from django.core.cache import caches
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import Max

from autoful import audit, outage
from autoful.actor import Actor, current_actor, current_origin
from autoful.limits import address_key

logger = logging.getLogger(__name__)
T = TypeVar("T")

REPLICA, DATABASE = "replica", "default"
LAG = 10  # seconds
PAUSE = 5  # seconds


def read(actor: Actor, build: Callable[[str], T]) -> tuple[T, str]:
    """What `build(alias)` makes of the replica or of the database, and which of them it was."""
    if is_named() and not _just_wrote(actor) and _watch.follows():
        try:
            return build(REPLICA), REPLICA
        except (OperationalError, InterfaceError) as silent:
            _watch.leave_alone(silent)
    return build(DATABASE), DATABASE


def is_named() -> bool:
    return REPLICA in settings.DATABASES


def remember_who_writes() -> None:
    """Note who changes something, by the entries of the audit trail; once, at start-up."""

    def note(model: type[models.Model]) -> None:
        # By the one who is signed in: a customer who registers is nobody yet.
        transaction.on_commit(partial(_note, _key(current_actor())), robust=True)

    if is_named():
        audit.on_change(note)


def _note(key: str) -> None:
    outage.ask(lambda: caches["lists"].set(key, 1, timeout=LAG))


def _just_wrote(actor: Actor) -> bool:
    """Whether this caller did within `LAG`, in any process; while nobody can tell, yes."""
    return outage.ask(lambda: caches["lists"].get(_key(actor), 0)) != 0


def _key(actor: Actor) -> str:
    if actor.user is not None:
        return f"wrote:account:{actor.user.pk}"
    origin = current_origin()
    return f"wrote:{address_key(origin.address if origin else None)}"


def _newest(alias: str) -> int:
    found = LogEntry.objects.using(alias).aggregate(newest=Max("pk"))
    return found["newest"] or 0


class _Watch:
    """Whether the replica answers and has what the database had `LAG` ago, asked now and then.

    Asked of the newest entry of the audit trail, where every change leaves one: SHOW REPLICA
    STATUS would need a privilege that the shop's account should not have, and says 0 seconds
    when the connection between the two is stuck.
    """

    def __init__(self) -> None:
        self._follows = False  # before LAG has passed nothing is known
        self._next_look = 0.0
        self._seen: int | None = None  # the database's newest entry, when we looked last

    def follows(self) -> bool:
        now = time.monotonic()
        if now < self._next_look:
            return self._follows
        self._next_look = now + LAG
        try:
            if self._seen is not None:
                self._follows = _newest(REPLICA) >= self._seen
                if not self._follows:
                    logger.warning("the replica is more than %s seconds behind", LAG)
            self._seen = _newest(DATABASE)
        except (OperationalError, InterfaceError) as silent:
            self.leave_alone(silent)
        return self._follows

    def leave_alone(self, silent: Exception) -> None:
        logger.warning("the replica does not answer; lists come from the database: %s", silent)
        self._follows, self._seen = False, None
        self._next_look = time.monotonic() + PAUSE


_watch = _Watch()


class OnlyListsAreRead:
    """Django's router: what was read from the replica is never written back to it."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return DATABASE

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DATABASE
