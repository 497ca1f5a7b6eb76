"""Values of the environment: a wrong one is refused by its name."""

import ipaddress
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from autoful import environment

NAME = "AUTOFUL_TESTED"


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda value: monkeypatch.setenv(NAME, value)


@pytest.mark.parametrize(
    ("value", "on"),
    [("on", True), ("TRUE", True), ("1", True), ("off", False), ("No", False), (" 0 ", False)],
)
def test_switch(value: str, on: bool, put: Any) -> None:
    put(value)
    assert environment.switch(NAME, default=not on) is on


@pytest.mark.parametrize("default", [True, False])
def test_unset_and_empty_are_the_default(default: bool, put: Any) -> None:
    assert environment.switch(NAME, default=default) is default
    put("")
    assert environment.switch(NAME, default=default) is default
    assert environment.number(NAME, 7, 1, 9) == 7
    assert environment.names(NAME, ["a"]) == ["a"]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: environment.switch(NAME, default=True), "ture"),
        (lambda: environment.choice(NAME, "open", ("open", "closed")), "opne"),
        (lambda: environment.number(NAME, 1, 1, 65535), "0"),
        (lambda: environment.number(NAME, 1, 1, 65535), "65536"),
        (lambda: environment.number(NAME, 1, 1, 65535), "-1"),
        (lambda: environment.number(NAME, 1, 1, 65535), "8000.0"),
        (lambda: environment.number(NAME, 1, 1, 65535), "²"),
        (lambda: environment.redis(NAME), "http://localhost:6379"),
        (lambda: environment.redis(NAME), "redis://localhost:port/0"),
        (lambda: environment.time_zone(NAME, "UTC"), "Mars/Olympus"),
        (lambda: environment.networks(NAME), "10.0.0.1/8"),
        (lambda: environment.networks(NAME), "proxy.local"),
        (lambda: environment.rate_limits(NAME, ["9/hour"], {}), "maybe"),
        (lambda: environment.rate_limits(NAME, ["9/hour"], {}), "customers.login=10"),
        (lambda: environment.rate_limits(NAME, ["9/hour"], {}), "customers.login=x/min"),
        (lambda: environment.rate_limits(NAME, ["9/hour"], {}), "customers.login=5/0m"),
        (lambda: environment.rate_limits(NAME, ["9/hour"], {}), "customers.login="),
    ],
)
def test_a_wrong_value_is_refused_by_name(read: Any, value: str, put: Any) -> None:
    put(value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        read()


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u@h/d",
        "mysql://u@h",
        "mysql:///autoful",
        "localhost",
        "mysql://u@h:port/d",
        "mysql://u@h:99999/d",
        "mysql://u:p@ss/w@h/d",
        "mysql://u:pass#w@h/d",
    ],
)
def test_a_wrong_database_is_refused_by_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.database("DATABASE_URL", url)


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_database(scheme: str) -> None:
    found = environment.database("DATABASE_URL", f"{scheme}://me:p%40ss@db.local:3307/autoful")
    assert found["ENGINE"] == "django.db.backends.mysql"
    names = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
    assert [found[n] for n in names] == ["db.local", 3307, "me", "p@ss", "autoful"]


def test_rate_limits(put: Any) -> None:
    everywhere, own = ["50/hour", "200/day"], {"customers.login": "5/min"}

    def read() -> Any:
        return environment.rate_limits(NAME, everywhere, own, alone={"accounts.password": "5/min"})

    plain = {"default": everywhere, "customers.login": ["5/min", *everywhere]}
    plain["accounts.password"] = ["5/min"]
    assert read() == plain
    put("off")
    assert read() is None
    put("customers.list=500/hour, default=1/s+9/10m")
    assert read() == {
        "default": ["1/s", "9/10m"],
        "customers.login": ["5/min", "1/s", "9/10m"],
        "customers.list": ["500/hour"],
        "accounts.password": ["5/min"],
    }
    put("accounts.password=3/min")
    assert read()["accounts.password"] == ["3/min"]


def test_networks_and_names(put: Any) -> None:
    put(" 10.0.0.0/8 , ::1")
    expected = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1")]
    assert environment.networks(NAME) == expected
    assert environment.names(NAME) == ["10.0.0.0/8", "::1"]


def test_the_env_file_gives_way_to_what_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "env"
    file.write_text(f"{NAME}=file\n{NAME}_TOO=file\n")
    monkeypatch.setenv(NAME, "set")
    monkeypatch.setenv(f"{NAME}_TOO", "")
    monkeypatch.delenv(f"{NAME}_TOO")
    monkeypatch.setenv("AUTOFUL_ENV_FILE", "")
    environment.read_env_file(file)
    assert f"{NAME}_TOO" not in os.environ
    monkeypatch.setenv("AUTOFUL_ENV_FILE", str(file))
    environment.read_env_file(tmp_path / "not this")
    assert (os.environ[NAME], os.environ[f"{NAME}_TOO"]) == ("set", "file")
    del os.environ[f"{NAME}_TOO"]


@pytest.mark.parametrize("host", ["https://x", "x.example:8000", "a b", "x/y"])
def test_a_host_that_would_never_match_is_refused(host: str, put: Any) -> None:
    put(f"shop.example.com,{host}")
    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.hosts(NAME, [])


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "*", "https://*.example.com", "HTTPS://App.Example.com", "app.example"),
        *("https://a.example/", "https://a.example/x", "https://a.example https://b.example"),
        *("https://user@a.example", "https://", "https://a.example\nx"),
    ],
)
def test_an_origin_that_no_browser_would_send_is_refused(origin: str, put: Any) -> None:
    put(f"https://app.example.com,{origin}")
    with pytest.raises(ImproperlyConfigured, match="separated by commas"):
        environment.origins(NAME)


def test_origins(put: Any) -> None:
    put("https://app.example.com, http://localhost:3000,https://[::1]:8443,capacitor://localhost")
    assert len(environment.origins(NAME)) == 4


def test_hosts(put: Any) -> None:
    put("shop.example.com, .example.org,127.0.0.1,[::1],*")
    assert len(environment.hosts(NAME, [])) == 5


def test_an_env_file_of_somebody_else_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")  # which root is never told

    (tmp_path / ".env").touch()
    monkeypatch.delenv("AUTOFUL_ENV_FILE", raising=False)
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        environment.read_env_file(tmp_path / ".env")


@pytest.mark.parametrize("line", ["PORT 9000", "AUTOFUL_HTTPS off", "just words", "=x"])
def test_a_line_that_says_nothing_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# a comment\n\n  export {NAME}_ONE = one\n{NAME}_TWO='a b'\n{line}\n")
    monkeypatch.delenv("AUTOFUL_ENV_FILE", raising=False)
    with pytest.raises(ImproperlyConfigured, match="Line 5 of"):
        environment.read_env_file(file)
    assert f"{NAME}_ONE" not in os.environ


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path, put: Any) -> None:
    made = environment.folder(NAME, tmp_path / "var", make=True)
    assert made.stat().st_mode & 0o077 == 0
