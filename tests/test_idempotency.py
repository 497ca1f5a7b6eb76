"""A retry is safe: one key, one effect, one answer. Over HTTP: tests/test_idempotency_http.py."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from autoful.accounts.tests.factories import PASSWORD
from autoful.actor import COMMAND, Role
from autoful.models import IdempotencyKey
from autoful.testing.personas import Persona, back_office, wearing
from customers import registration
from inventory import stock
from tests.soundness import everything, faults
from tests.writes import Desk, unsafe_routes

pytestmark = pytest.mark.django_db

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ROUTES = sorted(set(unsafe_routes()))
each_route = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def said(answer: Any) -> tuple[int, bytes, str | None, str | None]:
    return answer.status_code, answer.content, answer.get("Content-Type"), answer.get("ETag")


def grow_old(hours: float) -> None:
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=hours))


# --- Every route ----------------------------------------------------------------------------------


def test_every_write_has_its_case(desk: Desk) -> None:
    """A new route fails until it is in tests/writes.py."""
    assert sorted(desk.writes()) == ROUTES


@each_route
def test_a_key_is_one_effect_and_one_answer_for_a_day(route: str, desk: Desk) -> None:
    write, before = desk.writes()[route], everything()
    first = write(KEY)
    assert first.status_code < 300, first.content
    assert "Idempotency-Replayed" not in first
    once = everything()
    assert once != before
    # With the other spelling of the path, which is the same route.
    write.path = f"/api/v1{write.path.rstrip('/')}/".replace("service_tickets", "service-tickets")
    second = write(KEY)
    assert said(second) == said(first)
    assert second["Idempotency-Replayed"] == "true"
    # Another request under the same key is refused.
    other = replace(write, body={**(write.body or {}), "and": "more"})(KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert everything() == once
    assert faults() == []
    # After a day the key is new.
    grow_old(hours=23.9)
    assert said(write(KEY)) == said(first)
    grow_old(hours=24.1)
    new = write(KEY)
    assert "Idempotency-Replayed" not in new
    [row] = IdempotencyKey.objects.all()
    assert row.created_at > timezone.now() - timedelta(minutes=1)
    assert row.status == new.status_code


@each_route
def test_control_without_a_key_every_request_is_a_new_one(route: str, desk: Desk) -> None:
    write = desk.writes()[route]
    first, once = write(), everything()
    second = write()
    assert said(second) != said(first) or everything() != once
    assert not IdempotencyKey.objects.exists()


# --- Whose key it is, and for what ----------------------------------------------------------------


def test_each_caller_has_their_own_keys(desk: Desk) -> None:
    for caller in (desk.mike, desk.lisa, desk.boss):
        assert desk.add_part(caller)(KEY).status_code < 300
    assert desk.stock() == 42
    assert IdempotencyKey.objects.count() == 3


def test_two_hats_of_one_account_are_two_callers(desk: Desk) -> None:
    hat = wearing(Role.CUSTOMER, desk.mike.user, name="Mike Chen", email="mike@example.com")
    for caller, where in ((desk.mike, "mechanics"), (hat, "customers")):
        answer = caller.put(
            f"/{where}/{caller.id}", {"phone": "555 0100"}, HTTP_IDEMPOTENCY_KEY=KEY
        )
        assert answer.status_code == 200
    assert set(IdempotencyKey.objects.values_list("caller", flat=True)) == {
        f"mechanic:{desk.mike.id}",
        f"customer:{hat.id}",
    }


def test_nobody_is_told_apart_by_address(desk: Desk) -> None:
    write = desk.writes()["customers.create"]
    assert write(KEY, REMOTE_ADDR="192.0.2.1").status_code == 201
    assert write(KEY, REMOTE_ADDR="192.0.2.1").status_code == 201
    other = write(KEY, REMOTE_ADDR="192.0.2.2")
    assert (other.status_code, list(other.json()["fields"])) == (400, ["email"])


def test_a_key_is_for_one_route_row_and_query(desk: Desk) -> None:
    first = desk.add_part()
    assert first(KEY).status_code == 200
    assert desk.writes()["inventory.update"](KEY).status_code == 200  # another route
    first.path += "?page=2"
    assert first(KEY).status_code == 422
    other = desk.add_part()
    other.path = other.path.replace(f"/{desk.ticket.pk}/", f"/{desk.ticket.pk + 1}/")
    assert other(KEY).status_code == 422


def test_who_may_no_longer_call_gets_no_replay(desk: Desk) -> None:
    write = desk.add_part()
    assert write(KEY).status_code == 200
    desk.mike.user.token_version += 1
    desk.mike.user.save()
    assert write(KEY).status_code == 401
    boss = desk.add_part(desk.boss)
    assert boss(KEY).status_code == 200
    desk.boss.user.is_superuser = False
    desk.boss.user.save()
    assert boss(KEY).status_code == 403


def test_a_replay_counts_as_a_call(desk: Desk, settings: Any) -> None:
    settings.RATE_LIMITS = {"default": ["2/hour"]}
    assert [desk.add_part()(KEY).status_code for _ in range(3)] == [200, 200, 429]


# --- What is remembered ---------------------------------------------------------------------------


def test_a_refusal_is_remembered_and_a_late_duplicate_takes_no_effect(desk: Desk) -> None:
    write = desk.add_part(quantity=60)
    first = write(KEY)
    assert (first.status_code, first.json()["code"]) == (400, "insufficient_stock")
    stock.receive(part=desk.part, quantity=100, actor=COMMAND)
    once = everything()
    second = write(KEY)
    assert said(second) == said(first)
    assert everything() == once
    assert write().status_code == 200  # the control


def test_a_refusal_takes_back_what_was_done_before_it(desk: Desk) -> None:
    before, write = everything(), desk.writes()["service_tickets.partial_update"]
    write.body |= {"status": "completed"}
    assert write(KEY).json()["code"] == "illegal_transition"
    assert everything() == before
    assert IdempotencyKey.objects.get().status == 400


def test_a_refusal_from_before_the_transaction_is_remembered(desk: Desk) -> None:
    write = desk.writes()["customers.create"]
    write.body |= {"email": "sarah@example.com"}
    first = write(KEY)
    assert first.status_code == 400
    registration.close_customer(customer=desk.sarah.profile, actor=COMMAND)
    assert said(write(KEY)) == said(first)


@pytest.mark.parametrize(
    "body", ["{", '{"part_name": "Pads"}', '{"part_name": "", "price": -1}', "[1]"]
)
def test_a_body_that_is_mended_may_have_its_key_again(body: str, desk: Desk) -> None:
    headers = {"HTTP_IDEMPOTENCY_KEY": KEY}
    refused = desk.mike.generic("POST", "/inventory/", body, "application/json", **headers)
    assert refused.status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert desk.writes()["inventory.create"](KEY).status_code == 201


def test_nothing_is_remembered_of_who_may_not(desk: Desk, clerk: Persona) -> None:
    assert desk.add_part(desk.nobody)(KEY).status_code == 401
    assert desk.add_part(clerk)(KEY).status_code == 403
    tom = desk.tom.put(f"/customers/{desk.sarah.id}", {"name": "X"}, HTTP_IDEMPOTENCY_KEY=KEY)
    assert tom.status_code == 403
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "caf\u00e9", "a\tb", "\x7f"])
def test_a_malformed_key_is_refused(key: str, desk: Desk) -> None:
    before = everything()
    answer = desk.add_part()(HTTP_IDEMPOTENCY_KEY=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert everything() == before


@pytest.mark.parametrize("key", ["1", "x" * 255, '"quoted"', "a key with spaces ~"])
def test_a_key_may_be_any_printable_text(key: str, desk: Desk) -> None:
    assert desk.add_part()(key).status_code == 200
    assert desk.add_part()(key)["Idempotency-Replayed"] == "true"


def test_on_reads_and_on_signing_in_a_key_means_nothing(desk: Desk) -> None:
    assert desk.mike.get("/inventory/", HTTP_IDEMPOTENCY_KEY="").status_code == 200
    credentials = {"email": "mike@example.com", "password": PASSWORD}
    tokens = [
        desk.nobody.post("/mechanics/login", credentials, HTTP_IDEMPOTENCY_KEY=KEY)
        for _ in range(2)
    ]
    assert tokens[0].json()["token"] != tokens[1].json()["token"]
    assert not IdempotencyKey.objects.exists()


def test_of_the_request_only_hashes_are_kept(desk: Desk) -> None:
    write = desk.writes()["customers.create"]
    write(KEY)
    [row] = IdempotencyKey.objects.values()
    kept = str(row)
    assert KEY not in kept
    assert PASSWORD not in kept
    # Nor a hash from which a password can be guessed without the shop's secret.
    body = write.caller._encode_data(write.body, "json")[0]
    assert hashlib.sha256(body).hexdigest() not in kept


def test_a_page_of_the_browsable_api_with_a_key_gets_json(desk: Desk) -> None:
    answers = [desk.add_part()(KEY, HTTP_ACCEPT="text/html") for _ in range(2)]
    assert said(answers[0]) == said(answers[1])
    assert answers[0]["Content-Type"] == "application/json"


def test_a_form_of_the_back_office_may_have_a_key(desk: Desk) -> None:
    strict = back_office(desk.boss.user)
    strict.handler.enforce_csrf_checks = True
    strict.cookies["csrftoken"] = token = "a" * 32
    body = {"part_name": "Pads", "price": "5", "quantity_in_stock": "1"}
    for replayed in (None, "true"):
        answer = strict.post(
            "/inventory/",
            body | {"csrfmiddlewaretoken": token},
            format="multipart",
            HTTP_IDEMPOTENCY_KEY=KEY,
        )
        assert (answer.status_code, answer.get("Idempotency-Replayed")) == (201, replayed)
