"""A file's way into the shop, as far as its person is asked: uploaded, to be looked at, to be imported,
discarded; and forgotten.

What it is looked at by stands in looking.py, what imports it in importing.py.
"""

import logging
import tempfile
from datetime import timedelta
from typing import IO, Any

from django.contrib.auth.signals import user_logged_in
from django.core.files import File
from django.db import Error
from django.db.models import F, QuerySet
from django.utils import timezone

from autoful.accounts.models import User
from autoful.actor import Actor
from autoful.errors import DomainError, Forbidden
from autoful.sheets import progress
from autoful.sheets.limits import LARGEST_FILE
from autoful.sheets.models import SheetImport, SheetPiece, SheetRow
from autoful.sheets.reading import UnreadableFile
from autoful.sheets.sheet import ShopSheet
from autoful.verbs import verb

logger = logging.getLogger(__name__)

Status = SheetImport.Status

PIECE = 1024 * 1024  # bytes; far below what a database takes in one statement
FORGOTTEN_AT_ONCE = 1_000  # rows
KEPT = timedelta(days=1)


class NotReady(DomainError):
    """What is asked of a file that is in another state by now."""

    code = "not_ready"
    status = 409


class Stopped(Exception):
    """A row became something else than was shown, or somebody has begun anew."""


def person(actor: Actor) -> User:
    """Whose file it is: somebody's of the back office."""
    if actor.user is None:
        raise Forbidden("Only people import files.")
    return actor.user


def demand_rights(sheet: ShopSheet, actor: Actor) -> None:
    """Raise Stopped when its person has lost the right since, or has left: it may wait for its turn."""
    user = User.objects.filter(pk=person(actor).pk).first()
    if user is None or not sheet.may_be_imported_by(user):
        raise Stopped("You may not import this any more. Nothing was saved.")


def waiting(kind: str, user: User) -> QuerySet[SheetImport]:
    """What this person uploaded and has neither imported nor discarded; also what is imported just now."""
    unfinished = (Status.CHECKING, Status.CHECKED, Status.IMPORTING)
    return SheetImport.objects.filter(kind=kind, user=user, status__in=unfinished)


@verb
def upload(*, kind: str, file: File, actor: Actor) -> SheetImport:
    """Take in a file, to be looked at by `check`. The one `waiting` before is forgotten.

    Raises UnreadableFile for one that is empty or too large, NotReady while an import of theirs runs.
    """
    if not file.size:
        raise UnreadableFile("The file is empty.")
    if file.size > LARGEST_FILE:
        largest = LARGEST_FILE // 1024 // 1024
        raise UnreadableFile(f"The file is larger than {largest} MB. Cut it in pieces.")
    user = person(actor)
    for before in waiting(kind, user):
        discard(job=before, actor=actor)
    job = SheetImport.objects.create(kind=kind, file_name=str(file.name)[:200], user=user)
    for piece in file.chunks(PIECE):
        SheetPiece.objects.create(sheet_import=job, content=piece)
    return job


@verb
def begin_check(*, job: SheetImport, actor: Actor) -> SheetImport:
    """Look at the file once more: the shop has changed since, or whoever looked was interrupted.

    Raises NotReady while somebody looks at it.
    """
    job.refresh_from_db()
    stale = job.status == Status.CHECKING and progress.is_stale(job)
    if job.status != Status.CHECKED and not stale:
        raise NotReady("This file cannot be looked at again now.")
    return _begun(job, Status.CHECKING)


@verb
def begin_import(*, job: SheetImport, actor: Actor) -> SheetImport:
    """Say yes to what was shown. Raises NotReady when there is something to be refused."""
    job.refresh_from_db()
    stale = job.status == Status.IMPORTING and progress.is_stale(job)
    if not job.is_importable and not stale:
        raise NotReady("This file cannot be imported as it is.")
    return _begun(job, Status.IMPORTING)


def _begun(job: SheetImport, status: str) -> SheetImport:
    # As it was just now: of two who ask at once, one.
    same = SheetImport.objects.filter(pk=job.pk, status=job.status, attempt=job.attempt)
    changed = same.update(status=status, attempt=F("attempt") + 1, began_at=timezone.now(), said="")
    if not changed:
        raise NotReady("This file is in another state by now. Look at its page again.")
    job.refresh_from_db()
    return job


@verb
def discard(*, job: SheetImport, actor: Actor) -> None:
    """Forget the file without importing it. Raises NotReady once it is imported, or while it is."""
    job.refresh_from_db()
    if job.status == Status.IMPORTING and not progress.is_stale(job):
        raise NotReady(f"“{job}” is being imported. Wait until it is done.")
    # As it was just now: of one that somebody begins to import at this moment nothing is taken away.
    waiting = SheetImport.objects.filter(pk=job.pk, attempt=job.attempt).exclude(status=Status.DONE)
    if not _discard(waiting):
        raise NotReady("This file is imported already.")
    forget([job.pk])


def _discard(found: QuerySet[SheetImport]) -> int:
    """How many of these are discarded now. Names may stand in what was said of a row, and in headings."""
    return found.update(
        status=Status.DISCARDED, attempt=F("attempt") + 1, said="", unread=[], counts={}
    )


def content(job: SheetImport) -> IO[bytes]:
    """The file as it was uploaded, beside the memory."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    # By their numbers: the driver would hold all pieces at once.
    for pk in job.pieces.order_by("pk").values_list("pk", flat=True):
        file.write(bytes(job.pieces.get(pk=pk).content))
    return file


def forget_old() -> None:
    """What nobody has imported for a day is nobody's to keep: names, phones, prices."""
    old = SheetImport.objects.filter(began_at__lt=timezone.now() - KEPT)
    _discard(old.exclude(status__in=(Status.DONE, Status.DISCARDED, Status.UNREADABLE)))
    old.exclude(said="").update(said="")
    # Also of those that were stopped before they could.
    for model in (SheetPiece, SheetRow):
        left = model._default_manager.filter(sheet_import__in=old).values_list("sheet_import")
        forget([pk for (pk,) in left.distinct()])


def forget_at_sign_in() -> None:
    """Let every sign-in to the back office do so; nobody stays signed in for longer than a day."""

    def signed_in(**kwargs: Any) -> None:
        try:
            forget_old()
        except Error:  # must not keep anybody out
            logger.exception("Old files could not be forgotten")

    user_logged_in.connect(signed_in, dispatch_uid="autoful.sheets.forget", weak=False)


def forget(imports: list[int]) -> None:
    """What these files held; that they were there stays."""
    for model in (SheetPiece, SheetRow):
        forget_rows(model._default_manager.filter(sheet_import__in=imports))


def forget_rows(rows: QuerySet[Any]) -> None:
    """In pieces, however many."""
    while some := list(rows.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        rows.filter(pk__in=some).delete()
