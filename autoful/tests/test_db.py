"""Retrying a transaction that lost a race, and the lock."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from autoful import db
from autoful.accounts.models import User
from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role, current_actor
from autoful.db import RETRIES, again, lock, retrying, whole
from autoful.errors import Busy, DomainError, Missing
from autoful.testing.rivals import at_once, many_connections
from autoful.verbs import verb
from inventory.errors import PartNotFound
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic

LOST = [
    OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction"),
    OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction"),
    OperationalError(1020, "Record has changed since last read in table 'part'"),
    OperationalError("database is locked"),
]
NOT_LOST = [
    OperationalError(2006, "Server has gone away"),
    OperationalError("no such table: part"),
    OperationalError(),
    IntegrityError(1062, "Duplicate entry"),
    PartNotFound(),
    ValueError("1213"),
]


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


class Losing:
    """Writes an account, then loses `times` races before it wins."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0
        self.__name__ = "losing"

    def __call__(self) -> str:
        self.calls += 1
        assert connection.in_atomic_block
        UserFactory.create(email=f"try{self.calls}@example.com")
        if self.calls <= self.times:
            raise self.error
        return "won"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", LOST, ids=str)
@pytest.mark.parametrize("times", [1, RETRIES])
def test_a_lost_race_is_run_again(error: Exception, times: int, naps: list[float]) -> None:
    losing = Losing(error, times)
    assert retrying(losing)() == "won"
    assert losing.calls == times + 1
    # Each try begins from nothing: of the lost ones no row is left.
    assert [user.email for user in User.objects.all()] == [f"try{times + 1}@example.com"]
    assert len(naps) == times
    assert all(0 < nap < 1 for nap in naps)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", LOST, ids=str)
def test_after_three_more_tries_it_is_busy(error: Exception, naps: list[float]) -> None:
    losing = Losing(error, times=100)
    with pytest.raises(Busy) as busy:
        retrying(losing)()
    assert (losing.calls, RETRIES, busy.value.status) == (4, 3, 503)
    assert len(naps) == RETRIES  # nobody waits before being told
    assert not User.objects.exists()
    assert not connection.in_atomic_block


def test_losers_do_not_wake_at_the_same_moment(naps: list[float]) -> None:
    """Twenty who lost to each other wait differently long, the longer the more often they lost."""

    def lose() -> None:
        raise LOST[0]

    for _ in range(20):
        with pytest.raises(Busy):
            again(lose, "lose")
    for lost in range(RETRIES):
        waits = naps[lost::RETRIES]
        assert len(set(waits)) == 20
        assert max(waits) - min(waits) > 0.01 * 2**lost


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", NOT_LOST, ids=repr)
def test_other_errors_are_not_tried_again(error: Exception, naps: list[float]) -> None:
    losing = Losing(error, times=1)
    with pytest.raises(type(error)):
        retrying(losing)()
    assert (losing.calls, naps) == (1, [])
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", LOST, ids=str)
def test_inside_a_transaction_nothing_is_tried_again(error: Exception, naps: list[float]) -> None:
    losing = Losing(error, times=1)
    with pytest.raises(OperationalError), transaction.atomic():
        retrying(losing)()
    assert (losing.calls, naps) == (1, [])


@pytest.mark.django_db(transaction=True)
def test_a_verb_in_a_verb_joins_and_the_outer_one_retries(naps: list[float]) -> None:
    inner = Losing(LOST[1], times=2)
    outer_calls: list[None] = []

    @retrying
    def outer() -> str:
        outer_calls.append(None)
        UserFactory.create(email=f"outer{len(outer_calls)}@example.com")
        return retrying(inner)()

    assert outer() == "won"
    assert (len(outer_calls), inner.calls) == (3, 3)
    assert {u.email for u in User.objects.all()} == {"outer3@example.com", "try3@example.com"}


@pytest.mark.django_db(transaction=True)
def test_what_a_joined_verb_wrote_goes_with_the_outer_transaction() -> None:
    @retrying
    def outer() -> None:
        retrying(Losing(LOST[0], times=0))()
        raise PartNotFound

    with pytest.raises(PartNotFound):
        outer()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_goes_on_keeps_what_is_not_the_refused_verbs() -> None:
    outer = partial(refused_inside, "outer@example.com")
    retrying(outer, "outer", goes_on=True)()
    assert [user.email for user in User.objects.all()] == ["outer@example.com"]


@pytest.mark.django_db(transaction=True)
def test_a_verb_that_goes_on_after_a_refusal_is_taken_back_whole() -> None:
    with pytest.raises(TransactionManagementError):
        retrying(partial(refused_inside, "outer@example.com"), "outer")()
    assert not User.objects.exists()


def refused_inside(email: str) -> None:
    with pytest.raises(PartNotFound):
        retrying(Losing(PartNotFound(), times=1))()
    UserFactory.create(email=email)


@pytest.mark.django_db
def test_a_verb_acts_as_its_actor_and_no_longer() -> None:
    mechanic = Actor(Role.MECHANIC, UserFactory.create(), 7)

    @verb
    def who(*, actor: Actor) -> Actor:
        return current_actor()

    @verb
    def fail(*, actor: Actor) -> None:
        raise PartNotFound

    assert who(actor=mechanic) == mechanic
    assert current_actor() == COMMAND
    with pytest.raises(PartNotFound):
        fail(actor=mechanic)
    assert current_actor() == COMMAND


@pytest.mark.django_db
def test_the_lock_counts_and_returns_the_row_as_it_is() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    before = Part.objects.get().version
    Part.objects.update(location="shelf 4")
    locked = lock(Part.objects.all, part.pk, PartNotFound())
    assert (locked.location, locked.version) == ("shelf 4", before + 1)


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [Mechanic.objects.existing, Part.objects.all])
def test_the_lock_raises_what_it_was_given_for_a_row_that_is_not_there(rows: Any) -> None:
    gone = Missing("Gone.")
    with pytest.raises(Missing) as raised:
        lock(rows, 999_999, gone)
    assert raised.value is gone


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def in_opposite_orders() -> tuple[list[Any], list[int]]:
    """Two transactions that lock two parts, each the other's second one first; and their tries."""
    one, two = PartFactory.create().pk, PartFactory.create().pk
    both_hold_one = threading.Barrier(2)
    tries = []

    def locking(*order: int) -> Any:
        first_try = True

        @retrying
        def move() -> str:
            nonlocal first_try
            tries.append(order[0])
            lock(Part.objects.all, order[0], PartNotFound())
            if first_try:
                first_try = False
                both_hold_one.wait(10)
            lock(Part.objects.all, order[1], PartNotFound())
            return "done"

        return move

    return at_once(locking(one, two), locking(two, one)), tries


needs_mysql = pytest.mark.skipif(
    not settings.PRODUCTION, reason="SQLite lets one transaction write at a time: no deadlocks"
)


@needs_mysql
def test_a_real_deadlock_is_retried_and_ends_well(shop: None) -> None:
    outcomes, tries = in_opposite_orders()
    assert outcomes == ["done", "done"]
    assert len(tries) == 3


@needs_mysql
def test_control_without_retrying_the_deadlock_reaches_the_caller(
    shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "RETRIES", 0)
    outcomes, _ = in_opposite_orders()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Busy", "str"]


def test_forty_writers_at_once_are_all_served(shop: None) -> None:
    part = PartFactory.create(quantity_in_stock=0).pk

    @retrying
    def count_up() -> None:
        found = lock(Part.objects.all, part, PartNotFound())
        Part.objects.filter(pk=part).update(quantity_in_stock=found.quantity_in_stock + 1)

    outcomes = at_once(*[count_up] * 40)
    assert not [o for o in outcomes if isinstance(o, DomainError)]
    assert outcomes == [None] * 40
    assert Part.objects.get().quantity_in_stock == 40


# --- One transaction around a verb ----------------------------------------------------------------


def entering(email: str) -> Callable[[], User]:
    def enter() -> User:
        return UserFactory.create(email=email)

    return retrying(enter)


@pytest.mark.django_db(transaction=True)
def test_a_whole_begins_with_its_first_verb_and_ends_with_the_block() -> None:
    steps: list[str] = []
    with whole(lambda: steps.append("first"), lambda: steps.append("then")):
        assert not connection.in_atomic_block
        entering("one@example.com")()
        entering("two@example.com")()
        assert connection.in_atomic_block
        assert steps == ["first", "then"]
    assert not connection.in_atomic_block
    assert User.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_error_takes_a_whole_back() -> None:
    with pytest.raises(PartNotFound), whole(entering("first@example.com"), lambda: None):
        entering("effect@example.com")()
        raise PartNotFound
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begun", [True, False])
def test_undo_takes_back_all_but_the_first_step(begun: bool) -> None:
    committed: list[str] = []
    with whole(partial(UserFactory.create, email="first@example.com"), lambda: None) as one:
        if begun:
            one.begin()
            UserFactory.create(email="effect@example.com")
            transaction.on_commit(lambda: committed.append("effect"))
        one.undo(PartNotFound())
        transaction.on_commit(lambda: committed.append("first"))
    assert [user.email for user in User.objects.all()] == ["first@example.com"]
    assert committed == ["first"]
