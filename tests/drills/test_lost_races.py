"""Who loses a race is served all the same, or told to come again: never a 500, never half a write.

A crowd fights over a few tickets and parts while strangers lock them in the wrong order and for too
long. How often all of them lost stands in the server's figures; how often each did, in production in
its log, by the request's id.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from django.conf import settings

from autoful.db import RETRIES
from autoful.testing.processes import Server
from autoful.testing.shops import Shop
from tests.drills import scaled
from tests.drills.book import BUSY, DONE, REFUSED, Book, lost_races, races_lost
from tests.drills.load import PATIENCE, Desk, Mechanic, backdoor, rush
from tests.drills.strangers import PART, holding, meddling

OPERATIONS = scaled(full=10_000, small=96)
CLIENTS = scaled(full=48, small=12)
PLENTY = 100_000
# What one try waits for a lock, in seconds: autoful/settings.py.
WAIT = 3 if settings.PRODUCTION else 5
TRIES = RETRIES + 1


@contextmanager
def held(ours: Shop, table: str, row: int, at_most: float) -> Iterator[None]:
    """The row is locked until the block ends, or for `at_most` seconds."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with holding(ours, table, row):
            locked.set()
            over.wait(at_most)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert locked.wait(PATIENCE)
        try:
            yield
        finally:
            over.set()
        holder.result()


class Fight:
    """Many clients on few rows: lines added and taken off, parts counted, whole tickets ended."""

    def __init__(self, ours: Shop, url: str, tokens: list[str]) -> None:
        self.book = Book(ours)
        self.parts = backdoor(ours, f"put_on_shelf(*[{PLENTY}] * 4)")
        self.tickets = backdoor(ours, "open_tickets(8)")
        on_each = tuple((part, 1) for part in reversed(self.parts))
        self.ending = backdoor(ours, f"open_tickets({OPERATIONS // 20}, {on_each})")
        self.mechanics = [Mechanic(url, self.book, tokens[n % 8]) for n in range(CLIENTS)]
        self.desks = rush(*[partial(Desk, url, self.book)] * 2)

    def go(self) -> None:
        each = OPERATIONS // CLIENTS
        moves = [partial(self._work, n, each) for n in range(CLIENTS)]
        pages = [partial(self._type, desk, each // 4) for desk in self.desks]
        rush(*moves, *pages)

    def _work(self, number: int, operations: int) -> None:
        mechanic, dice = self.mechanics[number], random.Random(number)
        for n in range(operations):
            ticket, part = dice.choice(self.tickets), dice.choice(self.parts)
            if n % 10 == 4 and self.ending:
                ended = self.ending.pop()
                rush(partial(mechanic.cancel, ended), partial(mechanic.delete, ended))
            elif n % 10 == 7:
                mechanic.count(part, PLENTY - dice.randint(0, 100))
            else:
                added = mechanic.add(ticket, part)
                if n % 3 == 0 and added.outcome == DONE:
                    mechanic.remove(ticket, added.body["service_inventory_id"])

    def _type(self, desk: Desk, pages: int) -> None:
        dice = random.Random(pages)
        for _ in range(pages):
            parts = dice.sample(self.parts, 2)
            desk.write_lines(dice.choice(self.tickets), dict.fromkeys(parts, 1), remove=1)


def test_whoever_loses_races_is_served_or_told_to_come_again(
    ours: Shop, server: Server, tokens: list[str]
) -> None:
    fight = Fight(ours, server.url, tokens)
    with meddling(ours, fight.parts, fight.tickets):
        fight.go()
    told = fight.book.told
    assert len(told) >= OPERATIONS
    assert {one.outcome for one in told} <= {DONE, REFUSED, BUSY}
    assert fight.book.contradictions() == []
    if ours.in_production:
        lost = lost_races(server)
        served = [one for one in told if one.outcome == DONE and lost[one.request_id]]
        assert len(served) > OPERATIONS // 100, "hardly anybody lost a race"
        gave_up = {one.request_id for one in told if one.outcome == BUSY}
        assert gave_up == {one.request_id for one in told if lost[one.request_id] == TRIES}
        # Busy is the exception, even here.
        assert len(gave_up) < len(told) / 20


def add_while_held(
    ours: Shop, server: Server, tokens: list[str], at_most: float
) -> tuple[str, int, list[int]]:
    """Three put a part on a ticket of their own, and the part is locked.

    How they ended, how often all of them lost, and in production how often each did.
    """
    book = Book(ours)
    [part], tickets = backdoor(ours, f"put_on_shelf({PLENTY})"), backdoor(ours, "open_tickets(3)")
    mechanics = [Mechanic(server.url, book, token) for token in tokens[:3]]
    adding = [partial(m.add, t, part) for m, t in zip(mechanics, tickets, strict=True)]
    before = races_lost(server)
    with held(ours, PART, part, at_most):
        started = time.monotonic()
        told = rush(*adding)
        assert time.monotonic() - started > min(at_most, WAIT * TRIES) - 0.5
        # Reading needs no lock.
        _, seen = mechanics[0].ask("GET", f"/service_tickets/{tickets[0]}")
        assert seen is not None
        assert seen.status_code == 200
    assert book.contradictions() == []
    assert len(book.effects()) == len(book.ended(DONE))
    [outcome] = {one.outcome for one in told}
    by_id = lost_races(server)
    return outcome, races_lost(server) - before, [by_id[one.request_id] for one in told]


def test_a_lock_held_for_longer_than_one_try_costs_patience(
    ours: Shop, server: Server, tokens: list[str]
) -> None:
    outcome, lost, each = add_while_held(ours, server, tokens, WAIT + 1.5)
    assert outcome == DONE
    # Who comes late on a loaded machine may find the lock gone.
    assert 1 <= lost <= 3 * RETRIES
    if ours.in_production:
        assert sum(each) == lost
        assert 1 <= max(each) <= RETRIES


@pytest.mark.skipif(
    not settings.PRODUCTION and scaled(full=False, small=True),
    reason="On SQLite four tries take twenty seconds: at full size only.",
)
def test_a_lock_held_for_longer_than_all_tries_is_a_503(
    ours: Shop, server: Server, tokens: list[str]
) -> None:
    outcome, lost, each = add_while_held(ours, server, tokens, 2 * WAIT * TRIES)
    assert (outcome, lost) == (BUSY, 3 * TRIES)
    if ours.in_production:
        assert each == [TRIES] * 3
