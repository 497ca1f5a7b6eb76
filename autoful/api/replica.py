"""Lists from a read replica, for those who did not just write.

A replica follows the database a moment behind. Who has just changed something must see it, so for
`BEHIND` seconds their lists come from the database itself. One that does not answer, or that may be
further behind than that, is not asked; then lists come from the database too. Nothing else is ever
read from it: a check before a write must see what is, not what was.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from auditlog.models import LogEntry
from django.conf import settings
from django.core.cache import caches
from django.db import InterfaceError, OperationalError, models
from django.db.models import Max

from autoful import audit, outage
from autoful.actor import Actor, current_actor, current_origin
from autoful.db import after_commit
from autoful.limits import address_key
from autoful.unavailable import report_replica, unavailable

T = TypeVar("T")

REPLICA, DATABASE = "replica", "default"
LOOK = 5  # seconds from one look at the replica to the next
# What it was compared with is two looks old at most, and the verdict stands until the next one.
BEHIND = 3 * LOOK


def read(actor: Actor, build: Callable[[str], T]) -> tuple[T, str]:
    """What `build(alias)` makes of the replica or of the database, and which of them it was."""
    if is_named() and not _just_wrote(actor) and _watch.follows():
        try:
            return build(REPLICA), REPLICA
        except (OperationalError, InterfaceError) as silent:
            _watch.away(silent)
    return build(DATABASE), DATABASE


def is_named() -> bool:
    return REPLICA in settings.DATABASES


def remember_who_writes() -> None:
    """Note who changes something, by the entries of the audit trail; once, at start-up."""

    def note(model: type[models.Model]) -> None:
        # By the one who is signed in: a customer who registers is nobody yet.
        after_commit(_note, _key(current_actor()))

    if is_named():
        audit.on_change(note)
        # While it was away nobody could be noted.
        outage.on_return(lambda: _watch.begin_anew(after=BEHIND))


def _note(*keys: str) -> None:
    for key in keys:
        outage.ask(partial(caches["lists"].set, key, 1, timeout=BEHIND))


def _just_wrote(actor: Actor) -> bool:
    """Whether this caller did within `BEHIND`, in any process; while nobody can tell, yes."""
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
    """Whether the replica answers and has what the database had one look ago.

    Asked of the newest entry of the audit trail, where every change leaves one: SHOW REPLICA
    STATUS would need a privilege that the shop's account should not have, and says 0 seconds
    when the connection between the two is stuck.
    """

    def __init__(self) -> None:
        self._next_look = 0.0
        self.begin_anew(after=0)

    def begin_anew(self, *, after: float) -> None:
        """Nothing is known; look again `after` so many seconds."""
        self._follows = False
        self._seen: tuple[float, int] | None = None  # when, and the database's newest entry then
        self._next_look = time.monotonic() + after

    def follows(self) -> bool:
        now = time.monotonic()
        if now < self._next_look:
            return self._follows
        self._next_look = now + LOOK
        try:
            seen, self._seen = self._seen, (now, _newest(DATABASE))
        except (OperationalError, InterfaceError):
            # The database's own outage: the request ends with it, and the replica has no part in it.
            self.begin_anew(after=LOOK)
            raise
        try:
            # One from before a quiet hour would call a replica good that is an hour behind.
            known = seen is not None and now - seen[0] <= 2 * LOOK
            self._follows = known and _newest(REPLICA) >= seen[1]  # type: ignore[index]
        except (OperationalError, InterfaceError) as silent:
            self.away(silent)
        return self._follows

    def away(self, error: Exception) -> None:
        """It did not answer; raises what is no outage."""
        if not unavailable(error):
            raise error
        report_replica(error)
        self.begin_anew(after=LOOK)


_watch = _Watch()


class OnlyListsAreRead:
    """Django's router: what was read from the replica is never written back to it."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return DATABASE

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DATABASE
