"""A rehearsal: the shop is open while a column is renamed, old and new code side by side.

Clients write and read parts through whichever version's server stands, while somebody's forgotten
client keeps a transaction open in the way of every ALTER. Nothing fails, nobody waits for long,
every acknowledged write is there, and each version sees what the other has written.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings

from autoful.testing.processes import seconds_until
from autoful.testing.shops import Shop, shop
from tests.drills import scaled
from tests.drills.versions import RENAME, Version, releases

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.skipif(
    not settings.PRODUCTION, reason="SQLite's shop is closed when it migrates"
)

CLIENTS = scaled(full=8, small=3)
FORGOTTEN_FOR = scaled(full=10, small=0)  # seconds a transaction stays in the way once met
SIDE_BY_SIDE = scaled(full=5, small=1)  # seconds two versions serve together
LOCK_WAIT = 3.0  # seconds a web session waits for a table; then it is told so, and tries again
STALLED_FOR = 6.0  # in the control

MECHANIC = """
from autoful.accounts.tokens import issue
from autoful.testing import personas
mike = personas.mike()
answer = str(issue(mike.actor.role, mike.profile, mike.user))
"""


class Fleet:
    """The servers that stand; one that is taken out gets no new request, and ends its last."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[str]:
        with self._lock:
            url = random.choice(self.urls)
            self.asked[url] += 1
        try:
            yield url
        finally:
            with self._lock:
                self.asked[url] -= 1

    def take_out(self, url: str) -> None:
        self.urls.remove(url)
        while self.asked[url]:
            time.sleep(0.02)


class Client(threading.Thread):
    """One who enters and moves parts, and looks each time, through any server, where they are."""

    def __init__(self, number: int, fleet: Fleet, token: str) -> None:
        super().__init__(daemon=True)
        self.number, self.fleet = number, fleet
        self.headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        self.ended = threading.Event()
        self.acknowledged: dict[int, str] = {}
        self.found: Counter[str] = Counter()  # of its parts, by what the list calls its rows
        self.faults: list[str] = []
        self.longest = 0.0
        self.answers = 0

    def run(self) -> None:
        while not self.ended.is_set():
            place = f"{self.number}-{self.answers}"
            if len(self.acknowledged) < 5 or random.random() < 0.1:
                self.enter(place)
            else:
                self.move(random.choice(list(self.acknowledged)), place)
            self.look(random.choice(list(self.acknowledged)))
            if self.answers % 5 == 0:
                self.look_through_the_list()

    def ask(self, method: str, path: str, expected: int, body: Any = None) -> Any:
        """The body of the answer; an answer of another status is a fault, and has none."""
        began = time.monotonic()
        with self.fleet.one() as url:
            try:
                answer = requests.request(
                    method, f"{url}{path}", json=body, headers=self.headers, timeout=60
                )
            except requests.RequestException as broken:
                self.faults.append(f"{method} {path}: {broken}")
                return None
        self.longest = max(self.longest, time.monotonic() - began)
        self.answers += 1
        if answer.status_code != expected:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer.json()

    def enter(self, place: str) -> None:
        body = {"part_name": f"Part of {self.number}", "price": 1, "quantity_in_stock": 1}
        if part := self.ask("POST", "/inventory/", 201, body | {"location": place}):
            self.acknowledged[part["id"]] = place
            self.agree(part, "entered")

    def move(self, part_id: int, place: str) -> None:
        if part := self.ask("PUT", f"/inventory/{part_id}", 200, {"location": place}):
            self.acknowledged[part_id] = place
            self.agree(part, "moved")

    def look(self, part_id: int) -> None:
        if part := self.ask("GET", f"/inventory/{part_id}", 200):
            self.agree(part, "looked at")

    def look_through_the_list(self) -> None:
        """Whichever version's page is in the cache, it shows what this client last wrote."""
        named = f"/inventory/search?per_page=100&part_name=Part of {self.number}"
        for path, rows in ((named, "parts"), ("/inventory/?per_page=100", "inventory")):
            for part in (self.ask("GET", path, 200) or {rows: []})[rows]:
                if part["id"] in self.acknowledged:
                    self.found[rows] += 1
                    self.agree(part, "found in a list")

    def agree(self, part: dict[str, Any], how: str) -> None:
        expected = self.acknowledged[part["id"]]
        if part["location"] != expected:
            self.faults.append(f"{part['id']} {how}: {part['location']}, not {expected}")


@contextmanager
def at_work(fleet: Fleet, token: str) -> Iterator[list[Client]]:
    clients = [Client(number, fleet, token) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join(90)
            assert not client.is_alive(), "a client never got its answer"


def connected(ours: Shop) -> Any:
    """A session of nobody's care: the server's own settings, no limit to its waiting."""
    import MySQLdb

    where = urlsplit(ours.environment["DATABASE_URL"])
    return MySQLdb.connect(
        host=where.hostname,
        port=where.port,
        user=where.username,
        passwd=where.password or "",
        db=where.path.strip("/"),
    )


def forgotten_client(ours: Shop) -> Any:
    """Somebody has looked at the parts and left the transaction open; closed at last."""
    session = connected(ours)
    session.query("START TRANSACTION")
    session.query("SELECT COUNT(*) FROM inventory_part")
    session.store_result()
    return closing(session)


def migrate_past_a_forgotten_client(version: Version, ours: Shop) -> bool:
    """Whether the migration met them; they go some time after it has begun to wait."""
    with version.managing(ours, "migrate") as migrate, forgotten_client(ours):
        seconds_until(lambda: "Locked, try 1 of " in migrate.said() or not migrate.runs(), 300)
        met = migrate.runs()
        time.sleep(FORGOTTEN_FOR * met)
    return met


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


@pytest.fixture
def token(ours: Shop) -> str:
    return str(ours.ask(MECHANIC))


def test_a_column_is_renamed_while_the_shop_is_open(ours: Shop, token: str, tmp_path: Path) -> None:
    today, *to_come = releases(tmp_path)
    to_come[-1].manage(ours, "check_migrations")  # it has those of all
    fleet = Fleet()
    with ExitStack() as standing:
        old = standing.enter_context(ExitStack())
        fleet.urls.append(old.enter_context(today.serve(ours)))
        with at_work(fleet, token) as clients:
            for version in to_come:
                met = migrate_past_a_forgotten_client(version, ours)
                # A fill waits for nobody's reading; every ALTER does.
                assert met is ("switches" not in version.folder.name)
                new = standing.enter_context(ExitStack())
                fleet.urls.append(new.enter_context(version.serve(ours)))
                time.sleep(SIDE_BY_SIDE)
                fleet.take_out(fleet.urls[0])
                old.close()
                old = new
                assert faults(clients) == [], version.folder.name
            longest = longest_wait(clients)
            for client in clients:
                assert client.answers > 20
                assert set(client.found) == {"parts", "inventory"}
            lost = check_by_hand(ours, clients)
        assert faults(clients) == []
        assert lost == []

        # The control: the same table, the same forgotten client, and an ALTER that waits for it.
        with at_work(fleet, token) as clients:
            time.sleep(0.5)
            with connected(ours) as session, session.cursor() as cursor:
                forgotten = forgotten_client(ours)
                threading.Timer(STALLED_FOR, forgotten.thing.close).start()
                cursor.execute("ALTER TABLE inventory_part COMMENT 'without a limit'")
        stalled = longest_wait(clients)
        assert stalled > STALLED_FOR - 1 or any(" 503 " in fault for fault in faults(clients))
        logger.info("longest request %.2f s, without limits %.2f s", longest, stalled)
        assert longest < LOCK_WAIT


def test_renamed_in_one_step_the_old_version_fails(ours: Shop, token: str, tmp_path: Path) -> None:
    """The control: what the check refuses, and why."""
    today = Version.of_now(tmp_path / "today")
    hasty = today.next("hasty", migrations={"rename": RENAME})
    with pytest.raises(AssertionError, match="The running version asks for the old name"):
        hasty.manage(ours, "check_migrations")

    fleet = Fleet()
    with today.serve(ours) as url:
        fleet.urls.append(url)
        with at_work(fleet, token) as clients:
            time.sleep(1)
            assert faults(clients) == []
            hasty.manage(ours, "migrate", "--skip-checks")
            time.sleep(1)
        assert any(": 500 " in fault for fault in faults(clients))


def faults(clients: list[Client]) -> list[str]:
    return [fault for client in clients for fault in client.faults]


def longest_wait(clients: list[Client]) -> float:
    return max(client.longest for client in clients)


def check_by_hand(ours: Shop, clients: list[Client]) -> list[str]:
    """Ends the work; what was acknowledged and is not in the new column."""
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join(90)
    with connected(ours) as session, session.cursor() as cursor:
        cursor.execute("SELECT id, shelf FROM inventory_part")
        found = dict(cursor.fetchall())
        cursor.execute("SHOW COLUMNS FROM inventory_part LIKE 'location'")
        assert cursor.fetchall() == ()
    expected = {pk: place for client in clients for pk, place in client.acknowledged.items()}
    return [
        f"{pk}: {found.get(pk)}, not {place}"
        for pk, place in expected.items()
        if found.get(pk) != place
    ]
