"""What takes longer than a request may: a thread of its own, one at a time in each process."""

import contextvars
import logging
import threading
from collections.abc import Callable

from django.db import connections

from autoful.sheets import progress
from autoful.sheets.models import SheetImport

logger = logging.getLogger(__name__)

# Two files at once would take the processor from those who wait for a page.
_turn = threading.Semaphore(1)

FAILED = "Something went wrong that is no fault of the file. Nothing was saved. Try again."


def start(work: Callable[[], None], job: SheetImport) -> threading.Thread:
    """Do `work` beside the request, which is told of it by the job's row.

    A process that ends takes the thread along, and the database takes back what it had not committed.
    """
    # Who asked, from where, and by which request: for the audit trail.
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(_run, work, job), name=f"import {job.pk}", daemon=True
    )
    thread.start()
    return thread


def _run(work: Callable[[], None], job: SheetImport) -> None:
    try:
        _work(work, job)
    finally:
        connections.close_all()


def _work(work: Callable[[], None], job: SheetImport) -> None:
    try:
        while not _turn.acquire(timeout=progress.SILENT / 3):
            progress.tell(job, 0, 0)  # waiting is no silence
            if not SheetImport.objects.filter(pk=job.pk, attempt=job.attempt).exists():
                return  # somebody has begun anew, or thought better of it
        try:
            work()
        finally:
            _turn.release()
    except Exception:
        logger.exception("An import has failed")
        _tell(job)


def _tell(job: SheetImport) -> None:
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt)
    try:
        # To be looked at again, and then imported.
        running = (SheetImport.Status.CHECKING, SheetImport.Status.IMPORTING)
        mine.filter(status__in=running).update(status=SheetImport.Status.CHECKED, said=FAILED)
    except Exception:
        logger.exception("An import has failed, and so has saying so")
