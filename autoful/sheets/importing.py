"""A file into the shop: uploaded, looked at, imported as a whole or not at all.

Looking at it writes each row by the same verbs as importing it does, a few at a time, and takes them
back: so every refusal is the verb's own, and nobody waits long for what is locked meanwhile. The
import is one transaction. A row that would become of it something else than was shown stops it.
"""

import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import IO, Any

from django.contrib.auth.signals import user_logged_in
from django.core.files import File
from django.db import Error, connection, transaction
from django.db.models import F
from django.utils import timezone

from autoful import audit
from autoful.accounts.models import User
from autoful.actor import Actor, acting
from autoful.db import retrying
from autoful.errors import DomainError, Forbidden
from autoful.sheets import progress
from autoful.sheets.models import Fate, SheetImport, SheetPiece, SheetRow
from autoful.sheets.reading import LARGEST_FILE, UnreadableFile, read
from autoful.sheets.sheet import Entry, Layout, Outcome, ShopSheet
from autoful.verbs import verb

logger = logging.getLogger(__name__)

Status = SheetImport.Status

PIECE = 1024 * 1024  # bytes; far below what a database takes in one statement
CHUNK = 100  # rows that are looked at in one transaction
# Seconds between two of them on SQLite, where one writes at a time: who waits asks that often.
BREATH = 0.12
KEPT = timedelta(days=1)


class NotReady(DomainError):
    """What is asked of a file that is in another state by now."""

    code = "not_ready"
    status = 409


def person(actor: Actor) -> User:
    """Whose file it is: somebody's of the back office."""
    if actor.user is None:
        raise Forbidden("Only people import files.")
    return actor.user


class Stopped(Exception):
    """A row became something else than was shown, or somebody has begun anew."""


@verb
def upload(*, kind: str, file: File, actor: Actor) -> SheetImport:
    """Take in a file, to be looked at by `check`. Whatever its person uploaded before and did not import is forgotten.

    Raises UnreadableFile for one that is empty or too large, NotReady while an import of theirs runs.
    """
    if not file.size:
        raise UnreadableFile("The file is empty.")
    if file.size > LARGEST_FILE:
        largest = LARGEST_FILE // 1024 // 1024
        raise UnreadableFile(f"The file is larger than {largest} MB. Cut it in pieces.")
    user = person(actor)
    theirs = SheetImport.objects.filter(user=user)
    for before in theirs.filter(status__in=(Status.CHECKING, Status.CHECKED, Status.IMPORTING)):
        if before.status == Status.IMPORTING and not progress.is_stale(before):
            raise NotReady(f"“{before}” is being imported. Wait until it is done.")
        discard(job=before, actor=actor)
    job = SheetImport.objects.create(kind=kind, file_name=str(file.name)[:200], user=user)
    for piece in file.chunks(PIECE):
        SheetPiece.objects.create(sheet_import=job, content=piece)
    return job


@verb
def begin_check(*, job: SheetImport, actor: Actor) -> SheetImport:
    """Look at the file once more: the shop has changed since, or whoever looked was interrupted."""
    again = SheetImport.objects.filter(pk=job.pk, status__in=(Status.CHECKING, Status.CHECKED))
    return _begun(again, job, Status.CHECKING)


@verb
def begin_import(*, job: SheetImport, actor: Actor) -> SheetImport:
    """Say yes to what was shown. Raises NotReady when there is something to be refused."""
    job.refresh_from_db()
    stale = job.status == Status.IMPORTING and progress.is_stale(job)
    if not job.is_importable and not stale:
        raise NotReady("This file cannot be imported as it is.")
    return _begun(SheetImport.objects.filter(pk=job.pk, status=job.status), job, Status.IMPORTING)


def _begun(found: object, job: SheetImport, status: str) -> SheetImport:
    mine = {"attempt": job.attempt}  # of two who ask at once, one
    changed = found.filter(**mine).update(  # type: ignore[attr-defined]
        status=status, attempt=F("attempt") + 1, began_at=timezone.now(), said=""
    )
    if not changed:
        raise NotReady("This file is in another state by now. Look at its page again.")
    job.refresh_from_db()
    return job


@verb
def discard(*, job: SheetImport, actor: Actor) -> None:
    """Forget the file without importing it. Raises NotReady once it is imported, or while it is."""
    waiting = SheetImport.objects.filter(pk=job.pk).exclude(status=Status.DONE)
    if not progress.is_stale(job):
        waiting = waiting.exclude(status=Status.IMPORTING)
    if not waiting.update(status=Status.DISCARDED, attempt=F("attempt") + 1):
        raise NotReady("This file is imported already.")
    _forget([job.pk])


def forget_old() -> None:
    """What nobody has imported for a day is nobody's to keep: names, phones, prices."""
    old = SheetImport.objects.filter(began_at__lt=timezone.now() - KEPT)
    waiting = old.exclude(status__in=(Status.DONE, Status.DISCARDED, Status.UNREADABLE))
    for pk in waiting.values_list("pk", flat=True):
        SheetImport.objects.filter(pk=pk).update(status=Status.DISCARDED, attempt=F("attempt") + 1)
    # Also of those that were stopped before they could.
    for model in (SheetPiece, SheetRow):
        left = model._default_manager.filter(sheet_import__in=old).values_list("sheet_import")
        _forget([pk for (pk,) in left.distinct()])


def forget_at_sign_in() -> None:
    """Let every sign-in to the back office do so; nobody stays signed in for longer than a day."""

    def signed_in(**kwargs: Any) -> None:
        try:
            forget_old()
        except Error:  # must not keep anybody out
            logger.exception("Old files could not be forgotten")

    user_logged_in.connect(signed_in, dispatch_uid="autoful.sheets.forget", weak=False)


def _forget(imports: list[int]) -> None:
    for model in (SheetPiece, SheetRow):
        rows = model._default_manager.filter(sheet_import__in=imports)
        while some := list(rows.order_by("pk").values_list("pk", flat=True)[: 10 * CHUNK]):
            rows.filter(pk__in=some).delete()


# --- Looking at it ---


def check(job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    """Find out what would become of every row, and write that down beside it."""
    began = time.monotonic()
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt)
    _forget_rows(job)
    counts = dict.fromkeys(Fate.values, 0)
    try:
        with _file(job) as file:
            size, rows = file.seek(0, 2), read(_rewound(file))
            progress.tell(job, 0, size)
            _, headings = next(rows, (0, []))
            layout = Layout(sheet, headings)
            seen: dict[object, int] = {}
            while chunk := [Entry(number, cells) for number, cells in islice(rows, CHUNK)]:
                outcomes = _tried(sheet, chunk, layout, seen, actor)
                _write_down(job, mine, chunk, outcomes)
                for outcome in outcomes:
                    counts[outcome.fate] += 1
                progress.tell(job, file.tell(), size, sum(counts.values()))
                if connection.vendor == "sqlite":
                    time.sleep(BREATH)
        if not any(counts.values()):
            raise UnreadableFile("There are no rows below the headings.")
    except Stopped:
        return
    except UnreadableFile as refusal:
        mine.update(status=Status.UNREADABLE, said=refusal.message)
        _forget([job.pk])
        return
    mine.update(
        status=Status.CHECKED,
        counts=counts,
        unread=layout.unread,
        seconds=round(time.monotonic() - began, 3),
    )


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _file(job: SheetImport) -> IO[bytes]:
    """The file as it was uploaded, beside the memory."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    # By their numbers: the driver would hold all pieces at once.
    for pk in job.pieces.order_by("pk").values_list("pk", flat=True):
        file.write(bytes(job.pieces.get(pk=pk).content))
    return file


class _TakenBack(Exception):
    pass


def _tried(
    sheet: ShopSheet, chunk: list[Entry], layout: Layout, seen: dict[object, int], actor: Actor
) -> list[Outcome]:
    """What becomes of these rows; afterwards nothing of it has happened."""
    outcomes: list[Outcome] = []

    def attempt() -> None:
        # Everything afresh: a row that was read for a try that lost its race says what that try did.
        outcomes[:] = _taken(sheet, [Entry(e.number, e.cells) for e in chunk], layout, seen, actor)
        raise _TakenBack

    try:
        with acting(actor):
            retrying(attempt, "sheets.check")()
    except _TakenBack:
        pass
    return outcomes


def _taken(
    sheet: ShopSheet, chunk: list[Entry], layout: Layout, seen: dict[object, int], actor: Actor
) -> list[Outcome]:
    sheet.parse(chunk, layout)
    sheet.find(chunk, seen)
    return [sheet.take(entry, actor) for entry in chunk]


def _write_down(
    job: SheetImport, mine: object, chunk: list[Entry], outcomes: list[Outcome]
) -> None:
    with transaction.atomic():
        # Locked: who has begun anew has forgotten these rows, and would find them again.
        if not mine.update(attempt=F("attempt")):  # type: ignore[attr-defined]
            raise Stopped
        SheetRow.objects.bulk_create(
            SheetRow(
                sheet_import=job,
                number=entry.number,
                cells=entry.cells,
                fate=outcome.fate,
                title=outcome.title[:300],
                changes=outcome.changes,
                remarks=outcome.remarks,
            )
            for entry, outcome in zip(chunk, outcomes, strict=True)
        )


def _forget_rows(job: SheetImport) -> None:
    while some := list(job.rows.order_by("pk").values_list("pk", flat=True)[: 10 * CHUNK]):
        job.rows.filter(pk__in=some).delete()


# --- Importing it ---


def carry_out(job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    """Write every row that is new or changed, or none."""
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt)
    try:
        _import(job=job, sheet=sheet, actor=actor)
    except Stopped as stopped:
        mine.update(status=Status.CHECKED, said=str(stopped)[:500])
        return
    _forget([job.pk])


@verb
def _import(*, job: SheetImport, sheet: ShopSheet, actor: Actor) -> None:
    # Locked, and first: whoever else was to import this waits here, and then finds it done. Rows
    # are locked in the order of the file. Who meets us the other way round is the one who loses,
    # because we have written more, and tries again.
    mine = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt, status=Status.IMPORTING)
    if not mine.update(status=Status.DONE):
        raise Stopped("This import was begun anew.")
    layout = _layout(job, sheet)
    seen: dict[object, int] = {}
    done, total = 0, job.to_write
    for rows in _pieces(job):
        entries = [Entry(row.number, row.cells) for row in rows]
        for row, outcome in zip(rows, _taken(sheet, entries, layout, seen, actor), strict=True):
            if outcome.fate == Fate.REFUSED:
                why = " ".join(outcome.remarks)
                raise Stopped(f"Row {row.number}, {row.title}: {why} Nothing was saved.")
            if (outcome.fate, outcome.changes) != (row.fate, row.changes):
                raise Stopped(
                    f"Row {row.number}, {row.title}: the shop has changed since this file was "
                    "looked at. Nothing was saved."
                )
        done += len(rows)
        progress.tell(job, done, total, done)
    kind = sheet.model._meta.verbose_name_plural
    new, changed = job.count(Fate.NEW), job.count(Fate.CHANGED)
    said = f"{kind} from {job.file_name}: {new} new, {changed} changed"
    audit.record_event(person(actor), "imported", said=said)


def _layout(job: SheetImport, sheet: ShopSheet) -> Layout:
    with _file(job) as file:
        return Layout(sheet, next(read(_rewound(file)))[1])


def _pieces(job: SheetImport) -> Iterator[list[SheetRow]]:
    rows = job.rows.filter(fate__in=(Fate.NEW, Fate.CHANGED)).order_by("number")
    last = 0
    while piece := list(rows.filter(number__gt=last)[:CHUNK]):
        yield piece
        last = piece[-1].number
