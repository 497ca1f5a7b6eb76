"""A shop that is kept closed for the binary log, and a backup that cannot say where the log goes on."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from autoful.backup import clients, mysql
from autoful.backup.tests.backups import lasting, on_a_server, refused, rewrite, run
from autoful.testing import servers

pytestmark = [pytest.mark.django_db(transaction=True), on_a_server]
POSITION = {"file": "shop.000007", "position": 4711}


def test_without_a_position_the_shop_is_not_replaced_for_a_log(backup: Path) -> None:
    rewrite(backup, binary_log=None)
    with refused("has no position in the binary log; it can only come back as of"):
        run("restore", backup, "--replace", "--keep-closed")
    assert "has no position" in run("restore", backup, "--check")
    rewrite(backup, binary_log=POSITION)
    assert "shop.000007, 4711" in run("restore", backup, "--check")


def test_a_shop_kept_closed_is_opened_and_not_begun_anew(backup: Path, shop: Any) -> None:
    rewrite(backup, binary_log=POSITION)
    there = lasting()
    said = run("restore", backup, "--replace", "--keep-closed")
    assert "--start-position=4711" in said
    kept = Path(said.split("as it was before is in ")[1].splitlines()[0].removesuffix("."))
    assert kept.exists()
    with pytest.raises(OperationalError, match=r"kept closed for the binary log.*--finish"):
        connection.ensure_connection()
    with pytest.raises(CommandError, match=r"kept closed for the binary log.*--finish"):
        call_command("migrate")
    # What was played in is not thrown away unasked; asked, it begins anew.
    with pytest.raises(CommandError, match="add --replace"):
        run("restore", backup)
    assert "was before" not in run("restore", backup, "--replace", "--keep-closed")
    assert "The shop is back" in run("restore", "--finish")
    assert lasting() == there


def test_what_broke_midway_is_not_opened(backup: Path) -> None:
    whole = backup.read_bytes()
    rewrite(backup, lambda sql: sql.replace(b"INSERT INTO `inventory_stock", b"OOPS `x", 1))
    with pytest.raises(CommandError, match="stays closed until it is"):
        run("restore", backup, "--replace")
    with pytest.raises(CommandError, match="broke midway: run it again"):
        run("restore", "--finish")
    with pytest.raises(CommandError, match=r"run manage[.]py restore again"):
        call_command("migrate")
    backup.write_bytes(whole)
    run("restore", backup)


@pytest.fixture
def logging_server() -> Iterator[None]:
    """Django's connection is to a server with a log, by an account that may not read its position."""
    if mysql.kind() != clients.MARIADB:
        pytest.skip("a connection remembers which kind its first server was")
    ours = dict(connection.settings_dict)
    connection.close()
    with servers.mariadb_server(options=("--log-bin=shop",)) as server:
        where = {"HOST": "127.0.0.1", "PORT": urlsplit(server.url).port}
        connection.settings_dict |= where | {"USER": "root", "PASSWORD": "", "NAME": "autoful"}
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "CREATE TABLE django_migrations (id INT PRIMARY KEY, "
                    "app VARCHAR(9), name VARCHAR(9), applied DATETIME)"
                )
                cursor.execute("INSERT INTO django_migrations VALUES (1, 'a', 'b', NOW())")
                cursor.execute("CREATE USER nightly@'%' IDENTIFIED BY ''")
                cursor.execute("GRANT SELECT, TRIGGER ON autoful.* TO nightly@'%'")
            yield
        finally:
            connection.close()
            connection.settings_dict |= ours


@pytest.mark.skipif(not servers.find_program("mariadbd"), reason="needs a MariaDB of its own")
def test_a_log_that_the_account_may_not_read_is_said(logging_server: None, tmp_path: Path) -> None:
    for user, warned in (("root", False), ("nightly", True)):
        connection.close()
        connection.settings_dict["USER"] = user
        out, err = StringIO(), StringIO()
        call_command("backup", str(tmp_path / f"{user}.zip"), stdout=out, stderr=err)
        assert ("GRANT RELOAD, BINLOG MONITOR" in err.getvalue()) is warned, err.getvalue()
        assert ("goes on from shop.0" in out.getvalue()) is not warned
