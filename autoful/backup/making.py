"""Making a backup while the shop is open."""

import datetime
import itertools
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from autoful.backup import archive, mysql, proofs, sqlite
from autoful.backup.archive import Manifest, Writing
from autoful.backup.errors import Refused, of_the_system

ENDING = ".zip"
MEGABYTE = 1024 * 1024

# Told how much of how much, and of what.
Progress = Callable[[int, int, str], None]


def own_folder() -> Path:
    """backups/ beside the shop's data, made if need be."""
    folder = Path(settings.AUTOFUL_DATA) / "backups"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise of_the_system(f"The backup cannot be written to {folder}", error) from error
    return folder


def default_path() -> Path:
    """A new file in our own folder."""
    return new_path(own_folder(), ENDING)


def named_path(words: str) -> Path:
    """The new file that `words` name; in a folder, a name of its own. A slash at the end is a folder's.

    Raises Refused when there is no such folder: one that is made unasked hides a disk that is not
    mounted, or a slip of the pen.
    """
    path = Path(words)
    is_folder = path.is_dir() or words.endswith(("/", os.sep))
    folder = path if is_folder else path.parent
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder: make it first (mkdir -m 700).")
    return new_path(folder, ENDING) if is_folder else path


def new_path(folder: Path, ending: str) -> Path:
    """A name that nothing in `folder` has: the shop's date and time, and a number if need be."""
    now = timezone.localtime().strftime("%Y-%m-%d-%H%M%S")
    names = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    paths = (folder / f"autoful-{now}{more}{ending}" for more in names)
    return next(path for path in paths if not path.exists())


def make(target: Path, progress: Progress = lambda *_: None) -> Manifest:
    """Write the shop as it is at this moment into the new file `target`.

    Every write answered before this began is in it, and of every write either all or nothing.
    Raises Refused; then there is no such file.
    """
    if target.exists():
        raise Refused(f"{target} exists already, and a backup never replaces a file.")
    try:
        return archive.write(target, _database(), lambda data: _fill(data, target, progress))
    except OSError as error:
        raise of_the_system(f"The backup cannot be written to {target.parent}", error) from error
    except sqlite3.Error as error:  # the copy's disk is full, or the shop cannot be read
        raise Refused(f"The shop cannot be copied to {target.parent}: {error}.") from error


def programs() -> list[tuple[str, str]]:
    """What stands in the shop and runs by itself, as ("trigger", "its name"): restore refuses it."""
    if connection.vendor == "sqlite":
        return sqlite.programs(Path(connection.settings_dict["NAME"]))
    return mysql.programs()


def _database() -> str:
    return "sqlite" if connection.vendor == "sqlite" else mysql.kind()


def _fill(data: Writing, target: Path, progress: Progress) -> Manifest:
    made_at = timezone.now().astimezone(datetime.UTC).isoformat(timespec="seconds")
    more: dict[str, Any]
    if connection.vendor == "sqlite":
        more = _fill_from_sqlite(data, target, progress)
    else:
        more = _fill_from_mysql(data, progress)
    return Manifest(
        made_at=made_at,
        autoful=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
        database=_database(),
        bytes=data.size,
        sha256=data.sha256,
        **more,
    )


def _fill_from_sqlite(data: Writing, target: Path, progress: Progress) -> dict[str, Any]:
    database = Path(connection.settings_dict["NAME"])
    if not database.exists():
        raise Refused(f"There is no shop in {database} yet.")
    with archive.partial(target.parent, ".sqlite3") as copied:
        sqlite.copy(database, copied, lambda done, total: progress(done, total, "pages"))
        if wrong := sqlite.faults(copied):
            raise Refused(f"{database} is damaged ({wrong[0]}), and so would be its backup.")
        with copied.open("rb") as file:
            while chunk := file.read(archive.CHUNK):
                data.write(chunk)
        return {
            "server": f"SQLite {sqlite3.sqlite_version}",
            "migrations": _some(sqlite.migrations(copied)),
            "rows": sqlite.rows(copied),
        }


def _fill_from_mysql(data: Writing, progress: Progress) -> dict[str, Any]:
    migrations = _some(proofs.applied_migrations())
    found = mysql.dump(data.write, lambda done, total: progress(done, total, "tables"))
    # A dump's one transaction does not hold tables still, only their rows.
    if proofs.applied_migrations() != migrations:
        raise Refused("The database was migrated meanwhile. Make the backup again.")
    return {
        "server": mysql.server(),
        "migrations": migrations,
        "rows": found.rows,
        "binary_log": found.position,
    }


def _some(migrations: list[str]) -> list[str]:
    if not migrations:
        raise Refused("There is no shop in the database yet: it was never migrated.")
    return migrations
