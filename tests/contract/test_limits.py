"""The limit column of the contract's table, per caller and per route."""

import time

import pytest
from rest_framework.test import APIClient

from autoful.testing.http import Answer, Caller
from tests.contract.table import TABLE, Route, ready
from tests.contract.world import PASSWORD, Person, World

_addresses = (f"127.0.{third}.{last}" for third in range(7, 255) for last in range(1, 255))


@pytest.fixture
def stranger(limited: str) -> Caller:
    """Nobody, at an address that has not called yet."""
    return Caller(limited, source=next(_addresses))


def spend(caller: Caller, method: str, path: str, limit: int, **more: object) -> Answer:
    """Call until it is too much, see that each call counts as one; the last answer.

    Counting starts again at the end of an hour or minute, which may come in between.
    """
    remaining, allowed = -1, 0
    for _ in range(2 * limit + 1):
        answer = caller.call(method, path, **more)
        if answer.status == 429:
            assert remaining in (0, -1), "refused before the limit was reached"
            return answer
        allowed += 1
        assert answer.headers["RateLimit-Limit"] == str(limit)
        before, remaining = remaining, int(answer.headers["RateLimit-Remaining"])
        assert before == -1 or remaining in (limit - 1, before - 1)
    raise AssertionError(f"{path}: {allowed} calls and no end")


@pytest.mark.parametrize("route", TABLE, ids=str)
def test_every_route_has_its_limit(
    world: World, limited: str, sarah: Person, mike: Person, lisa: Person, route: Route
) -> None:
    call = ready(route, world, {"sarah": sarah, "mike": mike, "lisa": lisa})
    who = Caller(limited, token=call.owner.token, source=next(_addresses))

    answer = who.call(route.method, call.path, call.body)

    assert answer.status == route.status
    assert answer.headers["RateLimit-Limit"] == str(route.limit)
    # Mike called other routes before this one: each is counted alone.
    assert answer.headers["RateLimit-Remaining"] == str(route.limit - 1)
    longest = 60 if route.path.endswith("login") else 3600
    assert 1 <= int(answer.headers["RateLimit-Reset"]) <= longest


def test_too_many(world: World, limited: str, mike: Person) -> None:
    tina = world.at(limited, world.customer("Tina Tireless"))
    started = time.time()

    first = tina.get("/customers/my-tickets")
    assert first.headers["RateLimit-Remaining"] == "49"
    answer = spend(tina, "GET", "/customers/my-tickets", 50)

    assert set(answer.body) >= {"code", "message"}
    assert answer.headers["RateLimit-Limit"] == "50"
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 3600
    assert time.time() - started < 60
    assert tina.get("/customers/").status == 200, "another route"
    for path in ("/customers/my-tickets/", "/api/v1/customers/my-tickets"):
        assert tina.get(path).status == 429, "the same route, spelled otherwise"


def test_callers_do_not_share(world: World, limited: str) -> None:
    """One address, several accounts: each has its own limit, and nobody has the address's."""
    address = next(_addresses)
    nobody = Caller(limited, source=address)
    first, second = (
        Caller(limited, token=world.mechanic().token, source=address) for _ in range(2)
    )
    spend(first, "GET", "/inventory/", 50)
    assert second.get("/inventory/").status == 200
    assert nobody.get("/inventory/").status == 200
    spend(nobody, "GET", "/inventory/", 50)
    assert second.get("/inventory/").status == 200
    elsewhere = Caller(limited, source=next(_addresses))
    assert elsewhere.get("/inventory/").status == 200, "another address"
    moved = Caller(limited, token=first.token, source=next(_addresses))
    assert moved.get("/inventory/").status == 429, "an account keeps its limit wherever it is"


def test_a_forged_address_is_ignored(limited: str, stranger: Caller) -> None:
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "X-Client-IP")
    codes = [
        stranger.post("/customers/", {}, headers=dict.fromkeys(names, f"203.0.113.{number}")).status
        for number in range(1, 12)
    ]
    assert codes[:5] == [400] * 5
    assert 429 in codes


def test_a_login_is_limited_before_the_password_is_hashed(
    limited: str, stranger: Caller, sarah: Person
) -> None:
    wrong = {"email": sarah.email, "password": "wrong horse battery"}
    right = wrong | {"password": PASSWORD}

    def seconds(expected: int) -> float:
        started = time.perf_counter()
        assert stranger.post("/customers/login", wrong).status == expected
        return time.perf_counter() - started

    hashed = min(seconds(401) for _ in range(4))
    spend(stranger, "POST", "/customers/login", 5, json=wrong)
    refused = stranger.post("/customers/login", right)
    assert refused.status == 429, "a right password does not help"
    assert "token" not in refused.body
    assert int(refused.headers["Retry-After"]) <= 60
    assert min(seconds(429) for _ in range(4)) < hashed / 2


def test_a_login_is_limited_whatever_the_email(stranger: Caller) -> None:
    codes = [
        stranger.post(
            "/mechanics/login", {"email": f"guess{number}@example.com", "password": PASSWORD}
        ).status
        for number in range(11)
    ]
    assert codes[:5] == [401] * 5
    assert 429 in codes


def test_limits_are_counted_across_processes(world: World, limited: str) -> None:
    if "REDIS_URL" not in world.shop.environment:
        pytest.skip("without Redis there is one process")
    token = world.mechanic().token
    with world.shop.serve() as other:
        here, there = Caller(limited, token=token), Caller(other, token=token)
        spend(here, "GET", "/mechanics/", 50)
        assert there.get("/mechanics/").status == 429
        assert there.get("/inventory/").headers["RateLimit-Remaining"] == "49"
        assert here.get("/inventory/").headers["RateLimit-Remaining"] == "48"


class Clock:
    """The time in this process; `now` may be moved. It begins on a whole second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = float(int(time.time()))
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.mark.django_db
def test_50_an_hour_and_200_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where the clock can be moved."""
    clock = Clock(monkeypatch)
    client = APIClient()

    def use_up_an_hour() -> int:
        """How many of an hour's 50 calls are let through."""
        codes = [client.get("/mechanics/top").status_code for _ in range(50)]
        clock.now += 3600
        return codes.count(200)

    # Wherever in its day the count begins, it has reached 200 by the ninth hour.
    wait = 0
    for _ in range(9):
        use_up_an_hour()
        wait = int(client.get("/mechanics/top").headers.get("Retry-After", 0))
        if wait > 3600:
            break
    assert wait > 3600, "the day has no limit"
    clock.now += wait + 1
    assert [use_up_an_hour() for _ in range(5)] == [50, 50, 50, 50, 0]


@pytest.mark.django_db
def test_whoever_waits_as_long_as_retry_after_says_is_let_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In this process, where the clock can be moved."""
    clock = Clock(monkeypatch)
    client = APIClient()
    for _ in range(50):
        assert client.get("/mechanics/top").status_code == 200
    wait = int(client.get("/mechanics/top")["Retry-After"])
    clock.now += wait - 2
    assert client.get("/mechanics/top").status_code == 429, "no need to wait so long"
    clock.now += 2
    assert client.get("/mechanics/top").status_code == 200
