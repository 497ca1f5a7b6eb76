"""Restore: what comes back is what was there, and nothing is touched by a bad file."""

import json
import sqlite3
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from autoful.accounts.models import User
from autoful.backup import archive, restoring, unfinished
from autoful.backup.tests.backups import (
    NASTY,
    lasting,
    on_a_server,
    on_sqlite,
    refused,
    rewrite,
    run,
)
from autoful.backup.tests.unfit import UNFIT
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.soundness import everything

pytestmark = pytest.mark.django_db(transaction=True)


# --- There and back -------------------------------------------------------------------------------


def test_what_comes_back_is_what_was_there(shop: Any, tmp_path: Path) -> None:
    path = tmp_path / "there" / "one.zip"
    path.parent.mkdir()
    said = run("backup", path)
    assert str(path) in said
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["one.zip"]
    there = lasting()

    Part.objects.update(part_name="changed since")
    PartFactory.create()
    run("restore", path, "--replace")
    assert lasting() == there
    [entry] = LogEntry.objects.filter(additional_data__event="restored")
    made_at = archive.read_manifest(path).made_at
    assert entry.additional_data["backup_made_at"] == made_at


def test_the_sign_ins_of_another_day_are_over(sarah: Persona, boss: Persona, backup: Path) -> None:
    assert Session.objects.exists()
    versions = dict(User.objects.values_list("pk", "token_version"))
    run("restore", backup, "--replace")
    assert sarah.get("/customers/my-tickets").status_code == 401
    assert not Session.objects.exists()
    for user in User.objects.all():
        # A password changed after the backup made the next version; its tokens end as well.
        assert user.token_version > versions[user.pk] + 100


def test_tokens_issued_between_two_restores_of_one_backup_end(sarah: Persona, backup: Path) -> None:
    run("restore", backup, "--replace")
    sarah.user.refresh_from_db()
    in_between = Persona(sarah.actor, sarah.profile)
    assert in_between.get("/customers/my-tickets").status_code == 200
    time.sleep(1.1)  # as a server takes to start; versions are told apart by the second
    run("restore", backup, "--replace")
    assert in_between.get("/customers/my-tickets").status_code == 401


def test_lists_are_those_of_the_shop_that_came_back(nobody: Persona, backup: Path) -> None:
    def shown() -> str:
        return str(nobody.get("/inventory/").json()["inventory"][0]["part_name"])

    Part.objects.update(part_name="the later shop")
    assert shown() == "the later shop"
    run("restore", backup, "--replace")
    assert shown() == NASTY


def test_what_is_counted_and_remembered_goes_on(backup: Path) -> None:
    # A rehearsal may be on the Redis of the open shop.
    for name in ("limits", "default"):
        caches[name].set("counted", 7)
    run("restore", backup, "--replace")
    assert [caches[name].get("counted") for name in ("limits", "default")] == [7, 7]


def test_the_shop_that_was_replaced_is_kept(backup: Path) -> None:
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


@on_sqlite
def test_without_links_it_is_kept_too_and_never_gone(
    backup: Path, without_links: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, there = Path(connection.settings_dict["NAME"]), []
    rename = Path.rename

    def watched(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        there.append(database.exists())
        return moved

    monkeypatch.setattr(Path, "rename", watched)
    test_the_shop_that_was_replaced_is_kept(backup)
    assert there == [True]


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


OTHER = {"sqlite": "mysql", "mariadb": "mysql", "mysql": "mariadb"}


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
    name = connection.settings_dict["NAME"]
    with refused(f"{name} has a shop's data already"):
        run("restore", backup)


def test_each_word_names_the_shop_it_is_about_and_no_password(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(connection.settings_dict["NAME"])
    said = run("restore", backup, "--replace")
    assert said.index(f"restored to {restoring.target()}.") < said.index("The shop is back in ")
    assert restoring.target().endswith(name)
    for key, value in {"HOST": "10.0.0.7", "PORT": 3307, "PASSWORD": "hush"}.items():
        monkeypatch.setitem(connection.settings_dict, key, value)
    assert restoring.target() == ("10.0.0.7:3307/" + name if settings.DATABASE_URL else name)


def test_checking_touches_nothing(backup: Path) -> None:
    before = everything()
    assert "is whole" in run("restore", backup, "--check")
    assert everything() == before


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
def test_a_shop_left_closed_is_opened_and_no_date_is_made_up(backup: Path, shop: Any) -> None:
    there = lasting()
    rewrite(backup, binary_log={"file": "shop.000001", "position": 4})
    assert "--finish" in run("restore", backup, "--replace", "--keep-closed")
    with pytest.raises(OperationalError, match="has not finished"):
        connection.ensure_connection()
    assert "The shop is back" in run("restore", "--finish")
    assert lasting() == there
    [entry] = LogEntry.objects.filter(additional_data__event="restored")
    assert "backup_made_at" not in entry.additional_data


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
