"""Nobody overwrites somebody: the ETag of a row, and If-Match on every write."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db.models import F
from django.test import Client

from autoful.actor import COMMAND
from autoful.api import writes
from autoful.models import IdempotencyKey
from autoful.testing.personas import Persona
from autoful.testing.rivals import at_once, many_connections
from customers import registration as customer_desk
from customers.models import Customer
from inventory import stock
from inventory.models import Part
from mechanics import registration as mechanic_desk
from mechanics.models import Mechanic
from tests.soundness import everything, faults
from tests.writes import Desk, path_of, unsafe_routes
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db

ROUTES = sorted(set(unsafe_routes()))
each_route = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def version(tag: str) -> int:
    found = re.fullmatch(r'"([0-9]+)-[0-9a-f]{16}"', tag)
    assert found, tag
    return int(found[1])


def tag_of(row: Any, reader: Persona) -> str:
    answer = reader.get(path_of(row))
    assert answer.status_code == 200
    return str(answer["ETag"])


def move_on(row: Any) -> None:
    """Somebody else changes the row."""
    changes: dict[type, Callable[[], Any]] = {
        Customer: lambda: customer_desk.change_customer(customer=row, phone="1", actor=COMMAND),
        Mechanic: lambda: mechanic_desk.change_mechanic(mechanic=row, phone="1", actor=COMMAND),
        Part: lambda: stock.receive(part=row, quantity=1, actor=COMMAND),
        ServiceTicket: lambda: ServiceTicket.objects.filter(pk=row.pk).update(
            notes="Wait", version=F("version") + 1
        ),
    }
    changes[type(row)]()


# --- Every write ----------------------------------------------------------------------------------


@each_route
def test_a_write_on_what_moved_on_is_refused_and_a_fresh_one_is_done(
    route: str, desk: Desk
) -> None:
    write = desk.writes()[route]
    if write.row is None:
        before = everything()
        for header in ('"1-0123456789abcdef"', "*"):
            answer = write(HTTP_IF_MATCH=header)
            assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert everything() == before
        return
    stale = tag_of(write.row, desk.boss)
    move_on(write.row)
    before = everything()
    refused = write(HTTP_IF_MATCH=stale)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert everything() == before
    fresh = tag_of(write.row, desk.boss)
    assert version(fresh) > version(stale)
    done = write(HTTP_IF_MATCH=fresh)
    assert done.status_code < 300, done.content
    assert everything() != before
    assert faults() == []
    if write.method != "delete":
        assert version(done["ETag"]) == version(tag_of(write.row, desk.boss))


@each_route
def test_the_version_in_the_answer_is_the_one_a_reader_gets(route: str, desk: Desk) -> None:
    write = desk.writes()[route]
    answer = write()
    if write.method == "delete":
        assert "ETag" not in answer
        return
    number = write.row.pk if write.row else answer.json()["id"]
    read = desk.boss.get(f"/{route.partition('.')[0]}/{number}")
    assert version(answer["ETag"]) == version(read["ETag"])


@pytest.mark.parametrize(
    ("form", "passes"),
    [
        ("{tag}", True),
        ("W/{tag}", True),
        ('"0-0123456789abcdef", {tag}', True),
        ("*", True),
        ("", False),
        ("17", False),
        ('"17"', False),
        ('"99999999999999999999999-0123456789abcdef"', False),
        ('"999999999999999999-0123456789abcdef"', False),
        ('"\u0661-0123456789abcdef"', False),
        ("{plain}", False),
    ],
)
def test_what_if_match_may_say(form: str, passes: bool, desk: Desk) -> None:
    tag = tag_of(desk.part, desk.mike)
    header = form.format(tag=tag, plain=tag.strip('"')).encode().decode("latin-1")
    answer = desk.writes()["inventory.update"](HTTP_IF_MATCH=header)
    assert answer.status_code == (200 if passes else 412)


def test_the_version_counts_and_not_what_else_the_answer_shows(desk: Desk) -> None:
    """A ticket's page shows the customer's name, which is not the ticket's to guard."""
    tag = tag_of(desk.ticket, desk.boss)
    customer_desk.change_customer(customer=desk.sarah.profile, name="Sarah Smith", actor=COMMAND)
    other = tag_of(desk.ticket, desk.boss)
    assert (other != tag, version(other)) == (True, version(tag))
    unchanged = desk.boss.get(path_of(desk.ticket), HTTP_IF_NONE_MATCH=other)
    changed = desk.boss.get(path_of(desk.ticket), HTTP_IF_NONE_MATCH=tag)
    assert (unchanged.status_code, changed.status_code) == (304, 200)
    edit = desk.writes()["service_tickets.partial_update"]
    assert edit(HTTP_IF_MATCH=tag).status_code == 200


def test_what_is_wrong_otherwise_is_said_first(desk: Desk) -> None:
    """RFC 9110: a precondition is looked at only where the request would have been honoured."""
    stale = {"HTTP_IF_MATCH": '"999-0123456789abcdef"'}
    edit = desk.writes()["inventory.update"]
    assert edit.caller.put(edit.path, {"price": -1}, **stale).status_code == 400
    assert desk.mike.put("/inventory/999999", {"price": 1}, **stale).status_code == 404
    assert desk.sarah.put(edit.path, {"price": 1}, **stale).status_code == 403
    assert desk.mike.put("/inventory/999999", {"price": 1}, HTTP_IF_MATCH="*").status_code == 404


def test_of_a_row_that_goes_while_it_is_looked_at_it_is_said_that_it_is_gone(desk: Desk) -> None:
    """Nobody changed it, so there is nothing to read again."""
    real, tag = writes.preconditions.demand, tag_of(desk.spare, desk.boss)

    def too_late(view: Any, request: Any) -> None:
        Part.objects.filter(pk=desk.spare.pk).delete()
        real(view, request)

    with patch.object(writes.preconditions, "demand", too_late):
        answer = desk.writes()["inventory.destroy"](HTTP_IF_MATCH=tag)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_refusal_does_not_tell_the_version_to_write_over(desk: Desk) -> None:
    answer = desk.writes()["inventory.update"](HTTP_IF_MATCH='"999-0123456789abcdef"')
    assert set(answer.json()) == {"code", "message"}
    assert "ETag" not in answer


def test_on_a_read_if_match_gets_the_one_shape_of_errors(desk: Desk) -> None:
    answer = desk.mike.get(path_of(desk.part), HTTP_IF_MATCH='"1-0123456789abcdef"')
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    tag = tag_of(desk.part, desk.mike)
    assert desk.mike.get(path_of(desk.part), HTTP_IF_MATCH=tag).status_code == 200


def test_a_key_and_a_version_together(desk: Desk) -> None:
    write, tag = desk.add_part(), tag_of(desk.ticket, desk.boss)
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    first = write(HTTP_IF_MATCH=tag, **key)
    # The retry of what was done brings the version of before, and gets its answer.
    second = write(HTTP_IF_MATCH=tag, **key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.content, desk.stock()) == (first.content, 46)
    # What moved on was not done: read again, and go on with the same key.
    key = {"HTTP_IDEMPOTENCY_KEY": "two"}
    assert write(HTTP_IF_MATCH=tag, **key).status_code == 412
    assert not IdempotencyKey.objects.filter(status=412).exists()
    assert write(HTTP_IF_MATCH=tag_of(desk.ticket, desk.boss), **key).status_code == 200
    assert desk.stock() == 44


def test_browsers_of_other_origins_may_send_and_see_them(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    asked = {"HTTP_ORIGIN": "https://shop.example", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    answer = Client().options("/inventory/1", **asked)
    allowed = answer["Access-Control-Allow-Headers"].lower()
    for header in ("authorization", "if-match", "if-none-match", "idempotency-key"):
        assert header in allowed
    shown = Client().get("/inventory/", HTTP_ORIGIN="https://shop.example")
    assert "ETag" in shown["Access-Control-Expose-Headers"]
    assert "Idempotency-Replayed" in shown["Access-Control-Expose-Headers"]


ORIGIN = "https://shop.example"


def test_where_no_other_origin_may_ask_none_is_told_of(settings: Any) -> None:
    told = {"Access-Control-Allow-Origin", "Access-Control-Expose-Headers"}
    for origins in ([], [ORIGIN]):
        settings.CORS_ALLOWED_ORIGINS = origins
        asked = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
        for method in ("get", "options"):
            shown = getattr(Client(), method)("/inventory/", HTTP_ORIGIN=ORIGIN, **asked)
            assert ("Access-Control-Allow-Origin" in shown) == bool(origins)
        shown = Client().get("/inventory/", HTTP_ORIGIN=ORIGIN)
        assert told <= shown.headers.keys() if origins else not told & shown.headers.keys()
        assert ("origin" in shown["Vary"].lower()) == bool(origins)


# --- Two at once ----------------------------------------------------------------------------------


def two_write_at_once(tmp_path: Path) -> list[list[int]]:
    """Two who read the same version, each with a connection of their own; three times."""
    with many_connections(tmp_path):
        desk, rounds = Desk(), []
        for _ in range(3):
            tag, path = tag_of(desk.part, desk.boss), path_of(desk.part)
            moves = [
                partial(caller.put, path, {"price": price}, HTTP_IF_MATCH=tag)
                for caller, price in ((desk.mike, 10), (desk.lisa, 20))
            ]
            rounds.append(sorted(answer.status_code for answer in at_once(*moves)))
        return rounds


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_one_is_told(tmp_path: Path) -> None:
    assert two_write_at_once(tmp_path) == [[200, 412]] * 3


@pytest.mark.django_db(transaction=True)
def test_control_unchecked_one_overwrites_the_other(tmp_path: Path) -> None:
    with patch.object(writes.preconditions, "demand", lambda view, request: None):
        assert two_write_at_once(tmp_path) == [[200, 200]] * 3
