"""A file's rows, one after the other: CSV in any spreadsheet's manner, or the first sheet of an XLSX.

The file is a stranger's. Whatever it holds, it is read in a bounded time and memory or refused with
a word that says what to do.
"""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from autoful.errors import DomainError
from autoful.sheets.cells import as_written
from autoful.sheets.limits import (
    LONGEST_CELL,
    LONGEST_LINES,
    LONGEST_ROW,
    MOST_COLUMNS,
    MOST_ROWS,
    MOST_TEXT,
)
from autoful.sheets.workbook import TOO_LARGE

ROOT = Path(__file__).resolve().parents[2]

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
    told = read_in_all = 0
    for number, row in enumerate(rows, 1):
        cells = _trimmed(row)
        if not cells:
            continue
        told += 1
        if told > MOST_ROWS + 1:
            raise UnreadableFile(f"There are more than {MOST_ROWS:,} rows. Cut the file in pieces.")
        if len(cells) > MOST_COLUMNS:
            raise UnreadableFile(f"Row {number} has more than {MOST_COLUMNS} columns.")
        lengths = [len(cell) for cell in cells if isinstance(cell, str)]
        if sum(lengths) > LONGEST_ROW:
            raise UnreadableFile(f"Row {number} has more than {LONGEST_ROW:,} characters.")
        read_in_all += sum(lengths)
        if read_in_all > MOST_TEXT:
            raise UnreadableFile("There is too much text in the file. Cut it in pieces.")
        if any(length > LONGEST_CELL for length in lengths):
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
    pending = [0]
    try:
        start, first = 0, text.readline(LONGEST_CELL * 2)
        if re.fullmatch(r"sep=.\r?\n", first):  # how Excel is told, and not a row
            start, first = text.tell(), text.readline(LONGEST_CELL * 2)
        text.seek(start)
        # By the headings alone: a guess from the values takes the comma of 12,50 for one.
        delimiter = max(",;\t", key=first.count)
        table = csv.reader(_bounded(text, pending), delimiter=delimiter, strict=True)
        for row in table:
            pending[0] = 0
            yield row
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


def _bounded(text: IO[str], pending: list[int]) -> Iterator[str]:
    """The lines, as long as the characters that are `pending`, read for one row, are not too many: the
    reader makes a row of them before anybody can look at it."""
    while line := text.readline(LONGEST_LINES + 1):
        pending[0] += len(line)
        if pending[0] > LONGEST_LINES:
            raise UnreadableFile("A row of the file is too long. Is it a CSV?")
        yield line


def _encoding(file: IO[bytes]) -> str:
    mark = file.read(2)
    file.seek(0)
    return "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _of_workbook(file: IO[bytes]) -> Iterator[Iterable[Any]]:
    if not hasattr(file, "raw"):  # in memory: another process reads what is on the disk
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            yield from _of_workbook(copy)
        return
    file.seek(0)
    file.flush()
    command = [sys.executable, "-m", "autoful.sheets.workbook"]
    with subprocess.Popen(  # noqa: S603  # our own program
        command, cwd=ROOT, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            yield from map(json.loads, child.stdout or ())
        except GeneratorExit:
            child.kill()
            raise
        except json.JSONDecodeError:
            child.kill()  # ended by one of its limits, in the middle of a row
    if child.returncode == TOO_LARGE:
        raise UnreadableFile("The workbook has too much in it. Save it as CSV.")
    if child.returncode:
        raise UnreadableFile(
            "This cannot be read as a workbook, or has too much in it. "
            "Open it in a spreadsheet and save it as .xlsx or CSV."
        )
