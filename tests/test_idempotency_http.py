"""A retry is safe over real HTTP: many at once in several processes, and a server that is killed."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import pytest
import requests

from autoful.testing.http import Answer, Caller
from autoful.testing.shops import Shop, shop

AT_ONCE = 50
STOCK = 100

# A mechanic's token, a ticket and a part.
ENTER = f"""
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
    fields=dict(part_name="Pads", price=Decimal(5)), quantity_in_stock={STOCK}, actor=COMMAND
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
from inventory.models import Part
from tickets.models import PartLine
answer = {
    "faults": faults(),
    "stock": Part.objects.get().quantity_in_stock,
    "used": sum(PartLine.objects.values_list("quantity_used", flat=True)),
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

    def taken(self) -> int:
        """How many parts were taken, said alike by the stock, the ledger and the ticket."""
        found = self.shop.ask(FOUND)
        assert found["faults"] == []
        assert found["stock"] + found["used"] == STOCK
        return int(found["used"])


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with shop(tmp_path_factory.mktemp("shop")) as ours:
        yield Work(ours)


def test_fifty_at_once_are_one_effect(work: Work) -> None:
    """Two servers, and in production each of two processes."""
    off, before = {"AUTOFUL_RATE_LIMITS": "off"}, work.taken()
    with work.shop.serve(**off) as one, work.shop.serve(**off) as other:
        urls = list(islice(cycle([one, other]), AT_ONCE))
        with ThreadPoolExecutor(AT_ONCE) as clients:
            answers = list(clients.map(lambda url: work.take(url, "fifty"), urls))
            statuses = Counter(answer.status for answer in answers)
            assert set(statuses) <= {200, 201, 409}, statuses
            told = {(a.status, a.text) for a in answers if a.status != 409}
            assert len(told) == 1
            done = [a for a in answers if a.status != 409]
            assert len([a for a in done if "Idempotency-Replayed" not in a.headers]) == 1
            for answer in answers:
                if answer.status == 409:
                    assert answer.body["code"] == "request_in_progress"
                    assert answer.headers["Retry-After"] == "1"
            assert work.taken() == before + 1
            for url in (one, other):
                again = work.take(url, "fifty")
                assert {(again.status, again.text)} == told
            # The control: without the key they are many effects.
            plain = [a.status for a in clients.map(lambda url: work.take(url, ""), urls)]
        assert set(plain) <= {200, 503}
        assert plain.count(200) > 1
        assert work.taken() == before + 1 + plain.count(200)


def test_killed_between_commit_and_answer_the_retry_gets_the_answer(work: Work) -> None:
    def serve() -> Any:
        return work.shop.serve(application="autoful.testing.dying:application")

    before = work.taken()
    with serve() as url, pytest.raises(requests.ConnectionError):
        work.take(url, "killed", **{"X-Die": "yes"})
    # It was done, though nobody heard of it.
    assert work.taken() == before + 1
    with serve() as url:
        retried = work.take(url, "killed")
        assert (retried.status < 300, retried.headers["Idempotency-Replayed"]) == (True, "true")
        left = retried.body["quantity_used"], retried.body["stock_remaining"]
        assert left == (before + 1, STOCK - before - 1)
        assert work.taken() == before + 1
        # The control: without a key, whoever asks again takes another part.
        with pytest.raises(requests.ConnectionError):
            work.take(url, "", **{"X-Die": "yes"})
    with serve() as url:
        assert work.take(url, "").status == 200
    assert work.taken() == before + 3
