"""A report with a table for each size, each measured on a MariaDB of its own."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from autoful.testing import servers
from autoful.testing.machine import provide_production
from autoful.unwinding import unwinding_on_signals
from bench import machine
from bench.__main__ import INTERRUPTED, ROOMY
from bench.shop import Place


def written(module: str, introduction: str, sizes: tuple[int, ...], report: Path) -> int:
    """Let `measure` of `module` print its table for each size, and write the report; the exit status.

    BENCH_SIZES names other sizes, BENCH_REPORT another file.
    """
    try:
        with unwinding_on_signals():
            return _written(module, introduction, sizes, report)
    except KeyboardInterrupt:
        return INTERRUPTED


def size() -> int:
    """What `measure` is to fill the shop with."""
    return int(os.environ["BENCH_SIZE"])


def _written(module: str, introduction: str, sizes: tuple[int, ...], report: Path) -> int:
    if command := provide_production(own_database=True):
        print(f"It lacks something. Install it with: {command}")
        return 1
    asked = [int(one) for one in os.environ.get("BENCH_SIZES", "").split(",") if one]
    report = Path(os.environ.get("BENCH_REPORT") or report)
    measured = [_measured(module, one) for one in asked or sizes]
    tables = [table for table, _ in measured]
    text = "\n\n".join([introduction, machine.described(measured[0][1]), *tables]) + "\n"
    report.write_text(text, encoding="utf-8")
    print(f"{text}\nWritten to {report}")
    return 0


def _measured(module: str, one: int) -> tuple[str, list[str]]:
    """The table, and the versions of the servers it was made on."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="autoful-bench-"))
        database = stack.enter_context(servers.mariadb_server(options=ROOMY))
        redis = stack.enter_context(servers.redis())
        place = Place(Path(folder), database.url, redis)
        # A process for each size: Django is set up for one database.
        command = [sys.executable, "-c", f"from {module} import measure; measure()"]
        environment = place.environment(
            DJANGO_SETTINGS_MODULE="autoful.settings", BENCH_SIZE=str(one)
        )
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        versions = [servers.database_version(database.url), servers.redis_version(redis)]
    return done.stdout.strip(), versions
