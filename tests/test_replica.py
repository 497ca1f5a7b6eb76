"""Which lists are read from the replica: never those of somebody who just wrote.

The decisions are tested here, with two names for the test's one database; two databases that
follow one another are in tests/drills/test_replica.py.
"""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection, connections

from autoful import metrics, outage, unavailable
from autoful.actor import COMMAND, NOBODY, Actor, acting
from autoful.api import caching, replica
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.tests.factories import CustomerFactory
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """A replica that is named, and the newest audit entry that each of the two has."""
    clock, newest = Clock(), {"default": 7, "replica": 7}
    monkeypatch.setattr(replica, "time", clock)
    monkeypatch.setattr(replica, "is_named", lambda: True)
    monkeypatch.setattr(replica, "_newest", lambda alias: newest[alias])
    monkeypatch.setattr(replica, "_watch", replica._Watch())
    clock.newest = newest  # type: ignore[attr-defined]
    yield clock


def source(actor: Actor = NOBODY) -> str:
    return replica.read(actor, lambda alias: alias)[1]


def settle(clock: Clock) -> None:
    source()
    clock.now += replica.LOOK
    assert source() == "replica"


def test_nothing_is_read_from_one_nobody_named() -> None:
    assert replica.read(NOBODY, lambda alias: alias) == ("default", "default")


def test_it_is_asked_once_it_is_known_to_follow(clock: Clock) -> None:
    assert source() == "default"
    clock.now += replica.LOOK - 1
    assert source() == "default"
    clock.now += 1
    assert source() == "replica"


def test_one_that_is_behind_is_not_asked_until_it_has_caught_up(clock: Any) -> None:
    settle(clock)
    clock.newest["default"] = 9
    clock.now += replica.LOOK  # sees 9 in the database; the replica has the 7 of before
    assert source() == "replica"
    clock.now += replica.LOOK
    assert source() == "default", "and this was within BEHIND"
    clock.newest["replica"] = 9
    clock.now += replica.LOOK
    assert source() == "replica"


def test_what_was_seen_before_a_quiet_hour_proves_nothing(clock: Any) -> None:
    settle(clock)
    clock.newest["default"] = 500
    clock.now += 3600
    assert source() == "default"
    clock.now += replica.LOOK
    assert source() == "default"


def test_after_redis_was_away_nobody_is_taken_for_one_who_did_not_write(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening: list[Any] = []
    monkeypatch.setattr(outage, "_listeners", listening)
    monkeypatch.setattr(replica.audit, "_listeners", [])
    replica.remember_who_writes()
    settle(clock)
    for listener in listening:
        listener()
    told = []
    for _ in range(5):
        told.append(source())
        clock.now += replica.LOOK
    assert told == ["default"] * 4 + ["replica"], "for BEHIND seconds, and one look more"


def test_one_that_does_not_answer_costs_nobody_the_list(clock: Clock) -> None:
    settle(clock)
    asked = []

    def build(alias: str) -> str:
        asked.append(alias)
        if alias == "replica":
            raise OperationalError(2013, "Lost connection")
        return "the list"

    assert replica.read(NOBODY, build) == ("the list", "default")
    assert replica.read(NOBODY, build) == ("the list", "default")
    assert asked == ["replica", "default", "default"], "and then it is left alone"


def silent(alias: str, error: Exception) -> Any:
    """What asks only one of the two and is answered with `error`."""

    def ask(database: str) -> int:
        if database == alias:
            raise error
        return 7

    return ask


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is counted, and nothing was said in the last minute."""
    names: list[str] = []
    monkeypatch.setattr(unavailable, "_said", {})
    monkeypatch.setattr(metrics, "count", names.append)
    return names


WRONG_PASSWORD = OperationalError(1045, "Access denied for user 'reader'@'%'")


def test_its_outage_is_not_told_as_the_databases(
    clock: Clock, counted: list[str], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(replica, "_newest", silent("replica", WRONG_PASSWORD))
    for _ in range(5):
        assert source() == "default"
        clock.now += replica.LOOK
    assert set(counted) == {"replica_unavailable"}
    (said,) = caplog.records
    assert (said.levelno, said.error) == (logging.WARNING, 1045)
    assert said.getMessage().startswith("the replica does not answer")
    unavailable.report(WRONG_PASSWORD)
    assert len(caplog.records) == 2, "the database's same ailment is another one"


def test_the_databases_outage_is_not_told_as_its_own(
    clock: Clock, counted: list[str], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    settle(clock)
    clock.now += replica.LOOK
    monkeypatch.setattr(replica, "_newest", silent("default", WRONG_PASSWORD))
    with pytest.raises(OperationalError):
        source()
    assert (counted, caplog.records) == ([], [])
    assert source() == "default", "nor is it asked on the strength of an old look"


def test_an_error_that_is_no_outage_is_not_hidden(clock: Clock) -> None:
    settle(clock)
    with pytest.raises(OperationalError, match="weight"):
        replica.read(NOBODY, silent("replica", OperationalError(1054, "Unknown column 'weight'")))


@pytest.mark.django_db(transaction=True)
def test_who_just_wrote_reads_the_database(
    clock: Clock, mike: Persona, lisa: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica.audit, "_listeners", [])
    replica.remember_who_writes()
    settle(clock)
    with acting(mike.actor):
        CustomerFactory.create()
    assert source(mike.actor) == "default"
    assert source(lisa.actor) == "replica"
    caches["lists"].clear()  # or BEHIND seconds later
    assert source(mike.actor) == "replica"


@pytest.mark.django_db(transaction=True)
def test_a_note_that_cannot_be_made_undoes_nothing(
    clock: Clock, mike: Persona, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(key: str) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(replica.audit, "_listeners", [])
    monkeypatch.setattr(replica, "_note", fail)
    replica.remember_who_writes()
    with acting(mike.actor):
        customer = CustomerFactory.create()
    assert type(customer).objects.filter(pk=customer.pk).exists()
    assert "on_commit" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_while_nobody_can_tell_who_wrote_the_database_is_read(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(clock)
    monkeypatch.setattr(outage, "ask", lambda question: None)
    assert source() == "default"


def page(answer: bytes, *, behind: bool) -> bytes:
    return caching.cached_page(
        "customers", "public", {}, lambda: answer, may_be_behind=lambda: behind
    )


def test_a_page_that_may_be_behind_a_change_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    caching.drop("customers")
    assert page(b"old", behind=True) == b"old"
    assert page(b"new", behind=False) == b"new"
    assert page(b"newer", behind=True) == b"new", "from the database: kept"


def test_a_page_of_a_list_that_has_settled_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    caching.drop("customers")
    later = time.time() + replica.BEHIND + 2
    monkeypatch.setattr(caching, "_age", lambda version: later - float(version.partition("-")[0]))
    page(b"first", behind=True)
    assert page(b"second", behind=True) == b"first"


def test_a_version_of_an_earlier_release_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two releases stand side by side while one is brought in: neither may break the other."""
    key = caching._version_key("customers")
    for version in ("0123456789abcdef0123456789abcdef", "1" * 32):
        caches["lists"].set(key, version)
        assert page(b"from the replica", behind=True) == b"from the replica"
        assert page(b"right", behind=False) == b"right"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["page=1", "cursor="])
def test_a_list_comes_from_it_whole(
    query: str, mike: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many there are, which are on the page, those, and what they show."""
    ServiceTicketFactory.create(mechanics=[mike.profile], parts=[(PartFactory.create(), 1)])
    caching.drop("service_tickets")
    monkeypatch.setattr(replica, "read", lambda actor, build: (build("replica"), "replica"))
    connections["replica"] = other = connection.copy("replica")
    try:
        for size in (5, 6):  # just after a change, neither pages nor totals of it are kept
            with Statements(connection) as here, Statements(other) as there:
                answer = mike.get(f"/service_tickets?status=pending&per_page={size}&{query}")
            assert len(answer.json()["service_tickets"]) == 1
            assert not [q["sql"] for q in here if re.search("tickets_|inventory_", q["sql"])]
            assert len([q for q in there if "tickets_serviceticket" in q["sql"]]) == 3
            assert len(there) == 5
    finally:
        other.close()
        del connections["replica"]


def test_rows_read_from_it_are_never_written_back_to_it() -> None:
    assert replica.OnlyListsAreRead().db_for_write(type(COMMAND)) == "default"  # type: ignore[arg-type]
    assert not replica.OnlyListsAreRead().allow_migrate("replica", "tickets")
