"""What a file may be instead of a backup, and the words it is refused with."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoful.backup.tests.backups import rewrite


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def cut_a_little(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def another_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("holiday.jpg", b"sand")


def no_data(path: Path) -> None:
    with zipfile.ZipFile(path) as old:
        manifest = old.read("manifest.json")
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("manifest.json", manifest)


UNFIT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "not there": (Path.unlink, "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "damaged, cut short, or not a backup"),
    "cut in half": (cut, "damaged, cut short, or not a backup"),
    "cut by three bytes": (cut_a_little, "damaged, cut short, or not a backup"),
    "one bit": (flip, "damaged"),
    "a letter": (lambda path: path.write_text("Dear Sir"), "not a backup"),
    "another zip": (another_zip, "not a backup of Autoful"),
    "without data": (no_data, "holds no data"),
    "another format": (lambda path: rewrite(path, format="other"), "not a backup of Autoful"),
    "a later format": (lambda path: rewrite(path, format_version=2), "another Autoful"),
    "half a manifest": (lambda path: rewrite(path, rows=None), "its manifest is not whole"),
    "other data": (lambda path: rewrite(path, sha256="0" * 64), "not what was backed up"),
    "longer data": (lambda path: rewrite(path, bytes=10), "not what was backed up"),
    "a newer shop": (lambda path: rewrite(path, migrations=["tickets.0999_next"]), "newer Autoful"),
}
