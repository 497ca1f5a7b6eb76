"""Mechanics at work while the shop's database or server dies, and a book of what they were told.

    with mechanics_at_work(ours, server.url, tickets=8) as book:
        book.await_done(20)
        database.program.kill()
    assert book.untruths(ours) == []

Each request carries an id of its own, and so do the audit entries of what it did: whatever was
acknowledged is there once and whole, whatever was not is there once and whole or not at all.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from autoful.testing.processes import Server
from autoful.testing.shops import Shop, shop

UNLIMITED = {"AUTOFUL_RATE_LIMITS": "off"}
BACK_WITHIN = 10.0  # seconds after the database's return, as promised
PATIENCE = 60.0  # seconds until a client that has no answer is stuck

SHOP = """
from autoful.accounts.tokens import issue
from autoful.testing import personas
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory
mike = personas.mechanic("Mike Chen", "{email}")
answer = {{
    "token": str(issue(mike.actor.role, mike.profile, mike.user)),
    "work": [
        (ServiceTicketFactory.create().pk, PartFactory.create(quantity_in_stock=900_000).pk)
        for _ in range({tickets})
    ],
}}
"""

# By request, what its audit entries say: the part's old and new stock, and whether a line changed.
EFFECTS = """
from auditlog.models import LogEntry
entries = LogEntry.objects.filter(
    cid__startswith={prefix!r}, content_type__model__in=["part", "partline"]
)
answer = [
    [entry.cid.rpartition(".")[0], entry.content_type.model, entry.changes.get("quantity_in_stock")]
    for entry in entries.order_by("pk").select_related("content_type")
]
"""
FAULTS = "from tests.soundness import faults; answer = faults()"


@dataclass
class Book:
    """What each request asked for and how it ended: a status, or 0 for no answer."""

    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    asked: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def count(self, *statuses: int) -> int:
        return sum(status in statuses for status in list(self.ended.values()))

    def await_done(self, more: int) -> float:
        """Wait until so many more are acknowledged; the seconds it took."""
        return self._await(more, 200, 201)

    def await_refused(self, more: int) -> float:
        """The same, answered with 503."""
        return self._await(more, 503)

    def _await(self, more: int, *statuses: int) -> float:
        began, goal = time.monotonic(), self.count(*statuses) + more
        while self.count(*statuses) < goal:
            assert time.monotonic() - began < PATIENCE, f"nothing goes on: {self.complaints[-3:]}"
            time.sleep(0.01)
        return time.monotonic() - began

    def untruths(self, ours: Shop) -> list[str]:
        """Where the shop is not what the answers said, and whatever else is wrong in it."""
        lines: Counter[str] = Counter()
        parts: dict[str, list[list[str]]] = {}
        for request_id, model, stock in ours.ask(EFFECTS.format(prefix=self.prefix)):
            if model == "part":
                parts.setdefault(request_id, []).append(stock)
            else:
                lines[request_id] += 1
        wrong = [*self.complaints, *ours.ask(FAULTS)]
        for request_id, quantity in self.asked.items():
            taken = [int(old) - int(new) for old, new in parts.get(request_id, [])]
            status = self.ended.get(request_id, 0)
            whole = taken == [quantity] and lines[request_id] == 1
            nothing = not taken and not lines[request_id]
            if not (whole or (nothing and status not in (200, 201))):
                wrong.append(
                    f"{request_id} ended with {status} and has taken {taken} of {quantity}, "
                    f"on {lines[request_id]} line(s)"
                )
        return wrong


@contextmanager
def mechanics_at_work(ours: Shop, url: str, *, tickets: int) -> Iterator[Book]:
    """As many clients as tickets, each putting its own part on its own ticket, over and over."""
    book, stop = Book(), threading.Event()
    known = ours.ask(SHOP.format(tickets=tickets, email=f"{book.prefix}@example.com"))
    clients = [
        threading.Thread(target=_work, args=(book, stop, url, known["token"], ticket, part))
        for ticket, part in known["work"]
    ]
    for client in clients:
        client.start()
    try:
        yield book
    finally:
        stop.set()
        for client in clients:
            client.join(PATIENCE)
            assert not client.is_alive(), "a client is stuck"


def _work(book: Book, stop: threading.Event, url: str, token: str, ticket: int, part: int) -> None:
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    number = 0
    while not stop.is_set():
        number += 1
        request_id = f"{book.prefix}-{ticket}-{number}"
        quantity = 1 + number % 7
        book.asked[request_id] = quantity
        began = time.monotonic()
        try:
            answer: Any = session.post(
                f"{url}/service_tickets/{ticket}/add-inventory",
                json={"inventory_id": part, "quantity_used": quantity},
                headers=headers | {"X-Request-ID": request_id},
                timeout=PATIENCE,
            )
        except requests.Timeout:
            book.complaints.append(f"{request_id} had no answer in {PATIENCE} seconds")
            continue
        except requests.RequestException:
            book.ended[request_id] = 0
            time.sleep(0.05)  # the server is away
            continue
        book.ended[request_id] = answer.status_code
        book.slowest = max(book.slowest, time.monotonic() - began)
        if answer.status_code == 503:
            if not answer.headers.get("Retry-After") or "code" not in answer.json():
                book.complaints.append(f"{request_id}: 503 of another shape: {answer.text[:200]}")
            time.sleep(0.05)
        elif answer.status_code not in (200, 201):
            book.complaints.append(f"{request_id}: {answer.status_code} {answer.text[:200]}")


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
