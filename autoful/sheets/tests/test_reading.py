"""A stranger's file: read, or refused with a word that says what to do, in a bounded memory."""

import io
import tracemalloc
import zipfile
from typing import Any

import pytest
from django.conf import settings
from openpyxl import Workbook

from autoful.sheets import reading
from autoful.sheets.reading import UnreadableFile, read
from autoful.sheets.workbook import _rows
from tests.sheets import workbook

pytestmark = pytest.mark.skipif(settings.PRODUCTION, reason="no database is asked")


def rows(content: bytes) -> list[tuple[int, list[Any]]]:
    return list(read(io.BytesIO(content)))


@pytest.mark.parametrize(
    "content",
    [
        b"Name;Price\nA, the first;12,50\n",
        b"sep=;\r\nName;Price\nA, the first;12,50\n",
        b"Name\tPrice\nA, the first\t12,50\n",
        b'Name,Price\n"A, the first","12,50"\n',
        b'\xef\xbb\xbfName,Price\r\n"A, the first","12,50"\r\n\r\n,,,\r\n',
        'Name,Price\n"A, the first","12,50"\n'.encode("utf-16"),
        workbook(["Name", "Price"], ["A, the first", "12,50"], [None, None], ["", " "]),
    ],
)
def test_a_table_in_any_spreadsheet_s_manner(content: bytes) -> None:
    assert rows(content) == [(1, ["Name", "Price"]), (2, ["A, the first", "12,50"])]


def test_cells_of_a_workbook_say_what_a_csv_would() -> None:
    import datetime

    cells = [
        1,
        2.0,
        12.5,
        1e300,
        True,
        datetime.date(2026, 3, 31),
        datetime.datetime(2026, 3, 31, 8, 5),
    ]
    ((_, read_back),) = rows(workbook(cells))
    assert read_back == [
        1,
        2,
        "12.5",
        str(int(1e300)),
        "yes",
        "2026-03-31",
        "2026-03-31T08:05:00",
    ]


def test_rows_keep_the_numbers_a_spreadsheet_shows() -> None:
    assert [number for number, _ in rows(b"a\n\n\nb\n")] == [1, 4]


def bomb() -> bytes:
    """A workbook of some kilobytes that unpacks to a gigabyte."""
    whole, file = zipfile.ZipFile(io.BytesIO(workbook(["a"]))), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
        with packed.open("xl/sharedStrings2.xml", "w") as entry:
            for _ in range(300):
                entry.write(b" " * 1024 * 1024)
    return file.getvalue()


def endless_cell() -> bytes:
    """Some kilobytes that are one cell, of as many characters as a workbook may unpack to."""
    return with_sheet(
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row><c t="str"><v>' + b"x" * 260_000_000 + b"</v></c></row></sheetData></worksheet>"
    )


def with_sheet(xml: bytes) -> bytes:
    whole, file = zipfile.ZipFile(io.BytesIO(workbook(["a"]))), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name in whole.namelist():
            packed.writestr(name, xml if "sheet1" in name else whole.read(name))
    return file.getvalue()


def test_rows_between_take_no_room() -> None:
    """Of which a cell in the last row of a sheet makes a million."""
    sheet = Workbook().active
    assert sheet is not None
    sheet["A1"], sheet["B4"] = "Name", 5
    sheet.reset_dimensions = lambda: None
    assert [row[:2] for row in _rows(sheet)] == [["Name", None], [], [], [None, 5]]


def entities() -> bytes:
    """One whose text unpacks by entities: a billion laughs."""
    whole, file = zipfile.ZipFile(io.BytesIO(workbook(["a"]))), io.BytesIO()
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    declared = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>'.encode()
    with zipfile.ZipFile(file, "w") as packed:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = declared + content.replace(b"<v>0</v>", b"<v>&l9;</v>")
            packed.writestr(name, content)
    return file.getvalue()


BAD: dict[str, tuple[Any, str]] = {
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel file"),
    "any zip": (b"PK\x03\x04" + b"\0" * 600, "cannot be read as a workbook"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "nor a CSV in UTF-8"),
    "latin 1": ("Name\nMüller\n".encode("latin-1"), "nor a CSV in UTF-8"),
    "half a surrogate": (b"Name\n\xed\xa0\x80\n", "nor a CSV in UTF-8"),
    "odd utf-16": (b"\xff\xfea", "nor a CSV in UTF-8"),
    "open quote": (b'Name\n"Ada\nBob\n', "cannot be read as a CSV"),
    "long cell": (b"Name\n" + b"x" * 10_001 + b"\n", "more than 10,000 characters"),
    "endless cell": (b"Name\n" + b"x" * 200_000 + b"\n", "cannot be read as a CSV"),
    "long row": (b"Name\n" + b",".join([b"x" * 9_000] * 3) + b"\n", "more than 20,000"),
    "endless line": (b"Name\n" + b"ab," * 500_000 + b"\n", "too long"),
    "endless lines": (b"Name\n" + b'ab,"\n",' * 200_000 + b"\n", "too long"),
    "much text": (workbook(["Name"], *(["x" * 9_999] * 2 for _ in range(3_600))), "too much text"),
    "wide row": (b"a\n" + b",x" * 100 + b"\n", "more than 60 columns"),
    "a wide workbook": (workbook(["x"] * 100), "more than 60 columns"),
    "zip bomb": (bomb, "too much in it"),
    "endless cell of a workbook": (endless_cell, "too much in it"),
    "entities": (entities, "cannot be read as a workbook"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_table_is_refused(kind: str) -> None:
    made, word = BAD[kind]
    content = made if isinstance(made, bytes) else made()
    with pytest.raises(UnreadableFile) as refused:
        rows(content)
    assert word in refused.value.message


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    assert len(rows(b"a\n1\n2\n3\n")) == 4
    for content in (b"a\n1\n2\n3\n4\n", workbook(["a"], [1], [2], [3], [4])):
        with pytest.raises(UnreadableFile, match="rows"):
            rows(content)


@pytest.mark.parametrize("make", [lambda n: b"a,b\n" + b"x,y\n" * n, None], ids=["csv", "xlsx"])
def test_memory_does_not_grow_with_the_file(make: Any) -> None:
    # A workbook keeps its different texts apart, so that they are read whole: numbers here.
    make = make or (lambda n: workbook(["a"], *([number] for number in range(n))))

    def peak(content: bytes) -> int:
        file = io.BytesIO(content)
        tracemalloc.start()
        for _ in read(file):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = make(2_000), make(16_000)
    peak(few)  # what is loaded once
    # An empty element of each row of a workbook stays: some bytes, where the row took a kilobyte.
    assert peak(many) - peak(few) < 14_000 * 100
