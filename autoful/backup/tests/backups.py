"""What the tests of backup and restore have in common."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from autoful.backup import archive
from autoful.backup.errors import Refused
from tests.soundness import everything

on_sqlite = pytest.mark.skipif(bool(settings.DATABASE_URL), reason="SQLite's own way")
on_a_server = pytest.mark.skipif(not settings.DATABASE_URL, reason="SQLite has no server")

# Everything that quoting, escaping, counting and character sets could trip over.
NASTY = "O'Brien \\' \\ \"x\" `y` (1),(2); \n\r\t -- /* 🔧 Ünïcødé \u202e"


def run(*arguments: Any) -> str:
    """The command's words; CommandError is its refusal."""
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


@contextmanager
def refused(words: str) -> Iterator[None]:
    """The command says no in one line with these words, and changes nothing in the shop."""
    before = everything()
    with pytest.raises((CommandError, Refused)) as no:
        yield
    assert words in str(no.value)
    assert "\n" not in str(no.value)
    connection.close()
    assert everything() == before


def lasting() -> dict[str, list[dict[str, Any]]]:
    """Every row, but for what a restore is meant to change: sign-ins, and its own audit entry."""
    rows = everything()
    for user in rows["accounts.User"]:
        del user["token_version"]
    event = "auditlog.LogEntry"
    rows[event] = [r for r in rows[event] if "restored" not in str(r["additional_data"])]
    return rows


def rewrite(path: Path, data: Callable[[bytes], bytes] = bytes, **manifest: Any) -> None:
    """Make another archive of the backup, whole in itself; None takes a key away."""
    with zipfile.ZipFile(path) as old:
        said = json.loads(old.read("manifest.json"))
        name = archive.DATA[said["database"]]
        content = data(old.read(name))
    if content is not None:
        said |= {"bytes": len(content), "sha256": archive.hashlib.sha256(content).hexdigest()}
    said = {k: v for k, v in (said | manifest).items() if v is not None}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(said))
