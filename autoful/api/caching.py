"""Cached lists: 60 seconds, per list, audience and query, dropped on commit by every change.

Each list has a version in the cache, the second it began and something random. Its pages are kept
in the process that made them, with the version they were made for; the cache, which all processes
share, says whether that is still the list's. Dropping a list is giving it another version. A reader
asks for the version before it reads the rows, so what was read before a commit can only be kept
with the version that the commit ended.

Which lists a change concerns is asked of the audit trail, because there every change passes,
conditional UPDATEs included: see `audit.on_change`.
"""

import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.exceptions import EmptyResultSet
from django.db import models, transaction
from django.db.models import QuerySet

from autoful import metrics, outage
from autoful.api import replica
from autoful.api.shelf import Shelf
from autoful.db import after_commit

MOST_BYTES = 16_000_000  # of pages in each process
ROOM = 1_000  # bytes that one takes besides its text

_lists_by_model: dict[type[models.Model], set[str]] = defaultdict(set)
_seen: dict[str, str] = {}  # the version that this process has last seen of each list


def shows(name: str, *shown: type[models.Model]) -> None:
    """Declare that the list `name` shows data of these models."""
    for model in shown:
        _lists_by_model[model].add(name)


def drop_lists_showing(model: type[models.Model]) -> None:
    """Drop every list that shows `model`, once the change is committed."""
    for name in _lists_by_model.get(model, ()):
        after_commit(drop, name)


def drop(*names: str) -> None:
    """Drop every page of these lists, for every audience, in every process."""
    new = {_version_key(name): _new_version() for name in names}
    outage.ask(lambda: _lists().set_many(new, timeout=None))


def drop_all() -> None:
    """Drop every list: while Redis was away, no change could."""
    drop(*{name for names in _lists_by_model.values() for name in names})


class Page(bytes):
    """A page, which says how long it is good: while its list has that version, and `until` then at
    most, in seconds since 1970.
    """

    list: str
    version: str
    until: float


class Total(NamedTuple):
    """How many rows a list has; for how long, as of a Page."""

    version: str
    until: float
    total: int


_pages: Shelf[Page] = Shelf(MOST_BYTES)
_totals: Shelf[Total] = Shelf(MOST_BYTES // 16)


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
    slot = name, audience, _digest(repr(sorted(asked.items())))
    version = _version(name)
    page = _pages.get(slot)
    if page is not None and _is_good(page, version):
        metrics.count("list_cache", list=name, result="hit")
        return page
    metrics.count("list_cache", list=name, result="miss" if version else "unavailable")
    page = Page(build())
    page.list, page.version, page.until = name, version or "", 0
    if version and _may_be_kept(version, may_be_behind):
        page.until = time.time() + settings.LIST_CACHE_SECONDS
        _pages.put(slot, page, len(page) + ROOM)
    return page


def is_current(page: Page) -> bool:
    """Whether the page still shows what the list is."""
    # No version comes back: what this process has seen gone need not be asked for.
    return _is_good(page, _seen.get(page.list)) and _is_good(page, _version(page.list))


def count_hit(name: str) -> None:
    """A page of this list was good and is given again."""
    metrics.count("list_cache", list=name, result="hit")


def cached_total(
    name: str, rows: Callable[[], QuerySet[Any]], using: str, question: str = ""
) -> int:
    """How many `rows` a list has, which are of the database `using`; kept until its pages are dropped.

    It is kept for the `question` that the rows are the answer to, if there is one, else for their SQL,
    which has to be written to know it.
    """
    if transaction.get_connection(using).in_atomic_block:
        return rows().count()  # what a transaction sees may never be committed
    try:
        asked = question or repr(rows().order_by().values("pk").query.sql_with_params())
    except EmptyResultSet:
        return 0
    version = _version(name)
    if version is None:
        return rows().count()
    # Not under the name that an earlier release writes something else to, while both are about.
    slot = f"count:{name}:{_digest(asked)}"
    kept = _totals.get(slot)
    if kept is None or not _is_good(kept, version):
        # In the cache too, for the other processes: a page is made soon, counting a million rows is not.
        found = outage.ask(lambda: _lists().get(slot))
        kept = Total(*found) if found else None
    if kept is None or not _is_good(kept, version):
        until = time.time() + settings.LIST_CACHE_SECONDS
        kept = Total(version, until, rows().count())
        if not _may_be_kept(version, lambda: using == replica.REPLICA):
            return kept.total
        # A plain tuple: of a class of ours another release may know nothing.
        outage.ask(lambda: _lists().set(slot, (*kept,), timeout=settings.LIST_CACHE_SECONDS))
    _totals.put(slot, kept, ROOM)
    return kept.total


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()


def _is_good(kept: Page | Total, version: str | None) -> bool:
    """Whether it is what its list is, which has this version now."""
    return kept.version == version and kept.until > time.time()


def _may_be_kept(version: str, may_be_behind: Callable[[], bool]) -> bool:
    return _age(version) > replica.BEHIND or not may_be_behind()


def _version(name: str) -> str | None:
    """The list's version now, the first one if it has none; None while nobody can tell."""
    version: str | None = outage.ask(lambda: _lists().get(_version_key(name)))
    if version is None:
        version = outage.ask(lambda: _begun(name))
    if version is not None:
        _seen[name] = version
    return version


def _new_version() -> str:
    return f"{time.time():.0f}-{secrets.token_hex(16)}"


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
