"""The request's id and the caller's address, and the lines in the log."""

import datetime
import ipaddress
import json
import logging
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client, RequestFactory

from autoful.actor import NOBODY, Origin, coming_from
from autoful.logs import JSONFormatter, PlainFormatter
from autoful.middleware import client_address
from autoful.testing.personas import Persona


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),  # a stranger's word
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, unknown", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("", None, None),
        ("unix:", "1.2.3.4", None),
    ],
)
def test_the_address_is_believed_hop_by_hop(
    peer: str, forwarded: str | None, address: str | None, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    headers: dict[str, Any] = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers).META) == address


def test_nobody_is_trusted_by_default(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="1.2.3.4")
    assert client_address(request.META) == "127.0.0.1"


@pytest.mark.parametrize(
    ("brought", "kept"),
    [
        ("client-id-0042", True),
        ("a" * 64, True),
        ("", False),
        ("short", False),
        ("a" * 65, False),
        ("has space in it", False),
        ("quote\"'<b>123", False),
        ("ends-with-a-break\n", False),
    ],
)
def test_an_id_that_the_client_brings_begins_ours_and_never_is_it(
    brought: str, kept: bool, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="autoful.access"):
        answers = [client.get("/health/live", HTTP_X_REQUEST_ID=brought) for _ in range(2)]
    ids = {answer["X-Request-ID"] for answer in answers}
    assert len(ids) == 2
    theirs = re.escape(f"{brought}.") if kept else ""
    assert all(re.fullmatch(f"{theirs}[0-9a-f]{{32}}", name) for name in ids)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/customers", "/no-such-page", "/customers/999", "/admin/"])
def test_every_answer_has_an_id_of_its_own(path: str, client: Client) -> None:
    assert client.get(path)["X-Request-ID"] != client.get(path)["X-Request-ID"]


@pytest.mark.parametrize(
    ("proxies", "peer", "secure"),
    [
        ([], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "1.2.3.4", False),
    ],
)
def test_only_a_trusted_proxy_says_that_it_was_https(
    proxies: list[str], peer: str, secure: bool, settings: Any, client: Client
) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(proxy) for proxy in proxies]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = client.get("/health/live", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
    assert answer.wsgi_request.is_secure() is secure


@pytest.mark.django_db
def test_a_request_is_one_line_without_anything_private(
    sarah: Persona, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="autoful.access"):
        sarah.get(f"/customers/{sarah.id}?email=sarah@example.com", REMOTE_ADDR="203.0.113.9")
    (record,) = [r for r in caplog.records if r.name == "autoful.access"]
    line = json.loads(JSONFormatter().format(record))
    assert (line["method"], line["status"], line["caller"]) == ("GET", 200, f"customer:{sarah.id}")
    assert (line["level"], line["address"]) == ("INFO", "203.0.113.9")
    assert line["milliseconds"] >= 0
    assert "sarah@" not in json.dumps(line)
    assert "customers" in line["route"]


def test_a_line_is_one_json_object() -> None:
    record = logging.LogRecord(
        "shop", logging.ERROR, __file__, 1, "it %s", ("broke\nhere",), failed(raise_private)
    )
    record.part = object()
    with coming_from(Origin("the-request", None, lambda: NOBODY)):
        written = JSONFormatter().format(record)
    assert "\n" not in written
    line = json.loads(written)
    assert (line["message"], line["request_id"]) == ("it broke\nhere", "the-request")
    assert line["exception"].endswith("ValueError")
    assert line["time"].endswith("+00:00")
    assert json.loads(JSONFormatter().format(record))["request_id"] is None


@pytest.mark.parametrize("odd", ["half a pair \ud83d", 2**80, {1: "one"}, "two\u2028lines"])
def test_whatever_is_said_is_a_line(odd: Any) -> None:
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, "odd", (), None)
    record.odd = odd
    written = JSONFormatter().format(record)
    assert written.isascii() and len(written.splitlines()) == 1
    assert '"message":"odd"' in written  # spelled alike, whichever wrote it
    assert json.loads(written)["odd"] == ({"1": "one"} if isinstance(odd, dict) else odd)


@dataclass
class Named:
    name: str

    def __str__(self) -> str:
        return "somebody"


@pytest.mark.parametrize("said", ["plain", "Jürgen"])
def test_what_is_not_jsons_own_is_said_in_its_own_words(said: str) -> None:
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, said, (), None)
    record.who, record.when = Named("sarah"), datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
    line = json.loads(JSONFormatter().format(record))
    assert (line["who"], line["when"]) == ("somebody", "2026-11-29 00:00:00+00:00")


PRIVATE = "sarah@example.com"


def raise_private() -> None:
    raise ValueError(PRIVATE)


def raise_as_a_driver() -> None:
    try:
        raise_private()
    except ValueError as cause:
        raise IntegrityError(1062, f"Duplicate entry '{PRIVATE}'") from cause


def raise_as_sqlite() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (email UNIQUE)")
        for _ in range(2):
            connection.execute("INSERT INTO t VALUES (?)", [PRIVATE])


def raise_our_mistake() -> None:
    None.price  # type: ignore[attr-defined]  # noqa: B018


def failed(move: Callable[[], None]) -> Any:
    try:
        move()
    except Exception:
        return sys.exc_info()


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (raise_private, "ValueError"),
        (raise_as_a_driver, "django.db.utils.IntegrityError 1062\nwhich came of"),
        (raise_as_sqlite, "sqlite3.IntegrityError SQLITE_CONSTRAINT_UNIQUE"),
        (raise_our_mistake, "AttributeError: 'NoneType' object has no attribute 'price'"),
    ],
)
@pytest.mark.parametrize("formatter", [JSONFormatter(), PlainFormatter("%(message)s")])
def test_an_error_is_told_by_its_kind_and_place(
    formatter: logging.Formatter, move: Callable[[], None], told: str
) -> None:
    error = failed(move)
    record = logging.LogRecord(
        "django", logging.ERROR, __file__, 1, "hook failed (%s)", (error[1],), error
    )
    written = formatter.format(record)
    assert PRIVATE not in written
    assert told in written.replace("\\n", "\n")
    assert f"in {move.__name__}" in written


def test_a_line_of_djangos_about_a_request_has_no_path() -> None:
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "%s: %s", ("Oops", f"/{PRIVATE}"), None
    )
    record.request, record.status_code = RequestFactory().get(f"/{PRIVATE}"), 500
    for formatter in (JSONFormatter(), PlainFormatter("%(message)s")):
        assert PRIVATE not in formatter.format(record)
    assert json.loads(JSONFormatter().format(record))["message"] == "Internal Server Error"


# --- What a page may load -------------------------------------------------------------------------


def policy_of(answer: Any) -> dict[str, list[str]]:
    words = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {word: sources for word, *sources in words}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/api/docs/", "/api/redoc/", "/inventory/", "/nowhere"]
)
def test_a_page_runs_no_script_that_stands_in_it(boss: Persona, path: str) -> None:
    answer: Any = boss.get(path, HTTP_ACCEPT="text/html", follow=True)
    assert answer["Content-Type"].startswith("text/html")
    policy = policy_of(answer)
    assert policy["default-src"] == ["'self'"]
    for word in ("object-src", "base-uri", "frame-ancestors"):
        assert policy[word] == ["'none'"]
    allowed = {"'self'", "'unsafe-eval'"} if path.startswith("/admin/") else {"'self'"}
    assert set(policy["script-src"]) <= allowed
    # A script without a source is data, or it would not run.
    for script in re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", answer.content.decode()):
        assert 'type="application/json"' in script, script


@pytest.mark.django_db
def test_only_pages_have_a_policy(nobody: Persona) -> None:
    assert "Content-Security-Policy" not in nobody.get("/inventory/")
