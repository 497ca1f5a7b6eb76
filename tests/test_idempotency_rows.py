"""The rows of Idempotency-Key: written with the effect, retried with it, erased and forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import DEFAULT, Mock, patch

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.db import OperationalError, connection

from autoful.accounts import account, guessing
from autoful.api import idempotency, preconditions
from autoful.errors import Busy
from autoful.limits import TooManyRequests, Usage
from autoful.models import IdempotencyKey
from autoful.mysql import SEPARATOR
from customers import registration
from inventory import stock
from tests.soundness import everything, faults
from tests.test_idempotency import KEY, grow_old, said
from tests.writes import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


# --- Forgotten ------------------------------------------------------------------------------------


def test_closing_an_account_erases_what_was_answered_to_it_and_about_it(desk: Desk) -> None:
    write = desk.writes()["customers.create"]
    assert write(KEY).status_code == 201
    number = IdempotencyKey.objects.get().about.rpartition(":")[2]
    own = desk.writes()["customers.update"]
    own(KEY)
    desk.add_part()("another's")
    for customer in (desk.sarah.id, number):
        assert desk.boss.delete(f"/customers/{customer}").status_code == 200
    left = b"".join(bytes(row.answer) for row in IdempotencyKey.objects.all())
    for private in (b"ann@example.com", b"Ann New", b"7070", b"Sarah"):
        assert private not in left
    assert b"Added 2x" in left
    # It was done, and a late duplicate does not open the account again.
    again = write(KEY)
    assert (again.status_code, again.json()["code"]) == (409, "answer_erased")


def test_a_mechanic_who_leaves_has_no_answers_left(desk: Desk) -> None:
    desk.writes()["mechanics.update"](KEY)
    desk.add_part()(KEY)
    assert (
        desk.mike.delete(f"/mechanics/{desk.mike.id}", HTTP_IDEMPOTENCY_KEY=KEY).status_code == 200
    )
    left = b"".join(bytes(row.answer) for row in IdempotencyKey.objects.all())
    assert left == b'{"message":"Mechanic deleted successfully"}'


def test_what_is_old_is_forgotten_in_batches(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 3)
    monkeypatch.setattr(idempotency, "_forget_after", 1e12)
    for number in range(5):
        desk.add_part()(f"old {number}")
    grow_old(hours=25)
    desk.add_part()("young")
    assert IdempotencyKey.objects.count() == 6
    monkeypatch.setattr(idempotency, "_forget_after", 0.0)
    desk.add_part()("one more")
    assert IdempotencyKey.objects.count() == 4  # a full batch, so the next one is due at once
    desk.add_part()("and one more")
    assert IdempotencyKey.objects.count() == 3
    grow_old(hours=25)
    desk.add_part()("not yet: a minute has not passed")
    assert IdempotencyKey.objects.count() == 4


def test_what_cannot_be_forgotten_costs_nobody_the_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_forget_after", 0.0)
    refused: list[str] = []

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if any("created_at" in one.partition(" WHERE ")[2] for one in sql.split(SEPARATOR)):
            refused.append(sql)
            raise OperationalError(2013, "Lost connection to server during query")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert desk.add_part()(KEY).status_code == 200
    assert len(refused) == 1


# --- Lost races -----------------------------------------------------------------------------------


LOST = OperationalError(1213, "Deadlock found when trying to get lock")


def losing(times: int) -> Any:
    """The verb's end, lost `times` times; the part is taken by then."""
    return patch.object(stock, "_record", side_effect=[LOST] * times, autospec=True)


def test_a_lost_race_is_run_again_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = stock._record, []

    def unlucky(**facts: Any) -> Any:
        calls.append(IdempotencyKey.objects.count())
        part = real(**facts)
        if len(calls) <= 2:
            raise LOST
        return part

    monkeypatch.setattr(stock, "_record", unlucky)
    first = desk.add_part()(KEY)
    assert (first.status_code, calls, desk.stock()) == (200, [1, 1, 1], 46)
    assert said(desk.add_part()(KEY)) == said(first)
    assert faults() == []


def test_when_every_try_is_lost_the_key_is_free(desk: Desk) -> None:
    before = everything()
    with losing(times=4):
        busy = desk.add_part()(KEY)
    assert (busy.status_code, busy.json()["code"]) == (503, Busy.code)
    assert everything() == before
    assert not IdempotencyKey.objects.exists()
    assert desk.add_part()(KEY).status_code == 200


def test_who_waits_too_long_for_the_first_is_told_when_to_ask_again(desk: Desk) -> None:
    before = everything()
    taken = OperationalError(1205, "Lock wait timeout exceeded")
    with patch.object(IdempotencyKey.objects, "create", side_effect=taken) as create:
        answer = desk.add_part()(KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert answer["Retry-After"] == "1"
    assert create.call_count == 1, "it waited long enough"
    assert everything() == before
    assert desk.add_part()(KEY).status_code == 200


def test_what_was_done_meanwhile_is_replayed_and_not_missing(desk: Desk) -> None:
    """The same deletion comes twice; the second one looks for the ticket when it is gone."""
    write = desk.writes()["service_tickets.destroy"]
    first = write(KEY)
    real, looks = idempotency.Key.replay, []

    def too_early(key: Any) -> Any:
        looks.append(key)
        return None if len(looks) == 1 else real(key)

    with patch.object(idempotency.Key, "replay", too_early):
        assert said(write(KEY)) == said(first)
    assert len(looks) == 2


def test_a_hash_is_computed_before_the_transaction(desk: Desk) -> None:
    """Inside it, the embedded database would keep every other writer waiting for a fifth of a second."""
    inside: list[int] = []

    def hashing(password: str) -> str:
        inside.append(len(connection.savepoint_ids))
        return make_password(password)

    outside = len(connection.savepoint_ids)
    with patch.object(account, "make_password", hashing):
        assert desk.writes()["customers.create"](KEY).status_code == 201
    with patch.object(registration, "make_password", hashing):
        changed = desk.writes()["customers.update"]
        changed.body = {"password": "another good one"}
        assert changed(KEY).status_code == 200
    assert inside == [outside, outside]


@contextmanager
def hashing() -> Iterator[tuple[Mock, Mock]]:
    """The tries at a password that are counted, and the hashes that are computed."""
    encode = BCryptSHA256PasswordHasher.encode
    with (
        patch.object(guessing, "count_try", wraps=guessing.count_try) as tries,
        patch.object(
            BCryptSHA256PasswordHasher, "encode", autospec=True, side_effect=encode
        ) as hashes,
    ):
        yield tries, hashes


@pytest.mark.parametrize(
    "route,headers",
    [
        ("customers.create", {"key": KEY}),
        ("mechanics.create", {"key": KEY}),
        ("customers.update", {"key": KEY}),
        ("mechanics.update", {"HTTP_IF_MATCH": "*"}),
    ],
)
def test_a_lost_race_hashes_once_and_counts_one_try(
    route: str, headers: dict[str, str], desk: Desk, settings: Any
) -> None:
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"
    write, opens = desk.writes()[route], route.endswith("create")
    if not opens:
        write.body = {"password": "another good one"}
    races = patch.object(
        preconditions, "demand", wraps=preconditions.demand, side_effect=[LOST, LOST, DEFAULT]
    )
    with hashing() as (tries, hashes), races as demand:
        assert write(**headers).status_code < 300
    assert (demand.call_count, hashes.call_count, tries.call_count) == (3, 1, int(opens))


def test_a_refusal_that_loses_races_hashes_once_too(desk: Desk) -> None:
    write = desk.writes()["customers.create"]
    write.body = write.body | {"email": desk.sarah.user.email, "password": "not her password"}
    races = patch.object(idempotency.Key, "store", side_effect=[LOST, LOST, None])
    with hashing() as (tries, hashes), races as store:
        assert list(write(KEY).json()["fields"]) == ["email"]
    assert (store.call_count, hashes.call_count, tries.call_count) == (3, 1, 1)


def test_too_many_tries_at_a_password_are_not_remembered(desk: Desk) -> None:
    """The client is told to come again, and does so with the same key."""
    write = desk.writes()["customers.create"]
    with patch.object(guessing, "count_try", side_effect=TooManyRequests(Usage({}, wait=41))):
        assert write(KEY).status_code == 429
    assert write(KEY).status_code == 201


def test_a_bug_after_the_effect_leaves_neither_effect_nor_key(desk: Desk) -> None:
    before = everything()
    desk.mike.raise_request_exception = False
    with patch.object(idempotency.Key, "store", side_effect=RuntimeError):
        assert desk.add_part()(KEY).status_code == 500
    assert everything() == before
    assert not IdempotencyKey.objects.exists()
    assert desk.add_part()(KEY).status_code == 200
