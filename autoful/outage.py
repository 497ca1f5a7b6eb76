"""Redis away: found out once, then nobody waits for it until it answers again.

Every question to Redis, whichever cache asks it, passes `Client`. One that fails opens the breaker
for the whole process: from then on questions fail at once without being asked, and a thread of
its own asks until Redis takes a write again. Meanwhile lists come from the database, and each
process counts calls for itself.

Away is dead, hung, out of reach, or answering with an error: loading, read-only, out of memory,
another password.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django_redis.client import DefaultClient
from django_redis.exceptions import ConnectionInterrupted
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from autoful import metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

ASK_EVERY = 1.0  # seconds, while it is away
WATCHING = "watching Redis"  # the name of the thread
PICKLED = b"\x80"  # how what is no number begins, as django-redis writes it

_listeners: list[Callable[[], None]] = []


class Away(RedisConnectionError):
    """Not asked: Redis did not answer the last time."""


class Breaker:
    """Whether Redis is away, for all threads of this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Take Redis for present; what watched it before is no longer listened to."""
        self._lock = threading.Lock()
        self._watch: object = None

    @property
    def is_open(self) -> bool:
        return self._watch is not None

    def open(self, failure: Exception, ask_again: Callable[[], Any]) -> None:
        """Redis is away from now on, until `ask_again` raises nothing."""
        with self._lock:
            if self._watch is not None:
                return
            self._watch = watch = object()
            thread = threading.Thread(
                target=self._until_it_answers,
                args=(watch, ask_again),
                name=WATCHING,
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError:  # no thread to be had, so nobody would close it
                self._watch = None
                return
        metrics.count("redis_failures")
        metrics.redis_is_away(True)
        # Its kind and not its text, which may name hosts and keys.
        logger.warning("Redis is away", extra={"failure": type(failure).__name__})

    def _until_it_answers(self, watch: object, ask_again: Callable[[], Any]) -> None:
        began = time.monotonic()
        while not _answers(ask_again):
            time.sleep(ASK_EVERY)
        with self._lock:
            if self._watch is not watch:
                return
            self._watch = None
            metrics.redis_is_away(False)
        logger.warning("Redis is back", extra={"away": round(time.monotonic() - began, 1)})
        # After closing: what was skipped because the breaker was open came before this.
        for listener in _listeners:
            listener()


breaker = Breaker()
if hasattr(os, "register_at_fork"):
    # A fork copies the open breaker and not the thread that would close it.
    os.register_at_fork(after_in_child=breaker.reset)


class Client(Redis):
    """django-redis' client, which asks nothing while Redis is away.

    Each thread has one for each cache, and each of them keeps a connection: to take one from the pool
    and give it back takes as long as to ask a question.
    """

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if breaker.is_open:
            raise Away
        try:
            self._keep_connected()
            return super().execute_command(*args, **options)
        except (RedisError, OSError) as failure:
            breaker.open(failure, self._ask_again)
            raise

    def _keep_connected(self) -> None:
        if self.connection is None or self.connection.pid != os.getpid():  # a fork has copied it
            self.connection = self.connection_pool.get_connection()
            return
        if not self.connection.is_connected:
            return  # whatever is asked connects it
        try:
            is_stale = self.connection.can_read()  # nothing was asked, so it says that it has ended
        except (RedisError, OSError):
            is_stale = True
        if is_stale:
            self.connection.disconnect()

    def _ask_again(self) -> None:
        # By a connection of its own, in the watch's thread. And a write: one that is full or only a
        # replica still answers a ping.
        Redis(connection_pool=self.connection_pool).set("autoful:asked", "1", px=1000)


class CacheClient(DefaultClient):
    """django-redis' client of a cache, whose pipelines would ask past the one above."""

    def decode(self, value: bytes) -> Any:
        # Theirs tries whether each is a number first, which takes longer than to read what is none.
        is_number = not value.startswith(PICKLED)
        return super().decode(value) if is_number else self._serializer.loads(value)

    def set_many(
        self,
        data: dict[str, Any],
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
        client: Redis | None = None,
    ) -> None:
        if timeout is not None:
            raise NotImplementedError("What is set together is kept until it is set anew.")
        client = client or self.get_client(write=True)
        client.mset({self.make_key(k, version): self.encode(v) for k, v in data.items()})


def _answers(question: Callable[[], Any]) -> bool:
    try:
        question()
    except Exception:  # whatever it is, Redis is not back
        return False
    return True


def on_return(listener: Callable[[], None]) -> None:
    """Call `listener` whenever Redis has come back."""
    _listeners.append(listener)


def ask(question: Callable[[], T]) -> T | None:
    """What the cache answers, or None while it cannot."""
    try:
        return question()
    except (RedisError, ConnectionInterrupted, OSError):
        return None
