"""Finding out what would become of every row of a file, without anything of it happening.

The verbs write, a few rows at a time, in a transaction that is taken back: so every refusal is the
verb's own, and nobody waits long for what is locked meanwhile.
"""

import time
from itertools import islice

from django.db import connection, transaction
from django.db.models import F, QuerySet

from autoful.actor import Actor, acting
from autoful.db import retrying
from autoful.sheets import progress, staging
from autoful.sheets.entries import Entry, Layout, Outcome
from autoful.sheets.models import Fate, SheetImport, SheetRow
from autoful.sheets.reading import UnreadableFile, read
from autoful.sheets.sheet import ShopSheet
from autoful.sheets.staging import Stopped

Status = SheetImport.Status

AT_ONCE = 20  # rows that are written down in one statement
CHUNK = 100  # rows that are looked at in one transaction
# Seconds between two of them on SQLite, where one writes at a time: who waits asks that often.
BREATH = 0.12


def check(job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    """Find out what would become of every row, and write that down beside it."""
    began = time.monotonic()
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt)
    counts, noted = dict.fromkeys(Fate.values, 0), 0
    try:
        staging.demand_rights(sheet, actor)
        _begin(job, mine)
        with staging.content(job) as file:
            size, rows = file.seek(0, 2), read(file)
            progress.tell(job, 0, size)
            _, headings = next(rows, (0, []))
            layout = Layout(sheet.columns, headings)
            seen: dict[object, int] = {}
            while chunk := [Entry(number, cells) for number, cells in islice(rows, CHUNK)]:
                outcomes = _tried(sheet, chunk, layout, seen, actor)
                _write_down(job, mine, chunk, outcomes)
                for outcome in outcomes:
                    counts[outcome.fate] += 1
                    noted += outcome.is_noted
                progress.tell(job, file.tell(), size, sum(counts.values()))
                if connection.vendor == "sqlite":
                    time.sleep(BREATH)
        if not any(counts.values()):
            raise UnreadableFile("There are no rows below the headings.")
    except (Stopped, UnreadableFile) as why:
        if mine.update(status=Status.UNREADABLE, said=str(why)[:500], unread=[]):
            staging.forget([job.pk])
        return
    mine.update(
        status=Status.CHECKED,
        counts=counts,
        noted=noted,
        unread=layout.unread,
        seconds=round(time.monotonic() - began, 3),
    )


class _TakenBack(Exception):
    pass


def _tried(
    sheet: ShopSheet, chunk: list[Entry], layout: Layout, seen: dict[object, int], actor: Actor
) -> list[Outcome]:
    """What becomes of these rows; afterwards nothing of it has happened."""
    outcomes: list[Outcome] = []

    def attempt() -> None:
        # Everything afresh: a row that was read for a try that lost its race says what that try did.
        outcomes[:] = sheet.outcomes([Entry(e.number, e.cells) for e in chunk], layout, seen, actor)
        raise _TakenBack

    try:
        with acting(actor):
            retrying(attempt, "sheets.check", goes_on=True)()
    except _TakenBack:
        pass
    return outcomes


def _demand_current(mine: QuerySet[SheetImport]) -> None:
    """Raise Stopped if this attempt was replaced."""
    # Locked: who has begun anew has forgotten the rows, and would find ours; or would lose theirs.
    if not mine.update(attempt=F("attempt")):
        raise Stopped("This was begun anew.")


def _begin(job: SheetImport, mine: QuerySet[SheetImport]) -> None:
    """Forget what an attempt before has written down. Raises Stopped."""
    with transaction.atomic():
        _demand_current(mine)
        staging.forget_rows(job.rows.all())


def _write_down(
    job: SheetImport, mine: QuerySet[SheetImport], chunk: list[Entry], outcomes: list[Outcome]
) -> None:
    with transaction.atomic():
        _demand_current(mine)
        SheetRow.objects.bulk_create(
            (
                SheetRow(
                    sheet_import=job,
                    number=entry.number,
                    cells=entry.cells,
                    fate=outcome.fate,
                    title=outcome.title[:300],
                    changes=outcome.changes,
                    remarks=outcome.remarks,
                    is_noted=outcome.is_noted,
                )
                for entry, outcome in zip(chunk, outcomes, strict=True)
            ),
            # A statement of all of them may be more than the database takes in one.
            batch_size=AT_ONCE,
        )
