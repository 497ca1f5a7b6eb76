"""Cached lists: 60 seconds, per list, audience and query, dropped on commit by every change.

Each list has a version in the cache, the second it began and something random, and its pages are
stored with it. Dropping a list is giving it another version. A reader asks for the version before
it reads the rows, so what was read before a commit can only be stored with the version that the
commit ended.

Which lists a change concerns is asked of the audit trail, because there every change passes,
conditional UPDATEs included: see `audit.on_change`.
"""

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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


class Page(bytes):
    """A page, which says how long it is good: while its list has that version, and `until` then at
    most, in seconds since 1970.
    """

    list: str
    version: str
    until: float


def cached_page(
    name: str,
    audience: str,
    asked: Mapping[str, Any],
    build: Callable[[], bytes],
    may_be_behind: Callable[[], bool],
) -> Page:
    """The page of a list that `asked` for, as `audience` may see it.

    What was built from a source that `may_be_behind` is not kept while the list's last change is
    younger than that: it would stand for a minute without it.
    """
    slot = f"page:{name}:{audience}:{_digest(repr(sorted(asked.items())))}"
    kept = _kept(name, slot, build, may_be_behind)
    metrics.count("list_cache", list=name, result=kept.looked)
    page = Page(kept.answer)
    page.list, page.version, page.until = name, kept.version, kept.until
    return page


def is_current(page: Page) -> bool:
    """Whether the page still shows what the list is."""
    if page.until <= time.time():
        return False
    return outage.ask(lambda: _lists().get(_version_key(page.list))) == page.version


def count_hit(name: str) -> None:
    """A page of this list was good and is given again."""
    metrics.count("list_cache", list=name, result="hit")


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
    return _kept(name, f"total:{name}:{_digest(counted)}", build, may_be_behind).answer


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """An answer; the version of its list that it stands for, and until when; where it was found."""

    answer: T
    version: str
    until: float
    looked: str


def _kept(
    name: str, slot: str, build: Callable[[], T], may_be_behind: Callable[[], bool]
) -> _Kept[T]:
    found = outage.ask(lambda: _lists().get_many([_version_key(name), slot]))
    version = None if found is None else found.get(_version_key(name))
    if version is None:
        version = outage.ask(lambda: _begun(name))
    if found is None or version is None:
        return _Kept(build(), "", 0, "unavailable")
    if (kept := found.get(slot)) and kept[0] == version:
        return _Kept(kept[2], version, kept[1], "hit")
    answer, until = build(), 0.0
    if _age(version) > replica.BEHIND or not may_be_behind():
        seconds = settings.LIST_CACHE_SECONDS
        until = time.time() + seconds
        kept = version, until, answer
        outage.ask(lambda: _lists().set(slot, kept, timeout=seconds))
    return _Kept(answer, version, until, "miss")


def _new_version() -> str:
    return f"{time.time():.0f}-{uuid.uuid4().hex}"


def _age(version: str) -> float:
    """Seconds since the list changed, or since nobody knew its version."""
    began = version.partition("-")[0]
    # What an earlier release wrote has no time in it.
    return time.time() - float(began) if began.isdigit() and "-" in version else 0.0


def _begun(name: str) -> str | None:
    """The first version of a list, which one of those who ask at once gives it."""
    _lists().add(_version_key(name), _new_version(), timeout=None)
    version: str | None = _lists().get(_version_key(name))
    return version


def _lists() -> BaseCache:
    return caches["lists"]


def _version_key(name: str) -> str:
    return f"version:{name}"
