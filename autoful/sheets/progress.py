"""How far a file is, told from one thread and asked by another, often in another process.

In the cache, not in the database: while an import writes, SQLite lets nobody else write, and nobody
sees what it has not committed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

from autoful.outage import ask

if TYPE_CHECKING:
    from autoful.sheets.models import SheetImport

SILENT = 30.0  # seconds without a word, after which whoever did it is taken for gone


@dataclass(frozen=True)
class Progress:
    done: int
    total: int
    rows: int
    at: float

    @property
    def percent(self) -> int:
        return min(self.done * 100 // self.total, 100) if self.total else 0


def tell(job: SheetImport, done: int, total: int, rows: int = 0) -> None:
    """So much of so much, and so many rows; every one of these is a sign of life."""
    so_far = Progress(done, total, rows, time.time())
    ask(lambda: cache.set(_key(job), so_far, timeout=3600))


def of(job: SheetImport) -> Progress | None:
    """The last that was heard of this attempt, if anything was."""
    return ask(lambda: cache.get(_key(job)))


def is_stale(job: SheetImport) -> bool:
    """Whether nothing was heard for so long that a worker that was stopped is the likeliest reason."""
    heard = of(job)
    last = heard.at if heard else job.began_at.timestamp()
    return time.time() - last > SILENT


def _key(job: SheetImport) -> str:
    return f"sheet:{job.pk}:{job.attempt}"
