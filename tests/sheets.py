"""What the tests of spreadsheets share: exporting, uploading, saying yes, by the pages of the back office."""

import csv
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from autoful.sheets.models import SheetImport
from autoful.testing.pages import Desk

PARTS = "/admin/inventory/part/"
CUSTOMERS = "/admin/customers/customer/"
VEHICLES = "/admin/customers/vehicle/"
TICKETS = "/admin/tickets/serviceticket/"


def exported(desk: Desk, url: str, kind: str = "csv", **asked: str) -> bytes:
    answer: Any = desk.get(f"{url}export/{kind}/", asked)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet_of(rows: list[dict[str, Any]]) -> str:
    """The rows as a CSV again."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def workbook(*rows: list[Any]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(file)
    return file.getvalue()


def upload(desk: Desk, url: str, content: bytes | str, name: str = "file.csv") -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return desk.post(f"{url}import/", {"file": SimpleUploadedFile(name, raw)})


def looked_at(desk: Desk, url: str, content: bytes | str, name: str = "file.csv") -> SheetImport:
    """The file, uploaded and looked at."""
    answer = upload(desk, url, content, name)
    assert answer.status_code == 302, answer.content.decode()
    return SheetImport.objects.latest("pk")


def told(desk: Desk, url: str, job: SheetImport, button: str = "import") -> str:
    """Press a button of the file's page, and read what the page says then."""
    answer: Any = desk.post(f"{url}import/{job.pk}/", {button: "1"}, follow=True)
    assert answer.status_code == 200
    job.refresh_from_db()
    return str(answer.content.decode())


def fates(job: SheetImport) -> list[str]:
    return list(job.rows.values_list("fate", flat=True))


def remarks(job: SheetImport) -> str:
    return " ".join(str(remark) for row in job.rows.all() for remark in row.remarks)
