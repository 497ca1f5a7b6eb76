"""Mechanics at work while the shop's database or server dies, and a book of what they were told.

with mechanics_at_work(ours, server.url, clients=8) as book:
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
from tests.drills.book import DONE, REFUSED, Book, Told
from tests.drills.load import PATIENCE, Mechanic, backdoor

UNLIMITED = {"AUTOFUL_RATE_LIMITS": "off"}
TICKETS_EACH = 12
BACK_WITHIN = 10.0  # seconds after the database's return, as promised


@contextmanager
def mechanics_at_work(ours: Shop, url: str, *, clients: int) -> Iterator[Book]:
    """So many clients, each with a part and tickets of its own: parts go on and come off, and in
    the end a ticket is cancelled or deleted and the next one's turn comes.
    """
    book, over = Book(ours), threading.Event()
    [token] = backdoor(ours, "hire(1)")
    parts = backdoor(ours, f"put_on_shelf(*{[900_000] * clients})")
    tickets = backdoor(ours, f"open_tickets({clients * TICKETS_EACH})")
    threads = [
        threading.Thread(
            target=_work, args=(Mechanic(url, book, token), over, tickets[n::clients], part)
        )
        for n, part in enumerate(parts)
    ]
    for thread in threads:
        thread.start()
    try:
        yield book
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE + 1)
            assert not thread.is_alive(), "a client is stuck"
    assert not book.ended(REFUSED), "nobody asked for what cannot be had"


def _work(mechanic: Mechanic, over: threading.Event, tickets: list[int], part: int) -> None:
    for number, ticket in enumerate(tickets):
        is_last = ticket == tickets[-1]
        for told in _on_one_ticket(mechanic, ticket, part, for_ever=is_last):
            if told.outcome != DONE:
                time.sleep(0.05)  # the server is away, or asks to come again
            if over.is_set():
                return
        # Whether or not it was done: what is sent again after no answer could be refused.
        (mechanic.delete if number % 2 else mechanic.cancel)(ticket)


def _on_one_ticket(mechanic: Mechanic, ticket: int, part: int, *, for_ever: bool) -> Iterator[Told]:
    for number in itertools.count() if for_ever else range(9):
        told = mechanic.add(ticket, part, 1 + number % 7)
        yield told
        if number % 4 == 3 and told.outcome == DONE:
            yield mechanic.remove(ticket, told.body["service_inventory_id"])


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
