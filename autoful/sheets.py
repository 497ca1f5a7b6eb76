"""Rows for a spreadsheet, whose cells are what they say and run as nothing."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

M = TypeVar("M", bound=Model)

# What a spreadsheet takes for the beginning of a formula, also behind a control character:
# https://owasp.org/www-community/attacks/CSV_Injection
# Also behind what parts cells in some countries, where a quoted text is cut all the same.
FORMULA = re.compile(r"(^|[;|\t\r\n])(?=\s*[=+\-@＝＋－＠\t\r\n])")  # noqa: RUF001  # the wide ones, too
CHUNK = 2_000  # rows
MARK = "\ufeff"  # tells Excel that a CSV is UTF-8


def cell(value: Any) -> Any:
    """`value` as it may stand in a sheet: a text that would be run begins with an apostrophe.

    A number is no text: -5 stays one that can be added up.
    """
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


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
    """The rows, however many: each piece begins where the one before ended."""
    rows = rows.order_by("-pk")
    piece = list(rows[:CHUNK])
    while piece:
        yield from piece
        piece = list(rows.filter(pk__lt=piece[-1].pk)[:CHUNK])


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
            yield writer.writerow([cell(value) for value in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
