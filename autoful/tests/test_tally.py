"""Totals in slots, and columns that are lowered."""

import logging
import threading
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from autoful import tally
from autoful.actor import COMMAND
from autoful.db import retrying
from autoful.models import Tally
from autoful.testing.queries import Statements
from autoful.testing.rivals import at_once, kinds, many_connections
from autoful.verbs import verb
from customers.models import Customer
from customers.tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_what_is_added_is_the_total() -> None:
    assert tally.total("things") == 0
    tally.add("things", 5)
    tally.add("things", -2)
    tally.add("others", 1)
    assert (tally.total("things"), tally.total("others")) == (3, 1)


def test_a_total_is_one_query_and_never_below_zero() -> None:
    for slot, total in ((0, 4), (1, -3), (15, 2)):
        Tally.objects.create(name="things", slot=slot, total=total)
    Tally.objects.create(name="strays", slot=0, total=-1)
    with Statements(connection) as queries:
        assert tally.total("things") == 3
    assert len(queries) == 1
    assert tally.total("strays") == 0


def test_a_thread_keeps_to_one_slot_and_threads_to_their_own() -> None:
    assert tally._slot() == tally._slot()
    slots: list[int] = []
    threads = [threading.Thread(target=lambda: slots.append(tally._slot())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(slots)) == 8
    assert set(slots) <= set(range(tally.SLOTS))


# --- Written when the outermost verb ends ---------------------------------------------------------


@verb
def make(*, number: int, fails: bool = False, actor: Any = COMMAND) -> None:
    tally.add("things", number)
    if fails:
        raise ZeroDivisionError


def make_two(*, second_fails: bool, actor: Any = COMMAND) -> None:
    make(number=1, actor=actor)
    assert tally.total("things") == 0  # not written yet: the verb goes on
    try:
        make(number=10, fails=second_fails, actor=actor)
    except ZeroDivisionError:
        tally.add("things", 100)


@pytest.mark.parametrize(("second_fails", "total"), [(False, 11), (True, 101)])
def test_a_verb_in_a_verb_is_written_with_it_and_forgotten_alone(
    second_fails: bool, total: int
) -> None:
    retrying(make_two, goes_on=True)(second_fails=second_fails)
    assert tally.total("things") == total


def test_a_verb_that_fails_counts_nothing() -> None:
    with pytest.raises(ZeroDivisionError):
        make(number=1, fails=True, actor=COMMAND)
    make(number=2, actor=COMMAND)
    assert tally.total("things") == 2


def test_many_adds_of_a_verb_are_one_statement() -> None:
    @verb
    def several(*, actor: Any) -> None:
        for number in (1, 2, 3, -4, 5):
            tally.add("things", number)

    tally.add("things", 1)  # the slot is there
    with Statements(connection) as queries:
        several(actor=COMMAND)
    assert len([q for q in queries if "autoful_tally" in q["sql"]]) == 1
    assert tally.total("things") == 8


@pytest.mark.django_db(transaction=True)
def test_the_first_of_a_name_at_once(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    """All in one slot that is not there yet: one makes it, the others meet the unique key."""
    with (
        many_connections(tmp_path),
        patch.object(tally, "_slot", lambda: 3),
        caplog.at_level(logging.INFO, logger="autoful.db"),
    ):
        outcomes = at_once(*[partial(make, number=1, actor=COMMAND) for _ in range(3)])
        assert kinds(outcomes) == [3]
        assert tally.total("things") == 3
        assert Tally.objects.filter(name="things").count() == 1


# --- Columns --------------------------------------------------------------------------------------


def tickets_of(customers: list[Customer]) -> list[int]:
    there = dict(Customer.objects.values_list("pk", "ticket_count"))
    return [there[customer.pk] for customer in customers]


def test_each_row_is_lowered_by_its_own_number(monkeypatch: pytest.MonkeyPatch) -> None:
    customers = [CustomerFactory.create(ticket_count=n) for n in (5, 5, 2, 0)]
    numbers = dict(zip([c.pk for c in customers], (1, 3, 2, 1), strict=True))
    bystander = CustomerFactory.create(ticket_count=7)
    with Statements(connection) as queries:
        tally.fewer(Customer.objects.all(), "ticket_count", numbers)
    assert len(queries) == 1
    # The last was counted too low before; it stops at zero.
    assert tickets_of([*customers, bystander]) == [4, 2, 0, 0, 7]
    monkeypatch.setattr(tally, "CASES", 2)
    tally.fewer(Customer.objects.all(), "ticket_count", {c.pk: 2 for c in customers[:3]})
    assert tickets_of([*customers, bystander]) == [2, 0, 0, 0, 7]


def test_nobody_is_lowered_by_no_statement() -> None:
    with Statements(connection) as queries:
        tally.fewer(Customer.objects.all(), "ticket_count", {})
    assert not queries.captured_queries


def test_outside_a_verb_it_is_written_at_once_and_undone_with_its_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tally.add("things", 1)
        assert tally.total("things") == 1
        raise ZeroDivisionError
    assert tally.total("things") == 0
