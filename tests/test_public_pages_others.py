"""The public's pages that are given again: to nobody else, and never after a change."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from autoful.api import caching, public_pages
from autoful.testing.personas import Persona
from tests.changes import CHANGES, EVERY_CHANGE, Shop
from tests.public import PATHS, Process, noting_what_is_given_again, said, warm

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return noting_what_is_given_again(monkeypatch)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


# --- Nobody gets what is another's ----------------------------------------------------------------

Ask = Callable[[Persona, str, dict[str, str]], Any]
OTHERWISE: dict[str, Ask] = {
    **{
        f"as {name}": lambda p, path, who, name=name: p.get(path, HTTP_AUTHORIZATION=who[name])  # type: ignore[misc]
        for name in ("mike", "sarah", "forged")
    },
    "in a session": lambda p, path, who: p.get(path, HTTP_COOKIE=who["boss"]),
    "with a cookie": lambda p, path, who: p.get(path, HTTP_COOKIE="a=b"),
    "from elsewhere": lambda p, path, who: p.get(path, HTTP_ORIGIN="https://shop.example"),
    "If-Match": lambda p, path, who: p.get(path, HTTP_IF_MATCH='"1-0123456789abcdef"'),
    "If-Unmodified-Since": lambda p, path, who: p.get(
        path, HTTP_IF_UNMODIFIED_SINCE="Sat, 01 Jan 2000 00:00:00 GMT"
    ),
    "a body": lambda p, path, who: p.generic("GET", path, "{}", "application/json"),
    "too large a body": lambda p, path, who: p.generic("GET", path, b"{" + b" " * 1_048_576),
    "a length that is none": lambda p, path, who: p.get(path, CONTENT_LENGTH="-1"),
    "in chunks": lambda p, path, who: p.get(path, HTTP_TRANSFER_ENCODING="chunked"),
    "HEAD": lambda p, path, who: p.head(path),
    "OPTIONS": lambda p, path, who: p.options(path),
    "POST": lambda p, path, who: p.post(path, {}),
    "for a browser": lambda p, path, who: p.get(path, HTTP_ACCEPT="text/html"),
    "for what there is not": lambda p, path, who: p.get(path, HTTP_ACCEPT="image/png"),
    "of another host": lambda p, path, who: p.get(path, HTTP_HOST="localhost:81"),
    "of a host that is not ours": lambda p, path, who: p.get(path, HTTP_HOST="evil.example"),
    "by HTTPS": lambda p, path, who: p.get(path, secure=True),
    "another page": lambda p, path, who: p.get(f"{path}?per_page=1&page=2"),
    "in another order": lambda p, path, who: p.get(f"{path}?ordering=-id"),
    "in no order": lambda p, path, who: p.get(f"{path}?ordering=secret"),
    "as what": lambda p, path, who: p.get(f"{path}?format=xml"),
    "what only the shop may ask": lambda p, path, who: p.get(f"{path}?email=a@b.c&location=A&VIN=1"),
    "another list": lambda p, path, who: p.get("/mechanics"),
    "one row": lambda p, path, who: p.get(f"{path}/1"),
}  # fmt: skip
# What is answered like a plain request, at least where there is nothing of one's own.
ALIKE = ("as sarah", "with a cookie", "a body", "of another host", "in another order")


@pytest.mark.parametrize("path", PATHS)
def test_whoever_asks_otherwise_gets_what_the_whole_way_says(
    path: str,
    shop: Shop,
    settings: Any,
    mike: Persona,
    sarah: Persona,
    boss: Persona,
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    settings.SECURE_HSTS_SECONDS = 60
    who = {
        "mike": mike._credentials["HTTP_AUTHORIZATION"],
        "sarah": sarah._credentials["HTTP_AUTHORIZATION"],
        "forged": mike._credentials["HTTP_AUTHORIZATION"] + "x",
        "boss": f"sessionid={boss.cookies['sessionid'].value}",
    }
    plain = said(Process().get(path))
    for name, ask in OTHERWISE.items():
        caches["lists"].clear()
        expected = said(ask(Process(), path, who))
        process = warm(path)
        assert said(ask(process, path, who)) == expected, name
        assert said(ask(process, path, who)) == expected, f"{name}, the second time"
        assert said(process.get(path)) == plain, f"after {name}"
        process = Process()
        ask(process, path, who)
        assert said(process.get(path)) == plain, f"{name} came first"
        if name not in ALIKE:
            assert expected != plain, f"{name}: is not told apart, so this proves nothing"


def test_control_one_page_for_all_is_seen(
    shop: Shop, mike: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_pages, "NOT_PLAIN", ())
    process = warm("/inventory")
    token = mike._credentials["HTTP_AUTHORIZATION"]
    theirs = process.get("/inventory", HTTP_AUTHORIZATION=token)
    assert said(theirs) != said(Process().get("/inventory", HTTP_AUTHORIZATION=token))


def test_a_shop_that_closes_its_doors_is_closed_at_once(
    shop: Shop, given: list[str], settings: Any
) -> None:
    process = warm(*PATHS)
    settings.AUTOFUL_PUBLIC_READS = False
    for path in PATHS:
        answer = process.get(path)
        assert answer.status_code == 401
        assert said(answer) == said(Process().get(path))
    assert given == []
    settings.AUTOFUL_PUBLIC_READS = True
    assert process.get("/inventory").status_code == 200


# --- A change drops it ----------------------------------------------------------------------------


def check_change(path: str, name: str, commits: Any, given: list[str]) -> None:
    """After the change, a process that has the page says what one says that has nothing."""
    shop, process = Shop(), Process()
    for _ in range(2):
        process.get(f"/{path}")
    assert given == [path], "was not given again, so this proves nothing"
    connection.run_on_commit.clear()  # what the shop was made by asks for each drop once
    with commits(execute=True):
        CHANGES[path][name](shop)
    given.clear()
    after = process.get(f"/{path}")
    assert given == []
    caches["lists"].clear()
    assert after.content == Process().get(f"/{path}").content


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, name in EVERY_CHANGE if f"/{path}" in PATHS]
)
def test_a_change_drops_the_page(
    path: str,
    name: str,
    given: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    check_change(path, name, django_capture_on_commit_callbacks, given)


@pytest.mark.parametrize(
    ("path", "name"),
    [("customers", "change"), ("inventory", "change"), ("service_tickets", "move")],
)
def test_control_without_asking_for_the_version_it_would_not(
    path: str,
    name: str,
    given: list[str],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(caching, "is_current", lambda page: True)
    with pytest.raises(AssertionError, match=path):
        check_change(path, name, django_capture_on_commit_callbacks, given)
