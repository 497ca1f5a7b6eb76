"""A file of somebody else's: what it must not get to do to the shop or to this machine."""

from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from autoful.accounts.models import User
from autoful.backup import mysql, sqlite, unfinished
from autoful.backup.errors import Refused
from autoful.backup.tests.backups import lasting, on_a_server, on_sqlite, refused, rewrite, run

pytestmark = pytest.mark.django_db(transaction=True)

MAKES_ADMINISTRATORS = (
    "CREATE TRIGGER surprise BEFORE UPDATE ON accounts_user FOR EACH ROW SET NEW.is_superuser = 1"
)
MAKES_ADMINISTRATORS_OF_SQLITE = (
    "CREATE TRIGGER surprise AFTER UPDATE ON accounts_user "
    "BEGIN UPDATE accounts_user SET is_superuser = 1; END"
)
ALL_KINDS = {
    "event": "CREATE EVENT surprise ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "function": "CREATE FUNCTION surprise() RETURNS INT DETERMINISTIC RETURN 1",
    "procedure": "CREATE PROCEDURE surprise() SELECT 1",
    "trigger": MAKES_ADMINISTRATORS,
    "view": "CREATE VIEW surprise AS SELECT 1",
}


def sql(path: Path, more: str) -> None:
    """Have a dump say `more` before its last line, which says that it is complete."""
    rewrite(path, lambda data: data.replace(b"-- Dump completed", more.encode() + b"\n-- Dump", 1))


def test_a_manifest_of_odd_kinds_is_refused_and_never_shown(backup: Path) -> None:
    whole = backup.read_bytes()
    for odd in (
        {"bytes": "10"},
        {"bytes": True},
        {"bytes": -1},
        {"migrations": [{}]},
        {"migrations": "a.b"},
        {"rows": []},
        {"rows": {"inventory_part": "1"}},
        {"database": []},
        {"binary_log": {"file": "x"}},
        {"binary_log": {"file": "x", "position": None}},
        {"binary_log": [1]},
        {"server": "\x1b[2JMariaDB"},
        {"made_at": "now\nand then"},
        {"migrations": ["\x1b]0;title"]},
    ):
        backup.write_bytes(whole)
        rewrite(backup, **odd)
        with pytest.raises(CommandError, match="its manifest is not whole") as no:
            run("restore", backup, "--check")
        assert str(no.value).isprintable(), odd


def test_the_words_of_others_move_no_cursor() -> None:
    assert str(Refused("near '\x1b[2J\n\u202e'")) == "near '[2J'"


@on_a_server
def test_a_backup_reads_no_file_of_this_machine(backup: Path, shop: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET_KEY")
    there = lasting()
    whole = backup.read_bytes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.local_infile")
        was = cursor.fetchone()[0]
        cursor.execute("SET GLOBAL local_infile = 1")  # what the server allows, we do not
    connection.close()
    try:
        sql(
            backup,
            "CREATE TABLE theirs (line TEXT);\n"
            f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE theirs;",
        )
        with pytest.raises(CommandError, match=r"(?i)local.*stays closed until it is"):
            run("restore", backup, "--replace")
        connection.close()
        with unfinished.admitted(), connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM theirs")
            assert cursor.fetchone()[0] == 0
            cursor.execute("SET GLOBAL local_infile = %s", [was])
    finally:
        connection.close()
        backup.write_bytes(whole)
        run("restore", backup)
    assert lasting() == there


@on_a_server
def test_what_runs_by_itself_does_not_come_back(backup: Path, shop: Any) -> None:
    there = lasting()
    whole = backup.read_bytes()
    sql(backup, f"{MAKES_ADMINISTRATORS};\n{ALL_KINDS['procedure']};")
    with pytest.raises(CommandError, match=r"surprise, which is none of Autoful's.* stays closed"):
        run("restore", backup, "--replace")
    backup.write_bytes(whole)
    connection.close()
    run("restore", backup)
    assert mysql.programs() == []
    assert lasting() == there


@on_a_server
def test_what_somebody_put_into_the_shop_is_not_dropped_unasked(backup: Path) -> None:
    with connection.cursor() as cursor:
        for text in ALL_KINDS.values():
            cursor.execute(text)
    try:
        with refused("event surprise, and no backup brings it back"):
            run("restore", backup, "--replace")
        assert mysql.programs() == [(what, "surprise") for what in ALL_KINDS]
    finally:
        with connection.cursor() as cursor:
            for what in ALL_KINDS:
                cursor.execute(f"DROP {what} surprise")


@on_sqlite
@pytest.mark.parametrize(
    ("what", "text"),
    [("trigger", MAKES_ADMINISTRATORS_OF_SQLITE), ("view", ALL_KINDS["view"])],
)
def test_what_runs_by_itself_does_not_come_back_in_a_file(
    backup: Path, tmp_path: Path, what: str, text: str
) -> None:
    def poison(data: bytes) -> bytes:
        path = tmp_path / "theirs.sqlite3"
        path.write_bytes(data)
        with closing(sqlite._open(path)) as database:
            database.execute(text)
        return path.read_bytes()

    rewrite(backup, poison)
    with refused(f"{what} surprise, which is none of Autoful's"):
        run("restore", backup, "--replace")
    assert User.objects.exists()


def test_backup_says_what_restore_would_refuse(shop: Any, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ALL_KINDS["view"])
    try:
        words = StringIO()
        call_command("backup", str(tmp_path / "one.zip"), stdout=StringIO(), stderr=words)
        assert "The view surprise is none of Autoful's" in words.getvalue()
        with refused("view surprise, "):
            run("restore", tmp_path / "one.zip", "--replace")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP VIEW surprise")
