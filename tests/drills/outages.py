"""Mechanics at work while the shop's database or server dies, and a book of what they were told.

with mechanics_at_work(ours, server.url, tickets=8) as book:
    book.await_done(20)
    database.program.kill()
assert book.contradictions() == []
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from autoful.testing.processes import Server
from autoful.testing.shops import Shop, shop
from tests.drills.book import DONE, REFUSED, Book
from tests.drills.load import PATIENCE, Mechanic, backdoor

UNLIMITED = {"AUTOFUL_RATE_LIMITS": "off"}
BACK_WITHIN = 10.0  # seconds after the database's return, as promised


@contextmanager
def mechanics_at_work(ours: Shop, url: str, *, tickets: int) -> Iterator[Book]:
    """As many clients as tickets, each putting its own part on its own ticket, over and over."""
    book, over = Book(ours), threading.Event()
    [token] = backdoor(ours, "hire(1)")
    parts = backdoor(ours, f"put_on_shelf(*{[900_000] * tickets})")
    work = zip(backdoor(ours, f"open_tickets({tickets})"), parts, strict=True)
    clients = [
        threading.Thread(target=_work, args=(Mechanic(url, book, token), over, ticket, part))
        for ticket, part in work
    ]
    for client in clients:
        client.start()
    try:
        yield book
    finally:
        over.set()
        for client in clients:
            client.join(PATIENCE + 1)
            assert not client.is_alive(), "a client is stuck"
    assert not book.ended(REFUSED), "nobody asked for what cannot be had"


def _work(mechanic: Mechanic, over: threading.Event, ticket: int, part: int) -> None:
    for number in itertools.count():
        if over.is_set():
            return
        if mechanic.add(ticket, part, 1 + number % 7).outcome != DONE:
            time.sleep(0.05)  # the server is away, or asks to come again


@contextmanager
def shop_on(
    database: AbstractContextManager[Server], folder: Path
) -> Iterator[tuple[Server, Shop]]:
    """A shop on a database of its own, which is running again when the block ends."""
    with database as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", server.url)
        with shop(folder) as ours:
            try:
                yield server, ours
            finally:
                if server.program.runs():
                    server.program.thaw()
                else:
                    server.start_again()
