"""The database is killed, hangs or says no: everybody is told to come again, and it is soon over."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings

from autoful.testing import servers
from autoful.testing.processes import Server, seconds_until
from autoful.testing.shops import Shop
from tests.drills import control
from tests.drills.outages import BACK_WITHIN, UNLIMITED, mechanics_at_work, shop_on

pytestmark = pytest.mark.skipif(not settings.PRODUCTION, reason="SQLite has no server to lose")

PROMISED = 2.0  # seconds to an answer while the database is gone
# While it hangs, one request a second tries to connect, for those two seconds and what a request
# takes besides. Those under way when it began to hang wait five for it, then two more (ADR 11).
HUNG = PROMISED + 1.0
UNDER_WAY = 7.0 + 3.0  # on a busy machine
HANGS = 8.0  # seconds after which somebody who has no answer hangs
PASSWORD = "a fine one 1"
SHOP = f"""
from autoful.accounts.tokens import issue
from autoful.testing import personas
from tickets.tests.factories import ServiceTicketFactory
mike, boss = personas.mike(), personas.boss()
mike.user.set_password({PASSWORD!r})
mike.user.save()
answer = {{
    "token": str(issue(mike.actor.role, mike.profile, mike.user)),
    "session": boss.cookies["sessionid"].value,
    "ticket": ServiceTicketFactory.create().pk,
    "customer": mike.id,
}}
"""


@dataclass
class Visitors:
    """Everybody who may come while the database is away."""

    url: str
    known: dict[str, Any]

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self.url + path, allow_redirects=False, timeout=60, **more
            )

    def all(self) -> Iterator[tuple[str, Callable[[], requests.Response], int]]:
        """Who asks for what, and the status when all is well."""
        token = {"Authorization": f"Bearer {self.known['token']}"}
        desk = {"cookies": {"sessionid": self.known["session"]}}
        ticket = f"/service_tickets/{self.known['ticket']}"
        signing_in = {"email": "mike@example.com", "password": PASSWORD}
        for what, status, method, path, more in (
            ("anyone reads", 200, "GET", ticket, {}),
            ("anyone reads a list", 200, "GET", "/mechanics/top", {}),
            ("a mechanic reads", 200, "GET", "/mechanics/", {"headers": token}),
            (
                "a mechanic writes",
                200,
                "PATCH",
                ticket,
                {"headers": token, "json": {"service_desc": "Brakes"}},
            ),
            ("a mechanic signs in", 200, "POST", "/mechanics/login", {"json": signing_in}),
            ("the desk looks", 200, "GET", "/admin/", desk),
            ("the desk lists", 200, "GET", "/admin/inventory/part/", desk),
            (
                "the desk browses the API",
                200,
                "GET",
                ticket,
                desk | {"headers": {"Accept": "text/html"}},
            ),
            ("ready", 200, "GET", "/health/ready", {}),
        ):
            yield (
                what,
                lambda m=method, p=path, o=more: self.ask(m, p, **o),  # type: ignore[misc]
                status,
            )

    def are_refused(self, *, within: float = PROMISED) -> None:
        for what, ask, _ in self.all():
            began = time.monotonic()
            answer = ask()
            seconds = time.monotonic() - began
            assert answer.status_code == 503, f"{what}: {answer.status_code} {answer.text[:300]}"
            assert answer.headers["Retry-After"] == "1", what
            assert answer.headers["X-Request-ID"], what
            assert seconds < within, f"{what} waited {seconds:.1f} seconds"
            if answer.headers["Content-Type"].startswith("text/html"):
                assert "The database does not answer. Try again soon." in answer.text, what
            elif what != "ready":
                assert set(answer.json()) == {"code", "message"}, what
                assert answer.json()["code"] == "unavailable", what
        assert self.ask("GET", "/health/live").status_code == 200

    def is_everybody_served(self) -> bool:
        return all(ask().status_code == status for _, ask, status in self.all())

    def are_served(self) -> None:
        for what, ask, status in self.all():
            answer = ask()
            assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text[:300]}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Shop]]:
    folder = tmp_path_factory.mktemp("away")
    with shop_on(servers.mariadb_server(durable=True), folder) as (database, ours):
        yield database, ours


@pytest.fixture(scope="module")
def known(house: tuple[Server, Shop]) -> Any:
    return house[1].ask(SHOP)


def test_killed_and_back(house: tuple[Server, Shop], known: Any) -> None:
    database, ours = house
    with ours.server(UNLIMITED, workers=2) as server:
        visitors = Visitors(server.url, known)
        for _ in range(3):  # so that every process has connections to lose
            visitors.are_served()
        database.program.kill()
        visitors.are_refused()
        visitors.are_refused()
        database.start_again()
        # Nobody is the one who finds out that the kept connections are dead.
        visitors.are_served()
        visitors.are_served()
        said = server.program.log.read_text()
    _is_said_once(said)


def test_hung_under_load_and_back(house: tuple[Server, Shop], known: Any) -> None:
    database, ours = house
    with ours.server(UNLIMITED, workers=2) as server:
        visitors = Visitors(server.url, known)
        visitors.are_served()
        with mechanics_at_work(ours, server.url, clients=16) as book:
            book.await_done(50)
            database.program.freeze()
            # Those under way wait longer than for a row's lock, and no longer.
            book.await_refused(16)
            visitors.are_refused(within=HUNG)
            for _ in range(5):
                assert visitors.ask("GET", "/health/live").elapsed.total_seconds() < PROMISED
                time.sleep(0.5)
            database.program.thaw()
            thawed = time.monotonic()
            book.await_done(16)
            # A process that leaves it alone for a moment finds out with its next question.
            left = BACK_WITHIN - (time.monotonic() - thawed)
            seconds_until(visitors.is_everybody_served, left, otherwise="not back in time")
        visitors.are_served()
        assert book.slowest() < UNDER_WAY
        assert book.contradictions() == []


@control
def test_control_without_patience_everybody_hangs(house: tuple[Server, Shop], known: Any) -> None:
    database, ours = house
    application = "tests.drills.unprotected:without_patience"
    with ours.server(UNLIMITED, workers=1, application=application) as server:
        visitors = Visitors(server.url, known)
        visitors.are_served()
        database.program.freeze()
        try:
            with pytest.raises(requests.Timeout):
                requests.get(f"{server.url}/health/ready", timeout=HANGS)
        finally:
            database.program.thaw()


# --- It answers, and says no ------------------------------------------------------------------------


@contextmanager
def read_only(root: Any, account: str) -> Iterator[None]:
    root.execute("SET GLOBAL read_only = 1")
    yield
    root.execute("SET GLOBAL read_only = 0")


@contextmanager
def locked(root: Any, account: str) -> Iterator[None]:
    root.execute(f"ALTER USER {account} ACCOUNT LOCK")
    _send_away(root)
    yield
    root.execute(f"ALTER USER {account} ACCOUNT UNLOCK")


@contextmanager
def another_password(root: Any, account: str) -> Iterator[None]:
    root.execute(f"ALTER USER {account} IDENTIFIED BY 'another'")
    _send_away(root)
    yield
    root.execute(f"ALTER USER {account} IDENTIFIED BY 'very-private'")


@contextmanager
def too_many_connections(root: Any, account: str) -> Iterator[None]:
    root.execute(f"ALTER USER {account} WITH MAX_USER_CONNECTIONS 1")
    _send_away(root)
    root.execute("SELECT @@port")
    port = root.fetchone()[0]
    import MySQLdb

    one = MySQLdb.connect(host="127.0.0.1", port=port, user="shop", password="very-private")
    yield
    one.close()
    root.execute(f"ALTER USER {account} WITH MAX_USER_CONNECTIONS 0")


def _send_away(root: Any) -> None:
    root.execute("SELECT id FROM information_schema.processlist WHERE user = 'shop'")
    for (number,) in root.fetchall():
        root.execute(f"KILL {number}")


@pytest.fixture(scope="module")
def root(house: tuple[Server, Shop]) -> Iterator[Any]:
    import MySQLdb

    where = urlsplit(house[0].url)
    connection = MySQLdb.connect(host="127.0.0.1", port=where.port, user="root", autocommit=True)
    yield connection.cursor()
    connection.close()


@pytest.mark.parametrize("says_no", [locked, another_password, too_many_connections, read_only])
def test_a_database_that_says_no(
    says_no: Any, house: tuple[Server, Shop], known: Any, root: Any
) -> None:
    _, ours = house
    url = ours.environment["DATABASE_URL"]
    account, name = "'shop'@'127.0.0.1'", urlsplit(url).path.strip("/")
    root.execute(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY 'very-private'")
    root.execute(f"GRANT ALL ON `{name}`.* TO {account}")
    own = UNLIMITED | {"DATABASE_URL": url.replace("root@", "shop:very-private@")}
    with ours.server(own, workers=1) as server:
        visitors = Visitors(server.url, known)
        visitors.are_served()
        with says_no(root, account):
            if says_no is read_only:
                statuses = {what: ask().status_code for what, ask, _ in visitors.all()}
                writes = {"a mechanic writes", "a mechanic signs in"}
                assert {what for what, status in statuses.items() if status == 503} == writes
                assert {statuses[what] for what in set(statuses) - writes} == {200}
            else:
                visitors.are_refused()
        visitors.are_served()
        said = server.program.log.read_text()
    _is_said_once(said)


def _is_said_once(said: str) -> None:
    """Each process says once what is wrong; nothing private, no traceback, no line without id."""
    assert "Traceback" not in said
    assert "very-private" not in said
    assert not re.search(r"\b(SELECT|INSERT|UPDATE) ", said)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    outages = [line for line in lines if line["logger"] == "autoful.unavailable"]
    assert 1 <= len(outages) <= 2 * 3, outages  # two processes; refused, lost and gone
    assert all(line["request_id"] for line in lines)
    assert not [line for line in lines if line["logger"] == "django.request"]
