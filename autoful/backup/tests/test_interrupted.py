"""Told to end, a backup or a restore puts away what is half done; after a kill, the next one does."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from autoful.backup import clients, mysql
from autoful.backup.tests.backups import lasting, on_a_server, on_sqlite, run
from autoful.testing.processes import Program, running, seconds_until
from tests.soundness import everything

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
]

DUMPS, LOADS = ("mariadb-dump", "mysqldump"), ("mariadb", "mysql")

# A real command on the tests' database. On SQLite it waits once the copy is made.
COMMAND = """
import os, sys, time
from pathlib import Path
import django; django.setup()
from django.db import connection
from autoful.backup import sqlite
connection.settings_dict["NAME"] = {database!r}
def wait(*args):
    Path({reached!r}).write_text(str(os.getpid()))
    time.sleep(600)
sqlite.faults = wait
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""

# In the place of a program of the database's: it begins, and does not end.
ENDLESS = """#!/bin/sh
case "$1" in --version) exec {real} --version;; esac
echo "-- begun"
echo $$ >{reached}.new && mv {reached}.new {reached}
exec sleep 600
"""


class Midway:
    """A command that has come as far as it gets: a file, a program and a password are there."""

    def __init__(self, program: Program, folder: Path, at_work: int) -> None:
        self.program, self._folder, self._at_work = program, folder, at_work

    def told(self, signum: signal.Signals) -> str:
        """Tell it to end; what it said."""
        self.program.send(signum)
        assert self.program.wait(20) == 1, self.program.tail()
        with pytest.raises(ProcessLookupError):
            os.kill(self._at_work, 0)
        return self.program.tail()

    def temporary(self) -> list[Path]:
        return [*(self._folder / "tmp").iterdir()]


@contextmanager
def midway(folder: Path, *arguments: Any, endless: tuple[str, ...] = DUMPS) -> Iterator[Midway]:
    reached = folder / "reached"
    for made in ("bin", "tmp", "data"):
        (folder / made).mkdir()
    if settings.DATABASE_URL:
        purpose = "dump" if endless == DUMPS else "load"
        script = ENDLESS.format(real=clients.fitting(purpose, mysql.kind()).path, reached=reached)
        for name in endless:
            (folder / "bin" / name).write_text(script)
            (folder / "bin" / name).chmod(0o755)
    database = str(connection.settings_dict["NAME"])
    code = COMMAND.format(database=database, reached=str(reached))
    connection.close()
    program = Program(
        [sys.executable, "-c", code, *map(str, arguments)],
        log=folder / "log",
        cwd=settings.BASE_DIR,
        environment=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "autoful.settings",
            "AUTOFUL_DATA": str(folder / "data"),
            "TMPDIR": str(folder / "tmp"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        },
    )
    with running(program):
        seconds_until(lambda: reached.exists() or not program.runs(), within=60)
        assert program.runs(), program.tail()
        yield Midway(program, folder, int(reached.read_text()))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_backup_told_to_end_leaves_nothing(
    shop: Any, tmp_path: Path, place: Path, signum: signal.Signals
) -> None:
    with midway(tmp_path, "backup", place) as command:
        assert [*place.iterdir()], "control: nothing was there to be left"
        assert command.temporary() == []  # a password has no name, from the first moment
        assert command.told(signum).endswith("CommandError: Interrupted: make the backup again.")
        assert command.temporary() == []
    assert [*place.iterdir()] == []
    assert everything() == shop


def test_what_a_killed_backup_left_goes_a_day_later(shop: Any, tmp_path: Path, place: Path) -> None:
    with midway(tmp_path, "backup", place) as command:
        command.program.kill()
        assert command.temporary() == []
    left = {*place.iterdir()}
    assert left
    run("backup", place)
    assert left < {*place.iterdir()}  # it may be somebody's who is at work
    yesterday = time.time() - 25 * 60 * 60
    for path in place.iterdir():
        os.utime(path, (yesterday, yesterday))
    run("backup", place)
    assert len([*place.glob("autoful-*.zip")]) == len([*place.iterdir()]) == 2


@on_sqlite
def test_a_restore_told_to_end_leaves_the_shop_as_it_was(backup: Path, tmp_path: Path) -> None:
    before = everything()
    beside = Path(connection.settings_dict["NAME"]).parent
    with midway(tmp_path, "restore", backup, "--replace") as command:
        assert [*beside.glob(".autoful-*")], "control: nothing was there to be left"
        assert command.told(signal.SIGTERM).endswith("CommandError: Interrupted.")
    assert [*beside.glob(".autoful-*")] == []
    assert everything() == before


@on_a_server
def test_a_restore_told_to_end_before_it_began_leaves_the_shop_open(
    backup: Path, tmp_path: Path
) -> None:
    before = everything()
    with midway(tmp_path, "restore", backup, "--replace") as command:  # keeping what is there
        assert command.told(signal.SIGTERM).endswith("CommandError: Interrupted.")
    assert [*(tmp_path / "data" / "backups").iterdir()] == []
    assert everything() == before


@on_a_server
def test_a_restore_told_to_end_midway_leaves_a_closed_shop(backup: Path, tmp_path: Path) -> None:
    there = lasting()
    with midway(tmp_path, "restore", backup, "--replace", endless=LOADS) as command:
        said = command.told(signal.SIGTERM)
        assert "Interrupted. The restore is not finished" in said
        assert "run the same command again, or restore /" in said
    with pytest.raises(OperationalError, match="has not finished"):
        connection.ensure_connection()
    run("restore", backup)
    assert lasting() == there
