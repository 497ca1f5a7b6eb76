"""How calls are counted; set-ups that are reported."""

import ipaddress
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as RedisDown

from autoful import checks, limits
from autoful.accounts.models import User
from autoful.actor import NOBODY, Actor, Role
from autoful.testing.personas import Persona


@pytest.fixture(autouse=True)
def _few_calls(settings: Any) -> None:
    settings.RATE_LIMITS = {"default": ["3/hour", "9/day"], "customers.list": ["2/hour", "9/day"]}


@pytest.mark.parametrize(
    ("actor", "address", "key"),
    [
        (Actor(Role.CUSTOMER, User(pk=7), 1), "203.0.113.9", "account:7"),
        (NOBODY, "203.0.113.9", "address:203.0.113.9"),
        (NOBODY, "2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        (NOBODY, None, "address:0.0.0.0"),
        (NOBODY, "::1", "address:::/64"),
    ],
)
def test_who_is_counted(actor: Actor, address: str | None, key: str) -> None:
    assert limits.caller_keys(actor, address, no_sign_in_needed=False) == [key]


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        (Role.CUSTOMER, ["account:7", "address:203.0.113.9"]),
        (Role.MECHANIC, ["account:7", "address:203.0.113.9"]),
        (Role.BACK_OFFICE, ["account:7"]),
    ],
)
def test_where_no_sign_in_is_needed_a_token_buys_nothing(role: Role, keys: list[str]) -> None:
    actor = Actor(role, User(pk=7), 1)
    assert limits.caller_keys(actor, "203.0.113.9", no_sign_in_needed=True) == keys


def calls(client: Client, path: str, count: int, **extra: Any) -> list[int]:
    return [client.get(path, **extra).status_code for _ in range(count)]


@pytest.mark.django_db
def test_a_route_over_its_limit(client: Client) -> None:
    first = client.get("/customers")
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("2", "1")
    assert 0 < int(first["RateLimit-Reset"]) <= 3600
    assert calls(client, "/api/v1/customers/", 2) == [200, 429]
    refused = client.get("/customers")
    assert refused.json()["code"] == "too_many_requests"
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert refused["RateLimit-Remaining"] == "0"
    assert calls(client, "/inventory", 4) == [200, 200, 200, 429]  # counted by itself


@pytest.mark.django_db
def test_one_caller_does_not_block_another(client: Client, sarah: Persona, tom: Persona) -> None:
    assert calls(client, "/customers", 3, REMOTE_ADDR="203.0.113.1") == [200, 200, 429]
    assert calls(client, "/customers", 3, REMOTE_ADDR="203.0.113.2") == [200, 200, 429]
    for person in (sarah, tom):
        assert calls(person, "/customers", 3, REMOTE_ADDR="203.0.113.1") == [200, 200, 429]


FORGED = ["X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP", "CLIENT_IP", "X_CLIENT_IP", "VIA"]
FORGED += [
    "TRUE_CLIENT_IP",
    "CF_CONNECTING_IP",
    "X_CLUSTER_CLIENT_IP",
    "X_FORWARDED",
    "REMOTE_ADDR",
]


@pytest.mark.django_db
@pytest.mark.parametrize("header", FORGED)
def test_a_forged_address_counts_for_nothing(header: str, client: Client) -> None:
    codes = []
    for number in range(4):
        forged = {f"HTTP_{header}": f"203.0.113.{number}"}
        codes += calls(client, "/customers", 1, REMOTE_ADDR="198.51.100.7", **forged)
    assert codes == [200, 200, 429, 429]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forwarded",
    [
        "203.0.113.{n}, 198.51.100.7",
        " 203.0.113.{n} ,198.51.100.7 ",
        "198.51.100.{n},203.0.113.{n},198.51.100.7",
        "127.0.0.1, 203.0.113.{n}, 198.51.100.7",
        "unknown-{n}, 198.51.100.7",
        "2001:db8::{n}, 198.51.100.7",
        "203.0.113.{n}, ::ffff:198.51.100.7",
        "203.0.113.{n}, 198.51.100.7, 127.0.0.1",
    ],
)
def test_behind_a_proxy_what_the_client_wrote_counts_for_nothing(
    forwarded: str, client: Client, settings: Any
) -> None:
    """The proxy adds what it saw at the right; the rest is the client's word."""
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]
    codes = []
    for number in range(1, 5):
        header = {"HTTP_X_FORWARDED_FOR": forwarded.format(n=number)}
        codes += calls(client, "/customers", 1, REMOTE_ADDR="127.0.0.1", **header)
    assert codes == [200, 200, 429, 429]
    others = {"HTTP_X_FORWARDED_FOR": "198.51.100.8"}
    assert calls(client, "/customers", 1, REMOTE_ADDR="127.0.0.1", **others) == [200]


@pytest.mark.django_db
def test_without_redis_each_process_counts(client: Client) -> None:
    with patch.object(limits, "get_usage", side_effect=RedisDown):
        assert calls(client, "/customers", 3) == [200, 200, 429]


@pytest.mark.django_db
def test_a_count_that_vanishes_is_counted_here(client: Client) -> None:
    """What django-ratelimit says of one that Redis dropped between two questions."""
    vanished = {"count": 0, "limit": 0, "should_limit": True, "time_left": -1}
    with patch.object(limits, "get_usage", return_value=vanished):
        assert calls(client, "/customers", 3) == [200, 200, 429]


@pytest.mark.django_db
def test_off_is_off(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = None
    answer = client.get("/customers")
    assert "RateLimit-Limit" not in answer
    assert calls(client, "/customers", 5) == [200] * 5


@pytest.mark.django_db
def test_a_route_that_is_closed(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = {"default": ["3/hour"], "customers.list": ["0/hour"]}
    assert calls(client, "/customers", 1) == [429]


# --- Checks ---------------------------------------------------------------------------------------


def server(
    version: tuple[int, ...], isolation: str, *, mariadb: bool, characters: str = "utf8mb4"
) -> Any:
    connection = MagicMock(vendor="mysql", mysql_version=version, mysql_is_mariadb=mariadb)
    cursor = connection.cursor.return_value.__enter__.return_value
    cursor.fetchone.return_value = [isolation, characters]
    return {"default": connection}


@pytest.mark.parametrize(
    ("version", "mariadb", "isolation", "found"),
    [
        ((8, 0, 16), False, "READ-COMMITTED", []),
        ((8, 0, 15), False, "READ-COMMITTED", ["autoful.E001"]),
        ((10, 6), True, "READ-COMMITTED", []),
        ((10, 5, 9), True, "READ-COMMITTED", ["autoful.E001"]),
        ((10, 11, 6), True, "REPEATABLE-READ", ["autoful.E002"]),
        ((5, 7), False, "SERIALIZABLE", ["autoful.E001", "autoful.E002"]),
    ],
)
def test_the_database_must_be_fit(
    version: tuple[int, ...], mariadb: bool, isolation: str, found: list[str]
) -> None:
    with patch.object(checks, "connections", server(version, isolation, mariadb=mariadb)):
        said = checks.database_is_fit(databases=["default"])
        assert [message.id for message in said] == found
        assert checks.database_is_fit(databases=None) == []


def test_the_database_takes_every_script() -> None:
    latin = server((10, 11), "READ-COMMITTED", mariadb=True, characters="latin1")
    with patch.object(checks, "connections", latin):
        assert [m.id for m in checks.database_is_fit(databases=["default"])] == ["autoful.E003"]


@pytest.mark.django_db
def test_the_tests_own_database_is_fit() -> None:
    assert checks.database_is_fit(databases=["default"]) == []


@pytest.mark.parametrize(
    ("production", "signup", "redis", "rates", "found"),
    [
        (True, "approval", "redis://x", {"default": []}, set()),
        (True, "open", "redis://x", {"default": []}, {"autoful.W001"}),
        (True, "closed", "", {"default": []}, {"autoful.W002"}),
        (True, "closed", "redis://x", None, {"autoful.W003"}),
        (False, "open", "", {"default": []}, set()),
    ],
)
def test_a_production_shop_that_stands_open_is_reported(
    production: bool, signup: str, redis: str, rates: Any, found: set[str]
) -> None:
    with patch.object(
        checks,
        "settings",
        SimpleNamespace(
            PRODUCTION=production,
            AUTOFUL_MECHANIC_SIGNUP=signup,
            REDIS_URL=redis,
            RATE_LIMITS=rates,
            TRUSTED_PROXIES=[ipaddress.ip_network("10.0.0.0/8")],
        ),
    ):
        assert {message.id for message in checks.production_is_closed()} == found


@pytest.mark.parametrize(
    ("hosts", "proxies", "found"),
    [
        (["shop.example.com"], ["10.0.0.0/8"], []),
        (["shop.example.com"], [], ["autoful.W006"]),
        (["shop.example.com"], ["0.0.0.0/0"], ["autoful.W007"]),
        (["shop.example.com"], ["::/0"], ["autoful.W007"]),
        (["*"], ["10.0.0.0/8"], ["autoful.W008"]),
        (["127.0.0.1", "localhost", "[::1]"], ["10.0.0.0/8"], ["autoful.W009"]),
    ],
)
@pytest.mark.parametrize("production", [True, False])
def test_a_shop_that_nobody_reaches_or_anybody_deceives_is_reported(
    production: bool, hosts: list[str], proxies: list[str], found: list[str], settings: Any
) -> None:
    settings.PRODUCTION, settings.AUTOFUL_HTTPS = production, True
    settings.ALLOWED_HOSTS = hosts
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(proxy) for proxy in proxies]
    said = [message.id for message in checks.production_is_reached_as_meant()]
    assert said == (found if production else [])


def test_a_misspelt_variable_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFUL_PUBLIC_READ", "off")
    said = [message.msg for message in checks.no_misspelt_variables()]
    assert any("AUTOFUL_PUBLIC_READ is not" in message for message in said)
    monkeypatch.delenv("AUTOFUL_PUBLIC_READ")
    monkeypatch.setenv("AUTOFUL_PUBLIC_READS", "off")
    assert not any("AUTOFUL_PUBLIC_READS is" in m.msg for m in checks.no_misspelt_variables())
