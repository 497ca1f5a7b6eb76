"""The public's pages that are given again: the same answer as without them, counted as without.

Each test client has middlewares of its own, as each process has, and all have one cache. So one
that has just been made says what the whole way says.
"""

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from autoful import limits, metrics, outage
from autoful.api import caching, public_pages
from autoful.testing.queries import Statements
from inventory.models import Part
from tests.changes import Shop
from tests.public import PATHS, Process, noting_what_is_given_again, said, warm

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return noting_what_is_given_again(monkeypatch)


@pytest.fixture
def no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


# --- What it asks ---------------------------------------------------------------------------------


class Asked:
    """The lists' cache, and the questions to it."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.questions.append(name)
        return getattr(caches["lists"], name)


@pytest.mark.parametrize("path", PATHS)
def test_a_cached_list_reads_no_table_and_asks_the_cache_once(
    path: str, shop: Shop, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setattr(caching, "_lists", lambda: asked)
    process = warm(path)
    for one, again in ((process, 1), (Process(), 0)):
        asked.questions.clear()
        given.clear()
        with Statements(connection) as queries:
            answer = one.get(path)
        assert answer.json()[path[1:]], "nothing to read proves nothing"
        assert [q["sql"] for q in queries] == []
        assert (asked.questions, len(given)) == (["get"], again)


@pytest.mark.parametrize("path", PATHS)
def test_control_a_list_that_is_not_cached_is_seen_to_read(path: str, shop: Shop) -> None:
    process = warm(path)
    caches["lists"].clear()
    with Statements(connection) as queries:
        process.get(path)
    assert len(queries) > 0


# --- The same answer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [*PATHS, "/api/v1/inventory/?per_page=1&page=2", "/service-tickets"]
)
def test_every_header_is_that_of_the_whole_way(path: str, shop: Shop, given: list[str]) -> None:
    process = warm(path)
    fast = [process.get(path) for _ in range(3)]
    assert len(given) == 3
    slow = Process().get(path)
    assert len(given) == 3
    for answer in fast:
        assert said(answer) == said(slow)
    assert list(fast[0].headers) and set(fast[0].headers) == set(slow.headers)
    ids = {answer["X-Request-ID"] for answer in (*fast, slow)}
    assert len(ids) == 4
    left = [int(answer["RateLimit-Remaining"]) for answer in (*fast, slow)]
    assert left == [48, 47, 46, 45]


@pytest.mark.parametrize("tag", ["{}", "W/{}", '"other", {}', "*", '"other"'])
def test_if_none_match_is_answered_alike(tag: str, shop: Shop, given: list[str]) -> None:
    process = warm("/inventory")
    theirs = tag.format(process.get("/inventory")["ETag"])
    given.clear()
    fast = process.get("/inventory", HTTP_IF_NONE_MATCH=theirs)
    assert given == []  # it goes the whole way
    slow = Process().get("/inventory", HTTP_IF_NONE_MATCH=theirs)
    assert said(fast) == said(slow)
    assert fast.status_code == (200 if tag == '"other"' else 304)
    assert set(fast.headers) == set(slow.headers)


def test_the_log_and_the_figures_say_the_same(
    shop: Shop, given: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    process = warm("/inventory")
    for one in (process, Process()):
        caplog.clear()
        monkeypatch.setattr(metrics, "_figures", figures := metrics._Figures(None))
        with caplog.at_level(logging.INFO, logger="autoful.access"):
            one.get("/inventory")
        [line] = [record for record in caplog.records if record.name == "autoful.access"]
        words = ("method", "route", "status", "caller", "address")
        counted = {
            (sample.name, *sample.labels.items()): sample.value
            for family in figures.registry.collect()
            for sample in family.samples
            if not sample.name.endswith(("_sum", "_bucket"))
        }
        told.append(([getattr(line, word) for word in words], counted))
    assert given == ["inventory"]
    assert told[0] == told[1]
    line, counted = told[0]
    assert line[0] == "GET" and line[1] and line[2:4] == [200, "nobody"]
    assert [key[0] for key, value in counted.items() if value] == [
        "autoful_requests_total",
        "autoful_list_cache_total",
        "autoful_request_seconds_count",
    ]
    assert counted["autoful_list_cache_total", ("list", "inventory"), ("result", "hit")] == 1


# --- The limit ------------------------------------------------------------------------------------


def test_the_limit_counts_and_refuses_as_on_the_whole_way(
    shop: Shop, given: list[str], settings: Any
) -> None:
    settings.RATE_LIMITS = {"default": ["3/hour"]}
    refusals = []
    process = warm("/inventory")
    for way, address in ((lambda: process, "198.51.100.7"), (Process, "198.51.100.8")):
        answers = [way().get("/inventory", REMOTE_ADDR=address) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [a["RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0", "0"]
        refusals.append([_without_seconds(answer) for answer in answers[3:]])
    assert len(given) == 3
    assert refusals[0] == refusals[1]
    assert b'"code":"too_many_requests"' in refusals[0][0][1]
    assert "Retry-After" in refusals[0][0][2]


def _without_seconds(answer: Any) -> Any:
    status, content, headers = said(answer)
    assert int(headers["Retry-After"]) == answer.json()["retry_after"] > 0
    return (
        status,
        re.sub(rb"\d+", b"n", content),
        headers
        | {
            "Retry-After": "n",
            "Content-Length": "n",
            "ETag": "n",
        },
    )


def test_each_call_is_counted_once_also_when_refused(
    shop: Shop, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = {"default": ["2/hour"]}
    counted: list[str] = []
    original = limits.count

    def count(route: str, *who: Any, **more: Any) -> Any:
        counted.append(route)
        return original(route, *who, **more)

    monkeypatch.setattr(limits, "count", count)
    process = Process()
    assert [process.get("/inventory").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert counted == ["inventory.list"] * 4


def test_another_address_gets_the_page_and_counts_for_itself(
    shop: Shop, given: list[str], settings: Any
) -> None:
    settings.RATE_LIMITS = {"default": ["2/hour"]}
    process = warm("/inventory", "/inventory")
    assert process.get("/inventory").status_code == 429
    given.clear()
    other = process.get("/inventory", REMOTE_ADDR="198.51.100.7")
    assert (other.status_code, other["RateLimit-Remaining"]) == (200, "1")
    assert given == ["inventory"]


# --- For how long, and how much -------------------------------------------------------------------


def test_a_page_taken_from_the_cache_late_gets_no_new_minute(
    shop: Shop, given: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.LIST_CACHE_SECONDS == 60
    *_, first = Process().get("/inventory").public_page
    clock = SimpleNamespace(now=first.until - 5)
    monkeypatch.setattr(caching, "time", SimpleNamespace(time=lambda: clock.now))
    late = Process()
    *_, page = late.get("/inventory").public_page
    assert page.until == first.until
    # A change that nobody told the cache of.
    Part.objects.update(part_name="Changed")
    clock.now = first.until - 0.1
    assert "Changed" not in late.get("/inventory").content.decode()
    assert given == ["inventory"]
    clock.now = first.until + 0.1
    assert "Changed" in late.get("/inventory").content.decode()
    assert given == ["inventory"]


def test_full_it_is_emptied_and_works_on(
    shop: Shop, given: list[str], no_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three pages are more, of whatever size.
    monkeypatch.setattr(public_pages, "MOST_BYTES", 4_000)
    process = Process()
    queries = [f"/inventory?per_page={n}" for n in range(1, 10)]
    for path in queries:
        for _ in range(2):
            assert said(process.get(path)) == said(Process().get(path))
    assert len(given) == len(queries)
    given.clear()
    process.get(queries[0])  # was thrown out, and is back
    process.get(queries[0])
    assert len(given) == 1


def test_what_may_not_be_given_again_takes_no_room(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_may_be_kept", lambda *asked: False)
    process = warm("/inventory")
    assert not process.application._finished._things


@pytest.mark.parametrize(
    "step", [(limits, "count"), (caching, "is_current")], ids=["count", "look"]
)
def test_an_error_before_django_is_told_by_django(
    step: Any, shop: Shop, given: list[str], no_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = warm("/inventory")
    original, first = getattr(*step), [ZeroDivisionError]

    def falls_over(*asked: Any, **more: Any) -> Any:
        if first:
            raise first.pop()
        return original(*asked, **more)

    monkeypatch.setattr(*step, falls_over)
    assert process.get("/inventory").status_code == 200
    assert given == []
    process.get("/inventory")
    assert given == ["inventory"]


def test_while_the_cache_is_away_every_page_goes_the_whole_way(
    shop: Shop, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = warm("/inventory")
    present = caching._lists

    def away() -> Any:
        raise outage.Away

    monkeypatch.setattr(caching, "_lists", away)
    Part.objects.update(part_name="Changed")
    for _ in range(2):
        with Statements(connection) as queries:
            assert "Changed" in process.get("/inventory").content.decode()
        assert len(queries) > 0
    assert given == []
    monkeypatch.setattr(caching, "_lists", present)
    caching.drop("inventory")  # as on its return
    for _ in range(2):
        assert "Changed" in process.get("/inventory").content.decode()
    assert given == ["inventory"]
