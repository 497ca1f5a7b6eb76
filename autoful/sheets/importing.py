"""A file that was looked at and said yes to, into the shop: as a whole or not at all.

One transaction. A row that would become of it something else than was shown stops it.
"""

from collections.abc import Iterator

from autoful import audit
from autoful.actor import Actor
from autoful.sheets import progress, staging
from autoful.sheets.entries import Entry, Layout
from autoful.sheets.models import Fate, SheetImport, SheetRow
from autoful.sheets.reading import read
from autoful.sheets.sheet import ShopSheet
from autoful.sheets.staging import Stopped
from autoful.verbs import verb

Status = SheetImport.Status

CHUNK = 200  # rows that are in memory at once


def carry_out(job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    """Write every row that is new or changed, or none."""
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt)
    try:
        _import(job=job, sheet=sheet, actor=actor)
    except Stopped as stopped:
        mine.filter(status=Status.IMPORTING).update(status=Status.CHECKED, said=str(stopped)[:500])
        return
    staging.forget([job.pk])


@verb
def _import(*, job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    # Locked, and first: whoever else was to import this waits here, and then finds it done. Rows
    # are locked piece by piece, each in the order of their numbers, and what their verbs lock besides
    # comes after them. Who meets us the other way round is the one who loses, because we have written
    # more, and tries again.
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt, status=Status.IMPORTING)
    if not mine.update(status=Status.DONE, unread=[]):
        raise Stopped("This import was begun anew.")
    staging.demand_rights(sheet, actor)
    layout = _layout(job, sheet)
    seen: dict[object, int] = {}
    done, total = 0, job.to_write
    for rows in _pieces(job):
        entries = [Entry(row.number, row.cells) for row in rows]
        outcomes = sheet.outcomes(entries, layout, seen, actor, locking=True)
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.fate == Fate.REFUSED:
                why = " ".join(outcome.remarks)
                raise Stopped(f"Row {row.number}, {row.title}: {why} Nothing was saved.")
            became = outcome.fate, outcome.title[:300], outcome.changes
            if became != (row.fate, row.title, row.changes):
                raise Stopped(
                    f"Row {row.number}, {row.title}: the shop has changed since this file was "
                    "looked at. Nothing was saved."
                )
        done += len(rows)
        progress.tell(job, done, total, done)
    if done != total:  # whatever was shown is not what is there
        raise Stopped("Not every row that was looked at is there. Nothing was saved.")
    kind = sheet.model._meta.verbose_name_plural
    new, changed = job.count(Fate.NEW), job.count(Fate.CHANGED)
    said = f"{kind} from {job.file_name}: {new} new, {changed} changed"
    audit.record_event(staging.person(actor), "imported", said=said)


def _layout(job: SheetImport, sheet: ShopSheet) -> Layout:
    with staging.content(job) as file:
        return Layout(sheet.columns, next(read(file))[1])


def _pieces(job: SheetImport) -> Iterator[list[SheetRow]]:
    rows = job.rows.filter(fate__in=(Fate.NEW, Fate.CHANGED)).order_by("number")
    last = 0
    while piece := list(rows.filter(number__gt=last)[:CHUNK]):
        yield piece
        last = piece[-1].number
