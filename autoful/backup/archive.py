"""The file: a ZIP of the shop's data and a manifest that says what it is and proves it whole.

A ZIP's index is its end, so a file cut short has none and is refused at once; the manifest's
length and SHA-256 catch the rest. `unzip -p FILE shop.sql` gets at the data without Autoful.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from autoful.backup.errors import Refused, of_the_system

FORMAT = "autoful-backup"
FORMAT_VERSION = 1
DATA = {"sqlite": "shop.sqlite3", "mariadb": "shop.sql", "mysql": "shop.sql"}
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 4 * 1024 * 1024
CHUNK = 1024 * 1024
PARTIAL = ".autoful-"  # how the name of a file begins that is not whole yet
LEFT_BEHIND = 24 * 60 * 60  # seconds
NOTE = """This is a backup of a shop kept with Autoful: everybody's data. Keep it where nobody else can read it.

manage.py restore brings it back. The secret key is not in it: nothing in the shop is encrypted with that key,
and a shop that starts with another one only asks everybody to sign in again.
"""

# Whatever reading a file that is no ZIP, or a damaged one, may end with.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Manifest:
    """What a backup is: whose, of when, and how much."""

    made_at: str  # ISO 8601, UTC: the moment it was begun
    autoful: str
    database: str  # a key of DATA
    server: str  # "MariaDB 10.11.6"
    migrations: list[str]  # "inventory.0001_initial"
    rows: dict[str, int]  # of each table
    bytes: int  # of the data, unpacked
    sha256: str
    binary_log: dict[str, Any] | None = None  # file and position that go on where this ends


class Writing:
    """An archive that is being written: `write` takes the data."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._sum.update(data)
        self.size += len(data)
        self._stream.write(data)

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()


@contextmanager
def partial(folder: Path, suffix: str) -> Iterator[Path]:
    """A new file in `folder` that only we can read; gone at the end unless it was moved away.

    One that a kill left there goes when the next one is made a day later: whoever lives has written
    to theirs since.
    """
    for old in folder.glob(f"{PARTIAL}*"):
        with suppress(OSError):
            if old.stat().st_mtime < time.time() - LEFT_BEHIND:
                old.unlink()
    handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=suffix, dir=folder)  # mode 0600
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def write(target: Path, database: str, fill: Callable[[Writing], Manifest]) -> Manifest:
    """Write the archive `target`, which must not exist; it has its name only once it is whole.

    `fill` is given where to write the data, and returns the manifest.
    """
    with partial(target.parent, ".partial") as path:
        with path.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("README.txt", NOTE)
                with archive.open(DATA[database], "w", force_zip64=True) as member:
                    manifest = fill(Writing(member))
                said = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(manifest)}
                archive.writestr(MANIFEST, json.dumps(said, indent=1))
            file.flush()
            os.fsync(file.fileno())
        name(path, target)
    return manifest


def name(path: Path, target: Path, *, copy: bool = False) -> None:
    """Give the finished file the name `target`, never another file's.

    It keeps its old name beside the new one. On a file system without links it moves, or, with
    `copy`, `target` is a copy of it.
    """
    try:
        # Unlike a rename, a link refuses a name that was taken meanwhile.
        target.hardlink_to(path)
    except FileExistsError:
        raise Refused(f"{target} exists already, and a backup never replaces a file.") from None
    except OSError:  # a file system without links
        if target.exists():
            raise Refused(f"{target} exists already, and a backup never replaces a file.") from None
        if copy:
            with partial(target.parent, ".partial") as copied:
                shutil.copy2(path, copied)
                with copied.open("rb") as file:
                    os.fsync(file.fileno())
                copied.rename(target)
        else:
            path.rename(target)
    settle(target.parent)


def settle(folder: Path) -> None:
    """Have the names in `folder` on the disk, so that a power cut does not take them back."""
    with suppress(OSError):  # Windows cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_manifest(path: Path) -> Manifest:
    """What the file says it is. Raises Refused when it is not a backup that this code can read."""
    with _readable(path) as archive:
        try:
            info = archive.getinfo(MANIFEST)
            if info.file_size > LARGEST_MANIFEST:
                raise ValueError
            said = json.loads(archive.read(info))
            if said.pop("format") != FORMAT:
                raise ValueError
            version = said.pop("format_version")
        except (KeyError, ValueError, AttributeError, TypeError):
            raise Refused(f"{path} is not a backup of Autoful.") from None
    if version != FORMAT_VERSION:
        raise Refused(f"{path} was made by another Autoful, whose backups this one cannot read.")
    try:
        manifest = Manifest(**said)
        if not _fits(manifest):
            raise TypeError
    except TypeError:
        raise Refused(f"{path} is damaged: its manifest is not whole.") from None
    if manifest.database not in DATA:
        raise Refused(f"{path} is of a database that this Autoful does not know.")
    return manifest


def _fits(said: Manifest) -> bool:
    """Whether each value is of its kind, and no text holds what a terminal would obey."""
    log = {"file": "", "position": 0} if said.binary_log is None else said.binary_log
    return (
        isinstance(said.migrations, list)
        and isinstance(said.rows, dict)
        and isinstance(log, dict)
        and log.keys() == {"file", "position"}
        and all(
            isinstance(text, str) and text.isprintable()
            for text in (
                *(said.made_at, said.autoful, said.database, said.server, said.sha256),
                *(log["file"], *said.migrations, *said.rows),
            )
        )
        and all(
            type(number) is int and number >= 0  # to Python, true is a number as well
            for number in (said.bytes, log["position"], *said.rows.values())
        )
    )


def unpack(
    path: Path, manifest: Manifest, take: Callable[[bytes], Any], progress: Progress
) -> None:
    """Hand the data to `take` piece by piece, and raise Refused at its end unless it is whole.

    So whoever cannot undo what `take` does calls this once before with a `take` that does nothing.
    """
    check, size = hashlib.sha256(), 0
    with _readable(path) as archive:
        try:
            member = archive.open(DATA[manifest.database])
        except KeyError:
            raise Refused(f"{path} is damaged: it holds no data.") from None
        with member:
            while chunk := member.read(CHUNK):
                check.update(chunk)
                size += len(chunk)
                if size > manifest.bytes:
                    break
                take(chunk)
                progress(size, manifest.bytes)
    if (size, check.hexdigest()) != (manifest.bytes, manifest.sha256):
        raise Refused(f"{path} is damaged: its data is not what was backed up.")


@contextmanager
def _readable(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UNREADABLE as unreadable:
        raise Refused(
            f"{path} is damaged, cut short, or not a backup of Autoful: {unreadable}."
        ) from unreadable
    except OSError as unreadable:
        raise of_the_system(f"{path} cannot be read", unreadable) from unreadable
