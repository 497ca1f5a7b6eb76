"""A database that cannot answer is a 503 to everybody, said once in the log; nothing else is."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error, InterfaceError, OperationalError, ProgrammingError, connection
from django.http import HttpResponse
from django.test import Client

from autoful import unavailable
from autoful.logs import JSONFormatter, SaidElsewhere
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(unavailable, "_said", {})
    settings.RATE_LIMITS = None


def sqlite_error(code: int, words: str) -> OperationalError:
    cause = sqlite3.OperationalError(words)
    cause.sqlite_errorcode = code  # type: ignore[misc]
    error = OperationalError(words)
    error.__cause__ = cause
    return error


AWAY = [
    OperationalError(2002, "Can't connect to server on 'db' (115)"),
    OperationalError(2006, "Server has gone away"),
    OperationalError(2013, "Lost connection to server during query"),
    OperationalError(1040, "Too many connections"),
    OperationalError(1053, "Server shutdown in progress"),
    OperationalError(1290, "The server is running with the --read-only option"),
    OperationalError(1836, "Running in read-only mode"),
    OperationalError(1021, "Disk full (/var/lib/mysql/ibtmp1); waiting for someone to free space"),
    OperationalError(1114, "The table 'tickets_partline' is full"),
    OperationalError(1047, "WSREP has not yet prepared node for application use"),
    OperationalError(1044, "Access denied for user 'shop'@'%' to database 'autoful'"),
    OperationalError(1045, "Access denied for user 'shop'@'%' (using password: YES)"),
    OperationalError(1049, "Unknown database 'autoful'"),
    OperationalError(4151, "Access denied, this account is locked"),
    OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction"),
    InterfaceError("connection already closed"),
    sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"),
    sqlite_error(sqlite3.SQLITE_CANTOPEN, "unable to open database file"),
    sqlite_error(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error"),
    sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED, "attempt to write a readonly database"),
    sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed"),
]
OUR_FAULT = [
    ProgrammingError(1064, "You have an error in your SQL syntax"),
    OperationalError(1054, "Unknown column 'weight'"),
    sqlite_error(sqlite3.SQLITE_ERROR, "no such table: inventory_part"),
    ValueError("2006"),
]


@contextmanager
def answering(error: Exception) -> Iterator[None]:
    """Every question to the database ends with `error`."""

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):  # the test's own transaction
            return execute(sql, *rest)
        raise error

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def visits(mike: Persona, boss: Persona) -> dict[str, Callable[[], Any]]:
    boss.raise_request_exception = mike.raise_request_exception = False
    anyone = Client(raise_request_exception=False)
    signing_in = {"email": "mike@example.com", "password": "wrong"}
    html = {"HTTP_ACCEPT": "text/html"}
    return {
        "a list": lambda: anyone.get("/service_tickets"),
        "a row": lambda: anyone.get("/inventory/7"),
        "a token": lambda: mike.get("/mechanics"),
        "a write": lambda: mike.post("/inventory", {"part_name": "Pads", "price": 9}),
        "a sign-in": lambda: anyone.post("/mechanics/login", signing_in, "application/json"),
        "a page of the API": lambda: boss.get("/inventory/7", **html),
        "the desk": lambda: boss.get("/admin/"),
        "a list of the desk": lambda: boss.get("/admin/inventory/part/?q=pads"),
        "a form of the desk": lambda: boss.post("/admin/inventory/part/add/", {}),
        "the desk's door": lambda: anyone.post(
            "/admin/login/", {"username": "boss@example.com", "password": "wrong"}
        ),
    }


@pytest.mark.parametrize("error", [AWAY[1], AWAY[-1]], ids=str)
def test_everybody_is_told_to_come_again(
    error: Error, visits: dict[str, Callable[[], Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with answering(error):
        for what, visit in visits.items():
            answer = visit()
            assert (answer.status_code, answer["Retry-After"]) == (503, "1"), what
            if answer["Content-Type"].startswith("text/html"):
                assert unavailable.MESSAGE in answer.content.decode(), what
            else:
                body = {"code": "unavailable", "message": unavailable.MESSAGE}
                assert answer.json() == body, what
        probe = Client().get("/health/ready")
        assert (probe.status_code, probe["Retry-After"]) == (503, "1")
        assert Client().get("/health/live").status_code == 200
    lines = [JSONFormatter().format(r) for r in caplog.records if SaidElsewhere().filter(r)]
    (said,) = [json.loads(line) for line in lines if json.loads(line)["level"] == "ERROR"]
    assert said["message"].startswith("the database does not answer: ")
    assert "exception" not in said


def test_every_way_to_say_no(visits: dict[str, Callable[[], Any]]) -> None:
    for error in AWAY:
        with answering(error):
            assert visits["a row"]().status_code == 503, error
            assert visits["the desk"]().status_code == 503, error


def test_our_own_fault_is_not_blamed_on_the_database(
    visits: dict[str, Callable[[], Any]], caplog: pytest.LogCaptureFixture
) -> None:
    for error in OUR_FAULT:
        caplog.clear()
        with answering(error):
            assert visits["a row"]().status_code == 500, error
            assert visits["the desk"]().status_code == 500, error
        assert [r for r in caplog.records if r.exc_info and SaidElsewhere().filter(r)]


def test_another_ailment_and_another_minute_are_said_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (AWAY[0], AWAY[0], AWAY[1], AWAY[0]):
        unavailable.report(error)
    assert len(caplog.records) == 2
    monkeypatch.setattr(unavailable, "SAY_AGAIN_SECONDS", 0.0)
    unavailable.report(AWAY[0])
    assert len(caplog.records) == 3
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_session_that_cannot_be_kept_is_no_bad_request(
    boss: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss.raise_request_exception = False

    def not_saved(cause: Exception) -> Callable[..., HttpResponse]:
        def process_response(*args: Any) -> HttpResponse:
            from django.contrib.sessions.exceptions import SessionInterrupted

            try:
                try:
                    raise cause
                except Exception:
                    raise UpdateError  # noqa: B904  as Django does
            except UpdateError:
                raise SessionInterrupted("gone")  # noqa: B904

        return process_response

    for cause, status in ((AWAY[1], 503), (ValueError(), 400)):
        monkeypatch.setattr(SessionMiddleware, "process_response", not_saved(cause))
        assert boss.get("/admin/").status_code == status


# --- What SQLite really says ----------------------------------------------------------------------

sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="says what SQLite says")


@sqlite
@pytest.mark.parametrize(
    ("on", "off"),
    [
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 4294967294"),
        ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
    ],
    ids=["full", "read-only"],
)
def test_a_sqlite_that_cannot_write(mike: Persona, on: str, off: str) -> None:
    part = PartFactory.create(quantity_in_stock=5)
    long = "x" * 200
    with connection.cursor() as cursor:
        # What other tests have deleted is room in the file; a disk that is full has none.
        cursor.execute("CREATE TABLE filler (bytes BLOB)")
        cursor.execute(
            "INSERT INTO filler SELECT zeroblob(freelist_count * 4096) FROM pragma_freelist_count"
        )
        cursor.execute(on)
        try:
            answers = [
                mike.post(
                    "/inventory", {"part_name": f"{long}{n}", "price": 9, "quantity_in_stock": 1}
                )
                for n in range(40)
            ]
        finally:
            cursor.execute(off)
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert answers[-1].status_code == 503
    assert answers[-1].json()["code"] == "unavailable"
    assert mike.get(f"/inventory/{part.pk}").status_code == 200
    assert Part.objects.count() == 1 + sum(answer.status_code == 201 for answer in answers)


@sqlite
@pytest.mark.django_db(transaction=True)
def test_a_sqlite_whose_folder_is_gone(nobody: Persona, tmp_path: Path) -> None:
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(tmp_path / "gone" / "shop.sqlite3")
    try:
        assert nobody.get("/service_tickets").status_code == 503
        assert nobody.get("/health/ready").status_code == 503
    finally:
        connection.settings_dict["NAME"] = name
    assert nobody.get("/service_tickets").status_code == 200
