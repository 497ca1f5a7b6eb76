"""Redis not answering: ask it again only after a while.

Every question to a hung Redis costs half a second, so after one failure nobody asks for
`PAUSE_SECONDS`. Lists then come from the database, and each process counts calls for itself.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_SECONDS = 5
paused_until = 0.0


def ask(question: Callable[[], T]) -> T | None:
    """What the cache answers, or None while it cannot."""
    if time.monotonic() < paused_until:
        return None
    try:
        return question()
    except (RedisError, ConnectionInterrupted, OSError):
        pause()
        return None


def pause() -> None:
    global paused_until
    logger.warning("Redis does not answer; it is left alone for %s seconds", PAUSE_SECONDS)
    paused_until = time.monotonic() + PAUSE_SECONDS
