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
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.exceptions import EmptyResultSet
from django.db import models, transaction
from django.db.models import QuerySet

from autoful import metrics, outage
from autoful.api import replica
from autoful.db import after_commit

T = TypeVar("T")

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
    return _kept(
        "page", name, f"{audience}:{_digest(repr(sorted(asked.items())))}", build, may_be_behind
    )


def cached_total(
    name: str, rows: QuerySet[Any], build: Callable[[], int], may_be_behind: Callable[[], bool]
) -> int:
    """How many rows of a list there are: what `build` counts, dropped with the list's pages."""
    if transaction.get_connection(rows.db).in_atomic_block:
        return build()  # what a transaction sees may never be committed
    try:
        counted = repr(rows.order_by().values("pk").query.sql_with_params())
    except EmptyResultSet:
        return 0
    return _kept("total", name, _digest(counted), build, may_be_behind)


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()


def _kept(
    kind: str, name: str, asked: str, build: Callable[[], T], may_be_behind: Callable[[], bool]
) -> T:
    version = outage.ask(lambda: _version(name))
    if version is None:
        _looked(kind, name, "unavailable")
        return build()
    key = f"{kind}:{name}:{version}:{asked}"
    answer: T | None = outage.ask(lambda: _lists().get(key))
    _looked(kind, name, "miss" if answer is None else "hit")
    if answer is None:
        answer = build()
        if _age(version) > replica.BEHIND or not may_be_behind():
            kept = answer
            outage.ask(lambda: _lists().set(key, kept, timeout=settings.LIST_CACHE_SECONDS))
    return answer


def _looked(kind: str, name: str, result: str) -> None:
    if kind == "page":
        metrics.count("list_cache", list=name, result=result)


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
