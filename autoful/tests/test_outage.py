"""Redis dead, hung, full, read-only: it is found out once, and it is asked again by itself."""

import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connection
from django.test import Client

from autoful import environment, outage
from autoful.api import caching
from autoful.testing.personas import Persona
from autoful.testing.processes import Server, free_port, seconds_until
from autoful.testing.queries import Statements
from autoful.testing.rivals import at_once
from autoful.testing.servers import find_program, redis_server
from autoful.testing.shops import ROOT
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory

FINDING_OUT = 0.5  # seconds it may cost
A_MOMENT = 0.25  # less than one more wait, and enough for a busy machine

needs_redis = pytest.mark.skipif(not find_program("redis-server"), reason="needs redis-server")


@pytest.fixture(autouse=True)
def _present(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds Redis away because another test's was."""
    monkeypatch.setattr(outage, "ASK_EVERY", 0.2)
    outage.breaker.reset()
    yield
    outage.breaker.reset()


@pytest.fixture
def at(settings: Any) -> Callable[[str], None]:
    """Point the caches to the Redis at a URL."""

    def point(url: str) -> None:
        settings.CACHES = django_settings.CACHES | environment.redis_caches(url)

    return point


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def ours(server: Server, at: Callable[[str], None]) -> Iterator[redis.Redis]:
    """A Redis to be mistreated, and a client that talks to it behind our back."""
    at(server.url)
    with redis.Redis.from_url(server.url) as direct:
        direct.flushall()
        yield direct


def took(question: Callable[[], Any]) -> float:
    """Seconds until it failed."""
    began = time.monotonic()
    with pytest.raises(redis.RedisError):
        question()
    return time.monotonic() - began


def look() -> Any:
    return caches["limits"].get("x")


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    server.program.freeze()
    try:
        yield
    finally:
        server.program.thaw()


@needs_redis
def test_hung_it_is_waited_for_once_and_comes_back_by_itself(
    server: Server, ours: redis.Redis
) -> None:
    caches["limits"].set("x", "kept")
    with frozen(server):
        assert took(look) < FINDING_OUT + A_MOMENT
        assert sum(took(look) for _ in range(20)) < A_MOMENT
        assert caches["default"].get("x") is None  # silent, and as quick
        assert outage.breaker.is_open
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    assert look() == "kept"


@needs_redis
def test_without_the_breaker_everybody_waits(
    server: Server, ours: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage.breaker, "open", lambda *_: None)
    look()
    with frozen(server):
        for _ in range(3):
            assert took(look) > 0.25


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_eight_that_find_out_at_the_same_moment(
    server: Server, ours: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    really = outage.Client._keep_connected

    def ask_thrice() -> float:
        return sum(took(look) for _ in range(3))

    def noted(client: outage.Client) -> None:
        asked.append(threading.get_ident())
        really(client)

    at_once(*[look] * 8)
    with frozen(server):
        monkeypatch.setattr(outage.Client, "_keep_connected", noted)
        waits = at_once(*[ask_thrice] * 8)
    assert {asked.count(thread) for thread in asked} == {1}
    assert max(waits) < FINDING_OUT + A_MOMENT
    seconds_until(lambda: not outage.breaker.is_open, within=10)


@needs_redis
def test_killed_and_back_empty(server: Server, ours: redis.Redis) -> None:
    caches["limits"].set("x", "lost")
    server.program.kill()
    assert took(look) < FINDING_OUT + A_MOMENT
    assert took(look) < A_MOMENT
    server.start_again()
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    assert look() is None


@needs_redis
def test_a_connection_is_kept_and_one_that_has_ended_is_no_outage(
    ours: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []
    take = redis.ConnectionPool.get_connection

    def noted(pool: redis.ConnectionPool, *args: Any) -> Any:
        taken.append(pool)
        return take(pool, *args)

    monkeypatch.setattr(redis.ConnectionPool, "get_connection", noted)
    caches["limits"].set("x", "kept")
    client = caches["limits"].client.get_client()  # type: ignore[attr-defined]
    kept = client.connection
    taken.clear()
    for _ in range(3):
        # As an idle connection is by Redis' own timeout, and every one when it starts anew.
        ours.client_kill_filter(_type="normal", skipme=True)
        time.sleep(0.05)
        assert look() == look() == "kept"
        assert client.connection is kept and client.connection_pool not in taken
        assert not outage.breaker.is_open
    kept.pid = -1  # as in a fork, to which it does not belong
    assert look() == "kept"
    assert client.connection is not kept and kept.is_connected


def full(direct: redis.Redis) -> Callable[[], Any]:
    direct.config_set("maxmemory", "1")
    return lambda: direct.config_set("maxmemory", "0")


def replica(direct: redis.Redis) -> Callable[[], Any]:
    direct.replicaof("127.0.0.1", free_port())
    return lambda: direct.replicaof("NO", "ONE")


def locked(direct: redis.Redis) -> Callable[[], Any]:
    caches["limits"].get("x")
    direct.config_set("requirepass", "another")
    direct.client_kill_filter(_type="normal", skipme=True)
    return lambda: direct.config_set("requirepass", "")


@needs_redis
@pytest.mark.parametrize("trouble", [full, replica, locked])
def test_an_error_for_an_answer_is_away_too(
    trouble: Callable[[redis.Redis], Callable[[], Any]], ours: redis.Redis
) -> None:
    mend = trouble(ours)
    try:
        with pytest.raises(redis.RedisError):
            caches["limits"].set("x", 1)
        assert outage.breaker.is_open
        time.sleep(outage.ASK_EVERY * 2)
        assert outage.breaker.is_open  # it answers pings, and is of no use
    finally:
        mend()
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    caches["limits"].set("x", 1)


def test_what_an_old_watch_finds_ends_no_new_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "ASK_EVERY", 0.01)
    away, back, breaker = {"old", "new"}, [], outage.Breaker()
    monkeypatch.setattr(outage, "_listeners", [lambda: back.append("back")])

    def ask(which: str) -> None:
        if which in away:
            raise OSError

    others = set(threading.enumerate())
    breaker.open(OSError(), lambda: ask("old"))
    (old,) = set(threading.enumerate()) - others
    breaker.reset()
    breaker.open(OSError(), lambda: ask("new"))
    away.remove("old")
    old.join(10)
    assert (old.is_alive(), breaker.is_open, back) == (False, True, [])
    away.remove("new")
    seconds_until(lambda: back, within=5)
    assert not breaker.is_open


class Loading(socketserver.StreamRequestHandler):
    """A Redis that reads its file and says so."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line.startswith(b"*"):
                self.wfile.write(b"-LOADING Redis is loading the dataset in memory\r\n")


def test_loading_is_away(at: Callable[[str], None]) -> None:
    class Threaded(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Threaded(("127.0.0.1", 0), Loading) as loading:
        threading.Thread(target=loading.serve_forever, daemon=True).start()
        at(f"redis://127.0.0.1:{loading.server_address[1]}/0")
        took(look)
        assert outage.breaker.is_open
        assert took(look) < A_MOMENT
        loading.shutdown()


FORK = """
import os
import django; django.setup()
from autoful import outage
def never(): raise OSError
outage.breaker.open(OSError(), never)
assert outage.breaker.is_open
child = os.fork()
if not child:
    os._exit(outage.breaker.is_open or not outage.breaker._lock.acquire(timeout=1))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_does_not_inherit_what_nobody_would_mend(tmp_path: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        cwd=ROOT,
        env=dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "autoful.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_what_changed_meanwhile_is_seen_when_it_is_back(
    server: Server, ours: redis.Redis, nobody: Persona, mike: Persona
) -> None:
    part = PartFactory.create(quantity_in_stock=5)
    assert stock(nobody) == 5
    with frozen(server):
        assert mike.put(f"/inventory/{part.pk}", {"quantity_in_stock": 4}).status_code == 200
        assert stock(nobody) == 4
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    assert stock(nobody) == 4
    with Statements(connection) as queries:
        assert stock(nobody) == 4
    assert not len(queries)  # and it is cached again


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_without_dropping_on_return_the_old_page_is_served(
    server: Server,
    ours: redis.Redis,
    nobody: Persona,
    mike: Persona,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outage, "_listeners", [])
    part = PartFactory.create(quantity_in_stock=5)
    assert stock(nobody) == 5
    with frozen(server):
        mike.put(f"/inventory/{part.pk}", {"quantity_in_stock": 4})
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    assert stock(nobody) == 5
    pages = [page for page, _ in caching._pages._things.values() if page.list == "inventory"]
    assert pages and max(page.until for page in pages) <= time.time() + 60  # but never for longer


def stock(person: Persona) -> int:
    return int(person.get("/inventory").json()["inventory"][0]["quantity_in_stock"])


@pytest.mark.django_db(transaction=True)
def test_a_dead_redis_is_a_slow_moment(
    at: Callable[[str], None], settings: Any, nobody: Persona, mike: Persona, boss: Persona
) -> None:
    at(f"redis://127.0.0.1:{free_port()}/0")
    settings.RATE_LIMITS = {"default": ["50/hour"]}
    customer = CustomerFactory.create()
    PartFactory.create(quantity_in_stock=5)
    body = {"service_desc": "Oil", "service_date": "2025-06-01", "VIN": "1HGCM82633A004352"}
    opened = mike.post("/service_tickets", body | {"customer_id": customer.pk})
    assert opened.status_code == 201
    part = Part.objects.get()
    for left in (4, 3):
        added = mike.post(
            f"/service_tickets/{opened.json()['id']}/add-inventory",
            {"inventory_id": part.pk, "quantity_used": 1},
        )
        assert added.json()["stock_remaining"] == left
        for caller in (nobody, mike, boss):
            assert caller.get("/inventory").status_code == 200
            assert stock(caller) == left
    assert nobody.get("/inventory")["RateLimit-Remaining"] == "45"
    assert outage.breaker.is_open


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_a_sign_out_while_it_is_away_is_one(
    server: Server, ours: redis.Redis, boss: Persona, client: Client
) -> None:
    assert boss.get("/admin/").status_code == 200
    with frozen(server):
        assert boss.get("/admin/").status_code == 200
        signed_in = boss.cookies["sessionid"].value
        assert boss.post("/admin/logout/").status_code == 200
    seconds_until(lambda: not outage.breaker.is_open, within=10)
    client.cookies["sessionid"] = signed_in
    assert client.get("/admin/").status_code == 302
