"""Backup: one file that is whole, and tells its secret to nobody."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from autoful.backup import archive, clients, mysql, restoring
from autoful.backup.errors import Refused
from autoful.backup.tests.backups import on_a_server, refused, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_manifest_counts_what_is_in_the_shop(backup: Path) -> None:
    manifest = archive.read_manifest(backup)
    with connection.cursor() as cursor:
        # SQLite's own, of somebody's ANALYZE, are no part of a shop.
        names = connection.introspection.table_names(cursor)
        tables = [name for name in names if not name.startswith("sqlite_")]
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            assert manifest.rows[table] == cursor.fetchone()[0], table
    assert {*tables} == {name for name in manifest.rows if not name.startswith("sqlite_")}


def test_a_folder_or_nothing_is_a_place_too(shop: Any, tmp_path: Path) -> None:
    backups = Path(settings.AUTOFUL_DATA) / "backups"
    for folder, named in ((tmp_path, [tmp_path]), (backups, [])):
        before = {*folder.glob("autoful-20*.zip")}
        run("backup", *named)
        [path] = {*folder.glob("autoful-20*.zip")} - before
        assert restoring.check_file(path, lambda *_: None).rows["inventory_part"] == 1


def test_an_existing_file_is_never_replaced(shop: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    path.write_text("mine")
    with refused("never replaces a file"):
        run("backup", path)
    with pytest.raises(Refused, match="never replaces a file"):
        archive.name(tmp_path / "mine.zip", path)
    assert path.read_text() == "mine"


def test_a_disk_without_links_takes_a_backup_too(
    shop: Any, tmp_path: Path, without_links: None
) -> None:
    path = tmp_path / "one.zip"
    run("backup", path)
    assert restoring.check_file(path, lambda *_: None)
    assert [*tmp_path.iterdir()] == [path]
    with refused("never replaces a file"):
        run("backup", path)
    (tmp_path / "two.zip").write_text("finished")
    with pytest.raises(Refused, match="never replaces a file"):
        archive.name(tmp_path / "two.zip", path)


def test_a_folder_that_is_not_ours_is_named(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))  # which root is never told

    monkeypatch.setattr("tempfile.mkstemp", denied)
    with refused(f"{tmp_path}: Permission denied"):
        run("backup", tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_no_folder_is_made_unasked_and_none_becomes_a_file(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    missing = tmp_path / "backups"
    for named in (
        f"{missing}/",
        missing / "one.zip",
        f"{tmp_path}/file/",
        f"{tmp_path}/file/a.zip",
    ):
        with refused("is no folder: make it first"):
            run("backup", named)
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]
    missing.mkdir()
    run("backup", f"{missing}/")
    assert len([*missing.glob("autoful-20*.zip")]) == 1


def test_our_own_folder_is_made_for_us_alone(shop: Any, tmp_path: Path, settings: Any) -> None:
    settings.AUTOFUL_DATA = tmp_path
    run("backup")
    assert (tmp_path / "backups").stat().st_mode & 0o777 == 0o700


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


@pytest.mark.skipif(sys.platform == "win32", reason="a script for a shell")
@pytest.mark.parametrize(
    ("says", "option"),
    [
        ("--master-data[=#]", "--master-data=2"),  # MariaDB's, and MySQL's up to 8.0.25
        ("--source-data[=#]\n--master-data[=#] is deprecated", "--source-data=2"),
    ],
)
def test_the_place_in_the_log_is_asked_for_by_the_name_the_program_knows(
    tmp_path: Path, says: str, option: str
) -> None:
    path = tmp_path / "mysqldump"
    path.write_text(f"#!/bin/sh\n[ $1 = --help ] && echo '{says}'\n")
    path.chmod(0o755)
    assert mysql._with_position(clients.Program(str(path), clients.MYSQL)) == option


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
