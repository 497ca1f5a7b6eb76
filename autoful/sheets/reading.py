"""A file's rows, one after the other: CSV in any spreadsheet's manner, or the first sheet of an XLSX.

The file is a stranger's. Whatever it holds, it is read in a bounded time and memory or refused with
a word that says what to do.
"""

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from autoful.errors import DomainError
from autoful.sheets.cells import as_written

LARGEST_FILE = 32 * 1024 * 1024  # bytes
MOST_ROWS = 200_000
MOST_COLUMNS = 60
LONGEST_CELL = 10_000  # characters
# A workbook is packed: what 32 MB unpack to may be a thousand times that.
LARGEST_UNPACKED = 256 * 1024 * 1024

EXACT = 10**15

Cells = list[Any]


class UnreadableFile(DomainError):
    """A file that is no table, or too much of one."""

    code = "unreadable_file"


def read(file: IO[bytes]) -> Iterator[tuple[int, Cells]]:
    """The rows with their numbers as a spreadsheet counts them, the headings first; empty ones are left out.

    A cell is a text, a number or None. Raises UnreadableFile.
    """
    file.seek(0)
    beginning = file.read(8)
    file.seek(0)
    if beginning.startswith(b"PK\x03\x04"):
        rows = _of_workbook(file)
    elif beginning.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile("This is an old Excel file (.xls). Save it as .xlsx or CSV.")
    else:
        rows = _of_csv(file)
    told = 0
    for number, row in enumerate(rows, 1):
        cells = _trimmed(row)
        if not cells:
            continue
        told += 1
        if told > MOST_ROWS + 1:
            raise UnreadableFile(f"There are more than {MOST_ROWS:,} rows. Cut the file in pieces.")
        if len(cells) > MOST_COLUMNS:
            raise UnreadableFile(f"Row {number} has more than {MOST_COLUMNS} columns.")
        if any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in cells):
            raise UnreadableFile(
                f"A cell of row {number} has more than {LONGEST_CELL:,} characters."
            )
        yield number, cells


def _trimmed(row: Iterable[Any]) -> Cells:
    """Without the empty cells at the end, which a spreadsheet may leave by the thousand."""
    cells = [as_written(cell.strip()) or None if isinstance(cell, str) else cell for cell in row]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _of_csv(file: IO[bytes]) -> Iterator[Iterable[Any]]:
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    table: Any = None
    try:
        start, first = 0, text.readline(LONGEST_CELL * 2)
        if re.fullmatch(r"sep=.\r?\n", first):  # how Excel is told, and not a row
            start, first = text.tell(), text.readline(LONGEST_CELL * 2)
        text.seek(start)
        # By the headings alone: a guess from the values takes the comma of 12,50 for one.
        delimiter = max(",;\t", key=first.count)
        table = csv.reader(text, delimiter=delimiter, strict=True)
        yield from table
    except UnicodeError as foreign:
        raise UnreadableFile(
            "This is not an .xlsx, nor a CSV in UTF-8. Save it as “CSV UTF-8”, or as .xlsx."
        ) from foreign
    except csv.Error as broken:
        where = f"in line {table.line_num}" if table else "at its beginning"
        raise UnreadableFile(f"This cannot be read as a CSV {where}: {broken}.") from broken
    finally:
        if not file.closed:
            text.detach()  # the file is its owner's to close


def _encoding(file: IO[bytes]) -> str:
    mark = file.read(2)
    file.seek(0)
    return "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _of_workbook(file: IO[bytes]) -> Iterator[Iterable[Any]]:
    from openpyxl import load_workbook  # as in writing.py
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:  # else entities that unpack to gigabytes are read as they are
        raise RuntimeError("openpyxl reads strangers' files only with defusedxml.")
    try:
        with zipfile.ZipFile(file) as packed:
            # What is said here is all that is ever unpacked of an entry.
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_UNPACKED:
                raise UnreadableFile("The workbook is too large. Save it as CSV.")
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # or a row is as wide as the file says it is
        # One column more than there may be shows that there are too many.
        rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
        for number, row in enumerate(rows):
            # Rows whose numbers are far apart are filled up with empty ones.
            if number > 2 * MOST_ROWS:
                raise UnreadableFile("The sheet has too many rows, empty ones among them.")
            yield [_plain(cell) for cell in row]
        book.close()
    except UnreadableFile:
        raise
    except Exception as broken:
        # openpyxl raises whatever it stumbles over: KeyError, ValueError, ParseError, BadZipFile …
        raise UnreadableFile(
            "This cannot be read as a workbook. Open it in a spreadsheet and save it as .xlsx or CSV."
        ) from broken


def _plain(cell: Any) -> Any:
    """As a CSV would say it: days and times in words, a whole number without a point."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return (cell.date() if midnight else cell).isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    # What JSON does not hold exactly, or not at all: fractions, infinity, a number of 400 digits.
    if isinstance(cell, float) or (isinstance(cell, int) and abs(cell) >= EXACT):
        # As a spreadsheet shows what it has calculated: 49.22, not 49.220000000000006.
        return format(cell, ".12g") if isinstance(cell, float) and abs(cell) < EXACT else repr(cell)
    return cell
