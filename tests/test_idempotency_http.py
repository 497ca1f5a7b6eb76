"""A retry is safe over real HTTP: many at once in several processes, and a server that is killed."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import requests

from autoful.testing.http import Answer, Caller
from autoful.testing.shops import Shop, shop

AT_ONCE = 50

# A mechanic's token, a ticket and a part of which a hundred are in stock.
ENTER = """
import datetime
from decimal import Decimal
from django.contrib.auth.hashers import make_password
from autoful.accounts.models import User
from autoful.accounts.tokens import issue
from autoful.actor import COMMAND, Role
from customers.registration import enter_walk_in
from inventory.parts import enter_part
from mechanics.models import Mechanic
from tickets.lifecycle import open_ticket
user = User.objects.create(email="mike@example.com", password=make_password(None))
mike = Mechanic.objects.create(user=user, name="Mike Chen", approved=True)
part = enter_part(
    fields={"part_name": "Pads", "price": Decimal(5)}, quantity_in_stock=100, actor=COMMAND
)
customer = enter_walk_in(name="Walk In", actor=COMMAND)
ticket = open_ticket(
    customer_id=customer.pk, vin="1HGCM82633A004352", service_desc="Brakes",
    service_date=datetime.date(2026, 3, 14), actor=COMMAND,
)
answer = str(issue(Role.MECHANIC, mike, user)), ticket.pk, part.pk
"""
FOUND = """
from tests.soundness import faults
from autoful.models import IdempotencyKey
from inventory.models import Part
from tickets.models import PartLine
answer = {
    "faults": faults(),
    "stock": Part.objects.get().quantity_in_stock,
    "used": sum(PartLine.objects.values_list("quantity_used", flat=True)),
    "keys": IdempotencyKey.objects.count(),
}
"""


class Work:
    """A shop with one part and one ticket, and the request that takes one for the other."""

    def __init__(self, ours: Shop) -> None:
        self.shop = ours
        self.token, self.ticket, self.part = ours.ask(ENTER)

    def take(self, url: str, key: str, **more: str) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        return Caller(url, token=self.token).post(
            f"/service_tickets/{self.ticket}/add-inventory",
            {"inventory_id": self.part, "quantity_used": 1},
            headers=headers | more,
        )

    def found(self) -> Any:
        self.shop.manage("check_stock")
        return self.shop.ask(FOUND)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with shop(tmp_path) as ours:
        yield Work(ours)


def test_fifty_at_once_are_one_effect(work: Work) -> None:
    """Two servers, and in production each of two processes."""
    off = {"AUTOFUL_RATE_LIMITS": "off"}
    with work.shop.serve(**off) as one, work.shop.serve(**off) as other:
        urls = list(islice(cycle([one, other]), AT_ONCE))
        with ThreadPoolExecutor(AT_ONCE) as clients:
            answers = list(clients.map(lambda url: work.take(url, "a key"), urls))
            statuses = Counter(answer.status for answer in answers)
            assert set(statuses) <= {201, 409}, statuses
            told = {answer.text for answer in answers if answer.status == 201}
            assert len(told) == 1
            first = [
                a for a in answers if a.status == 201 and "Idempotency-Replayed" not in a.headers
            ]
            assert len(first) == 1
            for answer in answers:
                if answer.status == 409:
                    assert answer.body["code"] == "request_in_progress"
                    assert answer.headers["Retry-After"] == "1"
            assert work.found() == {"faults": [], "stock": 99, "used": 1, "keys": 1}
            assert {work.take(one, "a key").text, work.take(other, "a key").text} == told
            # The control: without the key it is fifty effects.
            plain = list(clients.map(lambda url: work.take(url, ""), urls))
        assert {answer.status for answer in plain} <= {200, 503}
        done = sum(answer.status == 200 for answer in plain)
        assert done > 1
        assert work.found() == {"faults": [], "stock": 99 - done, "used": 1 + done, "keys": 1}


def test_killed_between_commit_and_answer_the_retry_gets_the_answer(work: Work) -> None:
    def die(key: str) -> None:
        dying = work.shop.serve(application="autoful.testing.dying:application")
        with dying as url, pytest.raises(requests.ConnectionError):
            work.take(url, key, **{"X-Die": "yes"})

    die("a key")
    # It was done, though nobody heard of it.
    assert work.found() == {"faults": [], "stock": 99, "used": 1, "keys": 1}
    with work.shop.serve() as url:
        retried = work.take(url, "a key")
    assert (retried.status, retried.headers["Idempotency-Replayed"]) == (201, "true")
    assert (retried.body["quantity_used"], retried.body["stock_remaining"]) == (1, 99)
    assert work.found() == {"faults": [], "stock": 99, "used": 1, "keys": 1}
    # The control: without a key whoever asks again takes another part.
    die("")
    with work.shop.serve() as url:
        assert work.take(url, "").status == 200
    assert work.found() == {"faults": [], "stock": 97, "used": 3, "keys": 1}
