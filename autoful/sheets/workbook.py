"""A stranger's workbook, read in a process of its own: `python -m autoful.sheets.workbook < file`.

Each row of its first sheet is a line of JSON. A workbook is XML in a zip, and some megabytes of it can
ask for gigabytes in ways nobody has counted: a row without end, elements in elements. What asks for too
much here ends this process and no other, and what it took is given back.
"""

import datetime
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from autoful.sheets.limits import LARGEST_UNPACKED, LONGEST_CELL, MOST_COLUMNS, MOST_ROWS

MEMORY = 512 * 1024 * 1024  # bytes; a workbook of 200,000 rows takes less than half
SECONDS = 120  # of the processor; 200,000 rows of ten columns take a third of it
TOO_LARGE = 3  # the exit status
EXACT = 10**15


def main() -> int:
    _limit()
    from openpyxl import load_workbook
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:  # else entities that unpack to gigabytes are read as they are
        raise RuntimeError("openpyxl reads strangers' files only with defusedxml.")
    with os.fdopen(0, "rb") as file:
        with zipfile.ZipFile(file) as packed:
            # What is said here is all that is ever unpacked of an entry.
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_UNPACKED:
                return TOO_LARGE
        file.seek(0)
        sheet = load_workbook(file, read_only=True, data_only=True, keep_links=False).worksheets[0]
        for row in _rows(sheet):
            sys.stdout.write(json.dumps(row) + "\n")
    return 0


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # where there are no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _rows(sheet: Any) -> Iterator[list[Any]]:
    sheet.reset_dimensions()  # or a row is as wide as the file says it is
    # One column more than there may be shows that there are too many.
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
    for number, row in enumerate(rows):
        # Rows whose numbers are far apart are filled up with empty ones.
        if number > 2 * MOST_ROWS:
            sys.exit(TOO_LARGE)
        is_empty = row.count(None) == len(row)  # as the rows between are, by the hundred thousand
        yield [] if is_empty else [_plain(cell) for cell in row]


def _plain(cell: Any) -> Any:
    """As a CSV would say it: days and times in words, a whole number without a point."""
    if cell is None or isinstance(cell, bool):
        return {None: None, True: "yes", False: "no"}[cell]
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return (cell.date() if midnight else cell).isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, float):
        # As a spreadsheet shows what it has calculated: 49.22, not 49.220000000000006.
        return format(cell, ".12g")
    if isinstance(cell, int) and abs(cell) < EXACT:
        return cell
    return str(cell)[: LONGEST_CELL + 1]


if __name__ == "__main__":
    sys.exit(main())
