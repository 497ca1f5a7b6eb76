"""SQLite: its own online backup, and putting another file in a shop's place."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from django.db import connection

from autoful.backup import archive
from autoful.backup.errors import Refused

PAGES = 2_000  # copied between two words about progress
BESIDE = ("-wal", "-shm")  # the files that stand beside a database with a log


def copy(database: Path, to: Path, progress: Callable[[int, int], None]) -> None:
    """Copy the open shop as it is at this moment into the file `to`; nobody has to wait for it."""
    with closing(_open(database)) as source, closing(sqlite3.connect(to)) as target:
        # One read transaction around all of it. Without, every write of another process makes the
        # backup begin anew, and on a busy day it would not end.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            target, pages=PAGES, progress=lambda _, left, total: progress(total - left, total)
        )
        source.rollback()
        # The log's marks came along; what is kept is one file that needs no other.
        target.execute("PRAGMA journal_mode=DELETE")


def _open(database: Path) -> sqlite3.Connection:
    # mode=rw: connecting would otherwise make the file when there is none.
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=20, isolation_level=None
    )


def faults(path: Path) -> list[str]:
    """What SQLite itself finds wrong with the file: torn pages, indexes, references to nothing."""
    try:
        with closing(_open(path)) as database:
            said = [row[0] for row in database.execute("PRAGMA integrity_check(10)")]
            lost = database.execute("PRAGMA foreign_key_check").fetchmany(10)
    except sqlite3.DatabaseError as broken:
        return [str(broken)]
    found = [line for line in said if line != "ok"]
    return found + [f"{table} row {row} names no {of}" for table, row, of, _ in lost]


def rows(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    with closing(_open(path)) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ).fetchall()
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in tables
        }


def programs(path: Path) -> list[tuple[str, str]]:
    """The file's triggers and views, as ("trigger", "its name")."""
    with closing(_open(path)) as database:
        return database.execute(
            "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY 1, 2"
        ).fetchall()


def migrations(path: Path) -> list[str]:
    """The migrations the file has, as "inventory.0001_initial"; none where there is no shop."""
    with closing(_open(path)) as database:
        try:
            found = database.execute("SELECT app || '.' || name FROM django_migrations")
        except sqlite3.OperationalError:
            return []
        return sorted(name for (name,) in found)


@contextmanager
def looking_at(path: Path) -> Iterator[None]:
    """Inside, Django's connection is to the file `path`; for commands, which have one thread."""
    shop = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = shop


def put_in_place(new: Path, database: Path, kept: Path) -> bool:
    """Make the file `new` the shop, in one step; what was there goes to `kept`, if anything was.

    Returns whether it was. Raises Refused while anybody has the database open.
    """
    with closing(_open(new)) as staged:
        staged.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        staged.execute("PRAGMA journal_mode=DELETE")
    with new.open("rb") as file:
        os.fsync(file.fileno())
    there = database.exists()
    if there:
        _fold_log_in(database)
        for ending in BESIDE:
            # Only beside a file that SQLite cannot read any more. A log that stayed could be taken
            # for that of the new database.
            with suppress(FileNotFoundError):
                Path(f"{database}{ending}").rename(f"{kept}{ending}")
        archive.name(database, kept, copy=True)  # the shop is never without a file
        # Restored by root, it is still the file of whoever runs the shop.
        was = database.stat()
        new.chmod(was.st_mode)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            os.chown(new, was.st_uid, was.st_gid)
    # Either the old file or the new one has the name, whenever the power goes.
    new.replace(database)
    archive.settle(database.parent)
    return there


def _fold_log_in(database: Path) -> None:
    """Have everything in the one file, which SQLite does only while nobody else has it open."""
    try:
        with closing(_open(database)) as present:
            present.execute("PRAGMA busy_timeout=1000")
            mode = present.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return  # it cannot be read: it is kept as it is, and replaced
        mode = "wal"
    except sqlite3.DatabaseError:
        return
    if mode != "delete":
        raise Refused(f"{database} is in use. Stop Autoful and whatever else has it open.")
