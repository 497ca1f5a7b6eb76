"""`manage.py migrate` of an open shop: it waits with patience, and its end is clear."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.db.migrations import Migration

from autoful.deploying import fill, patience
from autoful.management.commands.migrate import _refuse_closed
from autoful.testing.rivals import Rival
from inventory.models import Part
from inventory.tests.factories import PartFactory

COMMENT = "ALTER TABLE inventory_part COMMENT = 'a change of nothing'"


@contextmanager
def forgotten_transaction() -> Iterator[Any]:
    """Somebody's client has read the parts and was left open; ends at the end of the block."""
    begun, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("SELECT COUNT(*) FROM inventory_part")
            begun.set()
            enough.wait(30)
            cursor.execute("ROLLBACK")

    rival = Rival(hold)
    rival.start(grace=0)
    assert begun.wait(10)
    try:
        yield enough
    finally:
        enough.set()
        assert rival.outcome() is None


@pytest.fixture
def production(transactional_db: None) -> None:
    if not settings.PRODUCTION:
        pytest.skip("SQLite's shop is closed when it migrates")


@pytest.fixture
def own_session(production: None) -> Iterator[None]:
    """The short waits end with the test."""
    yield
    connection.close()


def test_it_tries_again_until_the_lock_is_free(
    own_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with forgotten_transaction() as enough:
        monkeypatch.setattr(patience, "PAUSE", 0.1)

        def say(line: str) -> None:
            said.append(line)
            if len(said) == 2:
                enough.set()

        with patience.patient(connection, say), connection.cursor() as cursor:
            cursor.execute(COMMENT)
    assert len(said) >= 2
    assert said[0].startswith(f"Locked, try 1 of {patience.TRIES}: {COMMENT} (open the longest, ")
    assert " of root from " in said[0]


def test_it_ends_and_says_what_took_effect(
    own_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PAUSE", 0.0)
    monkeypatch.setattr(patience, "TRIES", 2)
    said: list[str] = []
    before = "ALTER TABLE customers_customer COMMENT = 'done'"
    with forgotten_transaction():
        began = time.monotonic()
        with (
            pytest.raises(patience.StillLocked) as end,
            patience.patient(connection, said.append),
            connection.cursor() as cursor,
        ):
            cursor.execute(before)
            cursor.execute(COMMENT)
        assert time.monotonic() - began < 10
    assert "Gave up after 2 tries" in str(end.value)
    assert "has taken effect" in str(end.value)
    assert before in str(end.value)
    assert len(said) == 1


def test_nobody_waits_longer_than_the_alter_does(
    own_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers queue behind it; in the control they queue until the forgotten client goes."""
    monkeypatch.setattr(patience, "PAUSE", 60.0)

    def longest_read(alter: Any) -> float:
        longest = 0.0
        with forgotten_transaction() as enough:
            altering = Rival(alter)
            altering.start(grace=0.3)
            threading.Timer(2.5, enough.set).start()
            while not enough.is_set():
                began = time.monotonic()
                Part.objects.count()
                longest = max(longest, time.monotonic() - began)
                time.sleep(0.02)
        connection.close()
        return longest

    def patiently() -> None:
        with patience.patient(connection, lambda said: None), connection.cursor() as cursor:
            monkeypatch.setattr(patience, "TRIES", 1)
            cursor.execute(COMMENT)

    def as_django_does() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION lock_wait_timeout = 30")
            cursor.execute(COMMENT)

    assert longest_read(patiently) < 1.9
    assert longest_read(as_django_does) > 2.0


def test_a_statement_of_a_transaction_is_not_repeated(own_session: None) -> None:
    """A deadlock undoes what came before it; going on would commit half."""
    tries = []

    def deadlocked(sql: str, *_: Any) -> None:
        tries.append(sql)
        raise OperationalError(1213, "Deadlock found")

    waiting = patience._Patience(connection, lambda said: None)
    connection.in_atomic_block = True
    try:
        with pytest.raises(OperationalError):
            waiting(deadlocked, "UPDATE inventory_part SET version = 1", None, False, None)
    finally:
        connection.in_atomic_block = False
    assert len(tries) == 1


def test_a_request_outlasts_the_migration(production: None) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT @@lock_wait_timeout")
        (seconds,) = cursor.fetchone()
    assert patience.WAIT * 2 < int(seconds) <= 3


def test_one_that_needs_the_shop_closed_is_refused(db: None) -> None:
    closing = type("Migration", (Migration,), {"autoful_deploy": "closed: all amounts change"})
    plan = [(closing("0009_amounts", "inventory"), False)]
    with pytest.raises(CommandError, match=r"0009_amounts \(all amounts change\).*--closed"):
        _refuse_closed(plan)
    first = type("Migration", (Migration,), {})("0001_initial", "contenttypes")
    _refuse_closed([(first, False), *plan])


def test_migrating_anew_says_nothing_is_to_do(transactional_db: None, capsys: Any) -> None:
    call_command("migrate", closed=True)
    assert "No migrations to apply." in capsys.readouterr().out
    connection.close()


def test_a_fill_goes_in_batches_and_leaves_what_was_written(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.migrations.executor import MigrationExecutor
    from django.db.models import F, Q

    monkeypatch.setattr(fill, "BATCH", 2)
    parts = [PartFactory.create(part_name=f"Part {n}", location="") for n in range(5)]
    Part.objects.filter(pk=parts[3].pk).update(location="kept")
    operation = fill.Fill("part", still=Q(location=""), to={"location": F("part_name")})
    state = MigrationExecutor(connection).loader.project_state()
    asked: list[str] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    connection.disable_constraint_checking()
    with connection.schema_editor() as editor, connection.execute_wrapper(listen):
        operation.database_forwards("inventory", editor, state, state)
    written = dict(Part.objects.values_list("part_name", "location"))
    assert written == {f"Part {n}": "kept" if n == 3 else f"Part {n}" for n in range(5)}
    updates = [sql for sql in asked if sql.startswith("UPDATE")]
    assert len(updates) == 2
    assert all("`location` = " in sql.replace('"', "`").split("WHERE")[1] for sql in updates)
