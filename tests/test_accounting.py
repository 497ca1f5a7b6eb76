"""Every change is accounted for: some hundreds of random operations; `make drills` does 10,000.

What the books would say if the product were wrong is shown by the controls.
"""

import logging
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from customers.registration import enter_walk_in
from tests.accounting.machine import Day, days
from tests.accounting.model import NOBODY
from tests.accounting.tampering import TAMPERINGS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["tests.schema_settings.QuickHasher"]
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "approval"
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    # What a control broke off did not put its handler away.
    root.handlers[:] = before[0]
    root.setLevel(before[1])


def test_random_days_balance() -> None:
    ended = days(80)
    assert ended["done"] > 50, ended


class PlainDay(Day):
    """A day without luck: each thing once, nothing goes wrong."""

    def open_doors(self, luck: random.Random) -> None:
        """Nobody and nothing is there."""

    def mishap(self, luck: random.Random, *, retried: bool = True) -> str:
        return ""

    def spend(self) -> None:
        luck = random.Random(1)
        part = {"part_name": "Pads", "price": "45.99"}
        self.ask(
            luck,
            self.boss,
            ("POST", "/inventory", {"part_name": "Pads", "price": 45.99, "quantity_in_stock": 3}),
            lambda: self.model.enter_part(quantity_in_stock=3, **part),
        )
        person = {"name": "Ann Lee", "phone": "+1 555 010 2030"}
        account = {"email": "ann@example.com", "password": self.new_password()}
        self.ask(
            luck,
            NOBODY,
            ("POST", "/customers", person | account),
            lambda: self.model.register("customer", **person, **account),
        )
        ann = self.model.where("customer", name="Ann Lee")[0]
        self.ask(
            luck,
            self.boss,
            ("DELETE", f"/customers/{ann}", None),
            lambda: self.model.close_person("customer", ann),
        )


@pytest.fixture
def day() -> Iterator[PlainDay]:
    made = PlainDay()
    yield made
    made.books.close()


def test_a_plain_day_balances(day: PlainDay) -> None:
    day.spend()
    day.books.balance()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_is_wrong_is_found(name: str) -> None:
    """The controls of both tests above."""
    tamper, says = TAMPERINGS[name]
    day: PlainDay | None = None
    with tamper(), pytest.raises((AssertionError, IntegrityError), match=says):
        day = PlainDay()
        day.spend()
        day.books.balance()


def test_an_action_on_a_list_that_loses_a_race_is_done_again(day: PlainDay) -> None:
    luck = random.Random(1)
    walk_ins = []
    for name in ("Ann", "Bob"):
        day.command(
            luck, enter_walk_in, {"name": name}, partial(day.model.enter_walk_in, name=name)
        )
        walk_ins += day.model.where("customer", name=name)

    def close() -> None:
        for pk in walk_ins:
            day.model.close_person("customer", pk)

    day.books.operation(
        luck,
        day.boss,
        lambda: day.doors.delete_selected(day.boss, "customer", *walk_ins),
        close,
        goes_wrong="lost race",
    )
    day.books.balance()
