"""How long a spreadsheet of parts takes in and out, and how much memory: `python -m bench.sheets`.

    BENCH_SIZES=1000 python -m bench.sheets     so many rows only

In one process and without a server. Memory is how far the process has grown at its most beyond what it
had before. Written to docs/spreadsheets.md, unless BENCH_REPORT names another file.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from bench import apart

SIZES = (1_000, 10_000, 100_000)
REPORT = Path("docs/spreadsheets.md")

INTRODUCTION = """# Spreadsheets in and out

Written by `python -m bench.sheets`: a CSV of new parts that is looked at and imported, the same parts
exported, and that export looked at again, which changes nothing. On MariaDB, in one process and without a
server. "Memory" is how far the process has grown at its most beyond what it had before the first."""


def parts(rows: int) -> IO[bytes]:
    """A CSV of so many new parts."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(b"Part number,Name,Category,Price,Cost,In stock,Reorder point,Location\n")
    for n in range(rows):
        line = f"B-{n:06},Part {n},Kind {n % 40},{n % 900 + 1}.50,{n % 400}.25,{n % 50},{n % 9},A{n % 90}\n"
        file.write(line.encode())
    file.seek(0)
    return file


def measure() -> None:
    """In the shop that the environment names, print a table of what the rows take."""
    import django

    django.setup()
    from django.contrib import admin
    from django.core.files import File
    from django.core.management import call_command

    from autoful.accounts.models import User
    from autoful.actor import Actor, Role
    from autoful.sheets import staging
    from autoful.sheets.importing import carry_out
    from autoful.sheets.looking import check
    from autoful.sheets.models import SheetImport
    from autoful.sheets.writing import as_csv, as_xlsx
    from inventory.models import Part

    rows = apart.size()
    print(f"{rows:,} rows …", file=sys.stderr, flush=True)
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    boss = User.objects.create_superuser("boss@example.com", "a-password-of-the-bench")
    actor = Actor(Role.BACK_OFFICE, boss)
    page: Any = admin.site._registry[Part]
    before = _now()

    def looked_at(file: IO[bytes], fate: str) -> SheetImport:
        job = staging.upload(kind="inventory.part", file=File(file, name="x.csv"), actor=actor)
        check(job, page.sheet(page, boss), actor)
        job.refresh_from_db()
        if job.counts.get(fate) != rows:
            raise SystemExit(f"{rows} rows were to be {fate}: {job.counts} {job.said}")
        return job

    def imported(job: SheetImport) -> None:
        job = staging.begin_import(job=job, actor=actor)
        carry_out(job, page.sheet(page, boss), actor)
        if Part.objects.count() != rows:
            raise SystemExit(f"{rows} parts were to come in, not {Part.objects.count()}.")

    def exported(as_file: Any) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        headings, cells = page.sheet(page, boss).table(Part.objects.all())
        answer: Iterable[bytes] = as_file("x.csv", headings, cells)
        file.writelines(answer)
        file.seek(0)
        return file

    print(f"## {rows:,} rows\n\n| | seconds | ms a row | memory, MB |\n| --- | --- | --- | --- |")

    def timed(what: str, do: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        made = do()
        took = time.perf_counter() - began
        print(f"| {what} | {took:.1f} | {1000 * took / rows:.2f} | {_peak() - before:.0f} |")
        return made

    job = timed("looking at new parts", lambda: looked_at(parts(rows), "new"))
    timed("importing them", lambda: imported(job))
    file = timed("export, CSV", lambda: exported(as_csv))
    timed("export, XLSX", lambda: exported(as_xlsx))
    timed("looking at the exported CSV", lambda: looked_at(file, "same"))


def _now() -> float:
    """The memory that this process has, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


def _peak() -> float:
    """The most memory that this process has ever had, in MB; Linux says it in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(apart.written("bench.sheets", INTRODUCTION, SIZES, REPORT))
