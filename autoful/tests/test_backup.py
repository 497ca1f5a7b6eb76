"""Backup and restore: what comes back is what was there, and nothing is touched by a bad file."""

import json
import os
import sqlite3
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from autoful.accounts.models import User
from autoful.backup import archive, clients, making, mysql, restoring, unfinished
from autoful.backup.errors import Refused
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.soundness import everything

pytestmark = pytest.mark.django_db(transaction=True)

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


@pytest.fixture
def shop(sarah: Persona, mike: Persona, boss: Persona) -> dict[str, list[dict[str, Any]]]:
    """A shop with people, a session, parts and history; what is in it."""
    boss.get("/customers/")
    PartFactory.create(part_name=NASTY, quantity_in_stock=7)
    assert mike.put(f"/inventory/{Part.objects.get().pk}", {"price": 3.5}).status_code == 200
    return everything()


@pytest.fixture
def backup(shop: Any, tmp_path: Path) -> Path:
    path = tmp_path / "one.zip"
    making.make(path)
    return path


# --- There and back -------------------------------------------------------------------------------


def test_what_comes_back_is_what_was_there(shop: Any, tmp_path: Path) -> None:
    path = tmp_path / "there" / "one.zip"
    said = run("backup", path)
    assert str(path) in said
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [p.name for p in path.parent.iterdir()] == ["one.zip"]
    there = lasting()

    Part.objects.update(part_name="changed since")
    PartFactory.create()
    run("restore", path, "--replace")
    assert lasting() == there
    assert LogEntry.objects.filter(additional_data__event="restored").count() == 1


def test_the_manifest_counts_what_is_in_the_shop(backup: Path) -> None:
    manifest = archive.read_manifest(backup)
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            assert manifest.rows[table] == cursor.fetchone()[0], table
    assert {*tables} == {name for name in manifest.rows if not name.startswith("sqlite_")}


def test_the_sign_ins_of_another_day_are_over(sarah: Persona, boss: Persona, backup: Path) -> None:
    assert Session.objects.exists()
    versions = dict(User.objects.values_list("pk", "token_version"))
    run("restore", backup, "--replace")
    assert sarah.get("/customers/my-tickets").status_code == 401
    assert not Session.objects.exists()
    for user in User.objects.all():
        # A password changed after the backup made the next version; its tokens end as well.
        assert user.token_version > versions[user.pk] + 100


def test_the_shop_that_was_replaced_is_kept(backup: Path, tmp_path: Path) -> None:
    Part.objects.update(part_name="the later shop")
    later = lasting()
    said = run("restore", backup, "--replace")
    kept = Path(said.split("as it was before is in ")[1].splitlines()[0].removesuffix("."))
    assert Part.objects.get().part_name == NASTY
    if kept.suffix == ".zip":
        run("restore", kept, "--replace")
        assert lasting() == later
    else:
        with closing(sqlite3.connect(kept)) as old:
            assert old.execute("SELECT part_name FROM inventory_part").fetchone()[0] == (
                "the later shop"
            )


def test_a_folder_or_nothing_is_a_place_too(shop: Any, tmp_path: Path) -> None:
    backups = Path(settings.AUTOFUL_DATA) / "backups"
    for folder, named in ((tmp_path, [tmp_path]), (backups, [])):
        before = {*folder.glob("autoful-20*.zip")}
        run("backup", *named)
        [path] = {*folder.glob("autoful-20*.zip")} - before
        assert restoring.check_file(path, lambda *_: None).rows["inventory_part"] == 1


def test_an_older_shop_is_told_to_migrate(shop: Any, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    try:
        run("backup", tmp_path / "old.zip")
        said = run("restore", tmp_path / "old.zip", "--replace")
        assert "manage.py migrate" in said
    finally:
        call_command("migrate", "sessions", fake=True, verbosity=0)


def test_a_shop_that_was_not_in_order_comes_back_and_says_so(shop: Any, tmp_path: Path) -> None:
    Part.objects.update(quantity_in_stock=99)
    run("backup", tmp_path / "wrong.zip")
    with pytest.raises(CommandError, match="not in order"):
        run("restore", tmp_path / "wrong.zip", "--replace")
    assert Part.objects.get().quantity_in_stock == 99


# --- Refused before anything is touched -----------------------------------------------------------


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


OTHER = {"sqlite": "mysql", "mariadb": "mysql", "mysql": "mariadb"}

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


def test_unfit_files_are_refused_and_nothing_touched(backup: Path) -> None:
    whole = backup.read_bytes()
    for unfit, (spoil, words) in UNFIT.items():
        backup.write_bytes(whole)
        spoil(backup)
        with refused(words):
            print(unfit)  # noqa: T201  # of which one it was when this fails
            run("restore", backup, "--replace")
    backup.write_bytes(whole)
    run("restore", backup, "--replace")


def test_another_kind_of_database_is_refused(backup: Path) -> None:
    other = OTHER[archive.read_manifest(backup).database]
    with zipfile.ZipFile(backup) as old:
        manifest = json.loads(old.read("manifest.json")) | {"database": other}
    with zipfile.ZipFile(backup, "w") as new:
        new.writestr(archive.DATA[other], b"")
        new.writestr("manifest.json", json.dumps(manifest))
    with refused("goes back to the kind of database it came from"):
        run("restore", backup, "--replace")


def test_a_shop_with_data_is_not_replaced_unasked(backup: Path) -> None:
    with refused("add --replace"):
        run("restore", backup)


def test_checking_touches_nothing(backup: Path) -> None:
    before = everything()
    assert "is whole" in run("restore", backup, "--check")
    assert everything() == before


def test_an_existing_file_is_never_replaced(shop: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    path.write_text("mine")
    with refused("never replaces a file"):
        run("backup", path)
    with pytest.raises(Refused, match="never replaces a file"):
        archive._name(tmp_path / "mine.zip", path)
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refused("cannot be written to"):
        run("backup", tmp_path / "file" / "one.zip")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on files")
def test_a_full_disk_leaves_nothing_behind(shop: Any, tmp_path: Path) -> None:
    # A limit on files fails the write as a full disk does, on a real file and in the real program.
    full = f"""
import resource, signal
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import django; django.setup()
from django.db import connection
connection.settings_dict["NAME"] = {str(connection.settings_dict["NAME"])!r}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "backup", {str(tmp_path / "one.zip")!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", full],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "autoful.settings"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# --- While others are there, and broken midway ----------------------------------------------------


@on_sqlite
def test_a_sqlite_shop_in_use_is_not_replaced(backup: Path) -> None:
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("SELECT count(*) FROM inventory_part").fetchone()
        with refused("is in use"):
            run("restore", backup, "--replace")
    run("restore", backup, "--replace")


@on_sqlite
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")
def test_a_running_shop_is_not_replaced(backup: Path) -> None:
    from autoful.serving import alone

    with alone(Path(settings.AUTOFUL_DATA)), refused("running already"):
        run("restore", backup, "--replace")


@on_sqlite
def test_a_broken_database_inside_a_whole_file_is_refused(backup: Path) -> None:
    def tear(data: bytes) -> bytes:
        return data[:8192] + bytes(len(data) - 8192)

    rewrite(backup, tear)
    with refused("damaged database"):
        run("restore", backup, "--replace")


@on_sqlite
def test_a_shop_that_cannot_be_read_any_more_can_be_restored(backup: Path, shop: Any) -> None:
    there = lasting()
    connection.close()
    database = Path(connection.settings_dict["NAME"])
    database.write_bytes(b"not a database" * 1000)
    Path(f"{database}-wal").write_bytes(b"nor a log")
    with pytest.raises(CommandError, match="add --replace"):
        run("restore", backup)
    run("restore", backup, "--replace")
    assert lasting() == there


@on_a_server
def test_a_shop_in_use_is_not_replaced(backup: Path) -> None:
    other = connection.copy()
    other.ensure_connection()
    try:
        with refused("is in use"):
            run("restore", backup, "--replace")
    finally:
        other.close()
    run("restore", backup, "--replace")


@on_a_server
def test_a_restore_that_broke_leaves_a_closed_shop(
    nobody: Persona, backup: Path, tmp_path: Path
) -> None:
    there = lasting()
    whole = tmp_path / "whole.zip"
    whole.write_bytes(backup.read_bytes())
    rewrite(backup, lambda sql: sql.replace(b"INSERT INTO `inventory_stock", b"OOPS `x", 1))
    with pytest.raises(CommandError, match="stays closed until it is"):
        run("restore", backup, "--replace")

    # Half a shop is there, and nobody gets to see it.
    connection.close()
    answer = nobody.get("/inventory/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert nobody.get("/health/ready").status_code == 503
    with pytest.raises(OperationalError, match="has not finished"):
        connection.ensure_connection()
    with unfinished.admitted():
        assert connection.introspection.table_names()  # control: there was half a shop to see
    connection.close()

    run("restore", whole)
    assert lasting() == there


# --- Programs -------------------------------------------------------------------------------------


@on_a_server
def test_a_password_is_in_no_argument_and_no_environment(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "p#a\"s's\\w ord%é;=[x]"
    user = "nightly_" + uuid.uuid4().hex[:8]
    name = connection.settings_dict["NAME"]
    spy = tmp_path / "bin"
    spy.mkdir()
    real = clients.fitting("dump", mysql.kind())
    for program in ("mysqldump", "mariadb-dump"):
        path = spy / program
        path.write_text(
            f'#!/bin/sh\n{{ echo "$@"; env; }} >>{tmp_path}/seen\nexec {real.path} "$@"\n'
        )
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy}:{os.environ['PATH']}")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE USER '{user}'@'%%' IDENTIFIED BY %s", [password])
        cursor.execute(f"GRANT SELECT, TRIGGER, SHOW VIEW ON `{name}`.* TO '{user}'@'%'")
    as_root = dict(connection.settings_dict)
    connection.close()
    try:
        connection.settings_dict |= {"USER": user, "PASSWORD": password}
        monkeypatch.setenv("MYSQL_PWD", "somebody-elses")
        run("backup", tmp_path / "one.zip")
    finally:
        monkeypatch.delenv("MYSQL_PWD")
        connection.close()
        connection.settings_dict |= as_root
        with connection.cursor() as cursor:
            cursor.execute(f"DROP USER '{user}'@'%'")
    # What the program is told, and finds in its environment, once it is to connect.
    _, seen = (tmp_path / "seen").read_text().split("--defaults-file=")
    assert password not in seen
    assert "somebody-elses" not in seen
    assert restoring.check_file(tmp_path / "one.zip", lambda *_: None)


def test_the_options_of_the_url_reach_either_program() -> None:
    where = {
        "user": "shop",
        "password": 'a"b\\c',
        "unix_socket": "/run/x.sock",
        "ssl": {"ca": "/ca.pem"},
        "ssl_mode": "VERIFY_CA",
    }
    ours = clients.options(clients.MARIADB, where).splitlines()
    assert 'password="a\\"b\\\\c"' in ours
    assert 'socket="/run/x.sock"' in ours
    assert 'ssl-ca="/ca.pem"' in ours
    assert {"ssl", "ssl-verify-server-cert"} <= {*ours}
    assert "ssl-mode=VERIFY_CA" in clients.options(clients.MYSQL, where).splitlines()
    plain = clients.options(clients.MARIADB, {"host": "db", "port": 3307}).splitlines()
    assert {'host="db"', 'port="3307"', "disable-ssl-verify-server-cert"} <= {*plain}
    assert "skip-ssl" in clients.options(clients.MARIADB, {"ssl_mode": "DISABLED"})


def test_rows_are_counted_as_the_dump_passes() -> None:
    reading = mysql.Reading()
    for line in (
        b"CREATE TABLE `none` (\n",
        b"-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000007', MASTER_LOG_POS=4711;\n",
        b"CREATE TABLE `one``odd` (\n",
        b"INSERT INTO `one``odd` VALUES (1,'a(b'),(2,'it\\'s (c'),(3,'\\\\'),(4,0x28);\n",
        b"CREATE TABLE `many` (\n",
        b"INSERT INTO `many` VALUES\n",
        b"(1,'(');\n",
        b"INSERT INTO `many` VALUES\n",
        b"(2,';'),\n",
        b"(3,'x;');\n",
        b"(not a row\n",
        b"-- Dump completed on 2026-11-22\n",
    ):
        reading.line(line)
    assert reading.rows == {"none": 0, "one`odd": 4, "many": 3}
    assert reading.position == {"file": "binlog.000007", "position": 4711}
    assert reading.complete
