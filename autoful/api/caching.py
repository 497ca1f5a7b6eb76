"""Cached lists: 60 seconds, per list, audience and query, dropped on commit by every change.

Each list has a version in the cache, the second it began and something random, and its pages are
stored under it. Dropping a list is giving it another version. A reader asks for the version before
it reads the rows, so what was read before a commit can only be stored under the version that the
commit ended.

Which lists a change concerns is asked of the audit trail, because there every change passes,
conditional UPDATEs included: see `audit.on_change`.
"""

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.db import models

from autoful import metrics, outage
from autoful.api import replica
from autoful.db import after_commit

_lists_by_model: dict[type[models.Model], set[str]] = defaultdict(set)


def shows(name: str, *shown: type[models.Model]) -> None:
    """Declare that the list `name` shows data of these models."""
    for model in shown:
        _lists_by_model[model].add(name)


def drop_lists_showing(model: type[models.Model]) -> None:
    """Drop every list that shows `model`, once the change is committed."""
    for name in _lists_by_model.get(model, ()):
        after_commit(drop, name)


def drop(name: str) -> None:
    """Drop every page of the list, for every audience, in every process."""
    outage.ask(lambda: _lists().set(_version_key(name), _new_version(), timeout=None))


def drop_all() -> None:
    """Drop every list: while Redis was away, no change could."""
    for name in {name for names in _lists_by_model.values() for name in names}:
        drop(name)


def cached_page(
    name: str,
    audience: str,
    asked: Mapping[str, Any],
    build: Callable[[], bytes],
    may_be_behind: Callable[[], bool],
) -> bytes:
    """The bytes of the page of a list that `asked` for, as `audience` may see it.

    What was built from a source that `may_be_behind` is not kept while the list's last change is
    younger than that: it would stand for a minute without it.
    """
    version = outage.ask(lambda: _version(name))
    if version is None:
        metrics.count("list_cache", list=name, result="unavailable")
        return build()
    question = repr(sorted(asked.items())).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(question).hexdigest()
    key = f"page:{name}:{version}:{audience}:{digest}"
    page: bytes | None = outage.ask(lambda: _lists().get(key))
    metrics.count("list_cache", list=name, result="miss" if page is None else "hit")
    if page is None:
        page = build()
        if _age(version) > replica.BEHIND or not may_be_behind():
            outage.ask(lambda: _lists().set(key, page, timeout=settings.LIST_CACHE_SECONDS))
    return page


def _new_version() -> str:
    return f"{time.time():.0f}-{uuid.uuid4().hex}"


def _age(version: str) -> float:
    """Seconds since the list changed, or since nobody knew its version."""
    began = version.partition("-")[0]
    # What an earlier release wrote has no time in it.
    return time.time() - float(began) if began.isdigit() and "-" in version else 0.0


def _version(name: str) -> str | None:
    key = _version_key(name)
    version: str | None = _lists().get(key)
    if version is None:
        _lists().add(key, _new_version(), timeout=None)
        version = _lists().get(key)
    return version


def _lists() -> BaseCache:
    return caches["lists"]


def _version_key(name: str) -> str:
    return f"version:{name}"
