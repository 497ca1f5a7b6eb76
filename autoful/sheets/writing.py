"""Rows as a file to download, in pieces: CSV, or XLSX for those whose spreadsheet mangles a CSV."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

from autoful import audit
from autoful.actor import Actor
from autoful.sheets.cells import disarmed, holdable

M = TypeVar("M", bound=Model)

CHUNK = 2_000  # rows
FIRST_CHUNK = 100  # so that a download begins at once
MOST_IN_XLSX = 100_000  # rows; it is made whole before the first byte is sent
PIECE = 64 * 1024  # bytes
MARK = "\ufeff"  # tells Excel that a CSV is UTF-8


def record_export(actor: Actor, what: str, kind: str) -> None:
    """Leave an entry that somebody of the back office took `what` home as a file."""
    if actor.user is not None:
        audit.record_event(actor.user, "exported", said=f"{what} as {kind.upper()}")


def one_by_one(rows: QuerySet[M]) -> Iterator[M]:
    """The rows in their order, read so many at a time by their numbers.

    `iterator()` would not do: MySQL's driver holds all rows of a question at once.
    """
    numbers = list(rows.values_list("pk", flat=True))
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        found = rows.order_by().in_bulk(chunk)
        yield from (found[number] for number in chunk if number in found)


def newest_first(rows: QuerySet[M]) -> Iterator[M]:
    """The rows, however many: each piece begins where the one before ended.

    Their numbers first, and then what belongs to them: asked for both at once, MariaDB would begin
    with all customers and sort the whole table for each piece.
    """
    newest = rows.select_related(None).prefetch_related(None).order_by("-pk")
    numbers = newest.values_list("pk", flat=True)
    wanted = FIRST_CHUNK
    piece = list(numbers[:wanted])
    while piece:
        found = rows.order_by().in_bulk(piece)
        yield from (found[number] for number in piece if number in found)
        if len(piece) < wanted:
            return
        wanted = CHUNK
        piece = list(numbers.filter(pk__lt=piece[-1])[:wanted])


class _Echo:
    def write(self, text: str) -> str:
        return text


def as_csv(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """An answer that downloads as the file `name`, row by row, whatever their number."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_NONNUMERIC)

    def lines() -> Iterator[str]:
        yield MARK + writer.writerow(header)
        for row in rows:
            yield writer.writerow([disarmed(value) for value in row])

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8", headers=_headers(name)
    )


def as_xlsx(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """The same as a workbook with one sheet, in which texts stay texts: 0123 keeps its zero.

    Row by row into a file beside the memory, at most MOST_IN_XLSX rows.
    """
    return StreamingHttpResponse(
        _workbook(name.partition(".")[0][:31], header, rows),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers=_headers(name),
    )


def _workbook(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    # Not at the start of every worker: it takes a tenth of a second.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(header)
    for row in islice(rows, MOST_IN_XLSX):
        sheet.append([disarmed(holdable(value)) for value in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
