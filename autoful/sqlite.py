"""LIKE on SQLite minds neither case nor accents, as on MySQL: its own folds ASCII's case only."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@lru_cache(maxsize=256)
def _compiled(pattern: str, escape: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    parts, literal = [], False
    for character in pattern:
        if not literal and character == escape:
            literal = True
            continue
        parts.append(re.escape(character) if literal else wild.get(character, re.escape(character)))
        literal = False
    return re.compile("".join(parts), re.DOTALL)


def folded(text: str) -> str:
    """The text without case and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def like(pattern: str | None, value: Any, escape: str = "") -> bool | None:
    """SQL's `value LIKE pattern ESCAPE escape`."""
    if pattern is None or value is None:
        return None
    return bool(_compiled(folded(pattern), escape).fullmatch(folded(str(value))))


def teach(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Put our LIKE in the place of a new connection's own."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("like", 2, like, deterministic=True)
        connection.connection.create_function("like", 3, like, deterministic=True)
