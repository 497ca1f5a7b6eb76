"""Cached lists: 60 seconds, per list, audience and query, dropped on commit by every change.

Each list has a random version in the cache, and its pages are stored under it. Dropping a list is
giving it another version. A reader asks for the version before it reads the rows, so what was
read before a commit can only be stored under the version that the commit ended.

Which lists a change concerns is asked of the audit trail, because there every change passes,
conditional UPDATEs included: see `audit.on_change`.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import models, transaction

_lists_by_model: dict[type[models.Model], set[str]] = defaultdict(set)


def shows(name: str, *shown: type[models.Model]) -> None:
    """Declare that the list `name` shows data of these models."""
    for model in shown:
        _lists_by_model[model].add(name)


def drop_lists_showing(model: type[models.Model]) -> None:
    """Drop every list that shows `model`, once the change is committed."""
    for name in _lists_by_model.get(model, ()):
        # robust: a dead cache must not turn a committed write into an error.
        transaction.on_commit(partial(drop, name), robust=True)


def drop(name: str) -> None:
    """Drop every page of the list, for every audience, in every process."""
    cache.set(_version_key(name), uuid.uuid4().hex, timeout=None)


def cached_page(
    name: str, audience: str, asked: Mapping[str, Any], build: Callable[[], bytes]
) -> bytes:
    """The bytes of the page of a list that `asked` for, as `audience` may see it."""
    version = cache.get(_version_key(name))
    if version is None:
        cache.add(_version_key(name), uuid.uuid4().hex, timeout=None)
        version = cache.get(_version_key(name))
    if version is None:
        return build()  # the cache is away
    question = repr(sorted(asked.items())).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(question).hexdigest()
    key = f"page:{name}:{version}:{audience}:{digest}"
    page: bytes | None = cache.get(key)
    if page is None:
        page = build()
        cache.set(key, page, timeout=settings.LIST_CACHE_SECONDS)
    return page


def _version_key(name: str) -> str:
    return f"version:{name}"
