"""Two servers behind a proxy, on a cluster of three databases of which one is written to.

The writer is killed under load: the shop writes again within ten seconds, on another node, and
nothing that was acknowledged is missing. Then it comes back, and a web server is killed.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from autoful.testing.clusters import (
    before_nodes,
    before_servers,
    galera,
    missing_programs,
)
from autoful.testing.processes import Server, seconds_until
from autoful.testing.servers import sql
from autoful.testing.shops import Shop, shop
from tests.drills import scaled
from tests.drills.book import DONE, Book
from tests.drills.load import Mechanic

pytestmark = [
    pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="SQLite is one machine's"),
    pytest.mark.skipif(bool(missing_programs()), reason=f"needs {missing_programs()}"),
]

CLIENTS = scaled(full=16, small=6)
KILLS = scaled(full=5, small=1)
CALM = scaled(full=5, small=2)  # seconds of load before and after what happens
UNITS = 100_000
WRITES_AGAIN = 10  # seconds


@dataclass
class Machines:
    """The whole of it, and the one URL that the mechanics know."""

    shop: Shop
    nodes: list[Server]
    servers: list[Server]
    url: str
    mechanics: list[Mechanic]
    book: Book

    def ask(self, code: str) -> object:
        return self.shop.ask(f"from tests.drills import backdoor; answer = backdoor.{code}")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with ExitStack() as stack:
        nodes = stack.enter_context(galera())
        database = stack.enter_context(before_nodes(nodes))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DATABASE_URL", database)
        ours = stack.enter_context(shop(tmp_path_factory.mktemp("shop")))
        quiet = {"AUTOFUL_RATE_LIMITS": "off"}
        servers = [stack.enter_context(ours.server(quiet)) for _ in range(2)]
        url = stack.enter_context(before_servers([server.url for server in servers]))
        made = Machines(ours, nodes, servers, url, [], Book(ours))
        tokens = made.ask(f"hire({CLIENTS})")
        made.mechanics = [Mechanic(url, made.book, token) for token in tokens]  # type: ignore[attr-defined]
        yield made


@contextmanager
def load(machines: Machines) -> Iterator[int]:
    """Everybody takes one part, each for a ticket of their own, until the end of the block."""
    [part] = machines.ask(f"put_on_shelf({UNITS})")  # type: ignore[misc]
    tickets: list[int] = machines.ask(f"open_tickets({len(machines.mechanics)})")  # type: ignore[assignment]
    over = threading.Event()

    def work(mechanic: Mechanic, ticket: int) -> None:
        for turn in itertools.count():
            if over.is_set():
                return
            told = mechanic.add(ticket, part)
            if told.outcome == DONE and turn % 5 == 4:
                mechanic.remove(ticket, told.body["service_inventory_id"])
            elif told.outcome != DONE:
                time.sleep(0.2)  # as Retry-After asks, in short

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in zip(machines.mechanics, tickets, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        time.sleep(CALM)
        yield part
        time.sleep(CALM)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def acknowledges(machines: Machines) -> Callable[[], bool]:
    """Asks whether a write has been acknowledged since now."""
    before = len(machines.book.ended(DONE))
    return lambda: len(machines.book.ended(DONE)) > before + CLIENTS  # not one that was under way


def agree(machines: Machines, part: int) -> None:
    """Every node has the same, and all that was acknowledged is in it."""
    assert machines.book.contradictions() == []
    units = machines.ask(f"units({part})")
    database = machines.shop.environment["DATABASE_URL"].rpartition("/")[2]
    left = f"SELECT quantity_in_stock FROM `{database}`.inventory_part WHERE id = {part}"
    for node in machines.nodes:
        assert sql(node.url, left) == [(units["stock"],)]  # type: ignore[index]
    assert units["stock"] + units["on tickets"] == UNITS  # type: ignore[index]
    machines.shop.manage("check_stock")


def test_the_writer_is_killed_and_comes_back(machines: Machines) -> None:
    for _ in range(KILLS):
        with load(machines) as part:
            before = len(machines.book.told)
            assert machines.book.ended(DONE)
            machines.nodes[0].program.kill()
            again = seconds_until(acknowledges(machines), within=60)
            machines.nodes[0].start_again()
            # It is the writer again: who spoke with another node is sent back to it.
            seconds_until(acknowledges(machines), within=60)
        assert again < WRITES_AGAIN
        agree(machines, part)
        since = {told.outcome for told in machines.book.told[before:]}
        assert len(since) > 1, "nobody noticed the kill"


def test_a_server_is_killed_and_its_fellow_goes_on(machines: Machines) -> None:
    with load(machines) as part:
        machines.servers[0].program.kill()
        assert seconds_until(acknowledges(machines), within=60) < WRITES_AGAIN
        machines.servers[0].start_again()
    agree(machines, part)


def test_the_servers_keep_nothing_to_themselves(machines: Machines) -> None:
    """What one was told, the other knows: rows and cached lists."""
    mechanic = machines.mechanics[0]
    [part] = machines.ask("put_on_shelf(7)")  # type: ignore[misc]
    one, other = (Mechanic(server.url, machines.book, "") for server in machines.servers)
    for client in (one, other):
        client.session.headers["Authorization"] = mechanic.session.headers["Authorization"]
        client.ask("GET", f"/inventory/?id={part}")
    for quantity, (writer, reader) in enumerate(itertools.permutations((one, other)), 3):
        assert writer.count(part, quantity).outcome == DONE
        read = partial(reader.ask, "GET", "/inventory/?per_page=100")
        parts = {row["id"]: row for row in read()[1].json()["inventory"]}  # type: ignore[union-attr]
        assert parts[part]["quantity_in_stock"] == quantity
