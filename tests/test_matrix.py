"""Every route, asked by everybody, for their own, somebody else's and what is not there."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import get_resolver

from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD
from autoful.middleware import HealthProbes
from tests.matrix import CALLERS, COLUMNS, ROWS, Row, World, allow, build, private_facts
from tests.soundness import everything

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(settings.PRODUCTION, reason="who may what is the same on both set-ups"),
]

PREFIXES = ("", "/api/v1")
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "approval"
    settings.WHITENOISE_USE_FINDERS = False  # or every client looks for every static file


@pytest.fixture
def world() -> World:
    made = build()
    # Not the office's: its session would end.
    User.objects.filter(is_staff=False).update(password=make_password(PASSWORD))
    return made


# --- Which routes there are -----------------------------------------------------------------------


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path of the house; ids in a path are left blank."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            if getattr(pattern, "app_name", "") != "admin":
                yield from routes(pattern.url_patterns, path)
            continue
        plain = re.sub(r"\(\?P<\w+>[^)]*\)", "{}", path.replace("^", "").removesuffix("/?$"))
        actions = getattr(pattern.callback, "actions", {"get": ""})
        for method in METHODS & set(actions):  # DRF adds HEAD once it has been asked for
            yield method.upper(), f"/{plain}"


def in_the_table(row: Row) -> tuple[str, str]:
    return row.method, re.sub(r"\{\w+\}", "{}", row.path)


def test_every_route_has_its_line() -> None:
    found = set(routes(get_resolver().url_patterns))
    found |= {("GET", path) for path in HealthProbes.probes}
    v1 = {(method, path.removeprefix("/api/v1")) for method, path in found if "/v1/" in path}
    here = {(method, path) for method, path in found if "/v1/" not in path}
    assert v1 <= here, "a route stands under /api/v1/ alone"
    as_spelled = {
        (method, path.replace("service-tickets", "service_tickets")) for method, path in here
    }
    table = [in_the_table(row) for row in ROWS]
    assert as_spelled == set(table)
    assert len(table) == len(set(table))


# --- What everybody gets --------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def spellings(row: Row) -> Iterator[str]:
    """Each call takes the next: with /api/v1 and without, with a slash and without."""
    tails = ("", "/") if row.path != "/" else ("",)
    prefixes = PREFIXES if row.path.split("/")[1] not in ("", "api", "health") else ("",)
    for prefix, tail in itertools.cycle(itertools.product(prefixes, tails)):
        yield prefix + "{}" + tail


def call(world: World, row: Row, caller: str, spelling: str, *, missing: bool) -> Any:
    path, _, query = world.path(row, missing=missing).partition("?")
    if len(spelling) % 2 and "service" in path:
        path = path.replace("service_tickets", "service-tickets")
    spelled = spelling.format(path) + (f"?{query}" if query else "")
    return getattr(world.people[caller], row.method.lower())(spelled, world.body(row))


def said(answer: Any) -> str:
    return f"{answer.content.decode()} {dict(answer.headers)}"


def state(row: Row) -> Any:
    """Everything in the database, but that a try to sign in is written down."""
    found = everything()
    if row.path.endswith("login"):
        entries = LogEntry.objects.exclude(action=LogEntry.Action.ACCESS)
        found[LogEntry._meta.label] = list(entries.order_by("pk").values())
    return found


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_what_the_table_says(row: Row, world: World) -> None:
    allow(world, row.permission)
    before, ways = state(row), spellings(row)
    for column, which in itertools.product(COLUMNS, row.whiches()):
        caller = CALLERS[column].get(which, CALLERS[column]["own"])
        cell = row.expected(column, which)
        asked = f"{row}: {caller} ({column}), {which}"
        with undone():
            answer = call(world, row, caller, next(ways), missing=which == "missing")
            refused = cell.isdecimal()
            status = int(cell) if refused else row.good
            assert answer.status_code == status, f"{asked}: {said(answer)}"
            found = {text for text in world.secrets if text in said(answer)}
            # Nobody is told of themselves by a sign-in but their name.
            due = set() if refused else private_facts(world, row, cell, caller)
            if row.path.endswith("login") and not refused:
                due = {text for text in found if world.secrets[text][1].endswith("name")}
            names = {text: world.secrets[text] for text in found ^ due}
            assert found == due, f"{asked} is {cell}: {names}"
            if refused or row.method == "GET":
                assert state(row) == before, f"{asked} changed something"
            elif not row.path.endswith("login"):
                assert state(row) != before, f"{asked} changed nothing"


def test_no_route_answers_to_another_method(world: World) -> None:
    known: dict[str, set[str]] = {}
    for row in ROWS:
        if row.path.split("/")[1] not in ("", "api", "health", "metrics"):
            known.setdefault(row.path, set()).add(row.method.lower())
    before = everything()
    for row in ROWS:
        for method in sorted(METHODS - known.get(row.path, METHODS)):
            for caller in ("nobody", "mike"):
                answer = getattr(world.people[caller], method)(world.path(row), {})
                assert answer.status_code == 405, f"{method} {row.path}: {said(answer)}"
                assert not [text for text in world.secrets if text in said(answer)]
    assert everything() == before


def test_what_a_route_says_of_itself_is_nobodys_secret(world: World) -> None:
    for row in ROWS:
        for caller in ("nobody", "sarah", "mike", "clerk"):
            answer = world.people[caller].options(world.path(row))
            assert answer.status_code < 500, row
            assert not [text for text in world.secrets if text in said(answer)], row


@pytest.mark.parametrize("caller", ["nobody", "sarah", "lisa", "clerk"])
def test_a_page_for_people_shows_no_more_than_the_json(caller: str, world: World) -> None:
    """The browsable API fills in forms and filters; they too know only what their reader may."""
    allow(world, "view_serviceticket")
    for row in ROWS:
        if row.method != "GET" or row.path.split("/")[1] in ("", "api", "health"):
            continue
        client = world.people[caller]
        json, page = (
            client.get(world.path(row), HTTP_ACCEPT=kind)
            for kind in ("application/json", "text/html")
        )
        seen = {text for text in world.secrets if text in said(json)}
        # The page names who is signed in.
        own = {
            text
            for text, (whose, fact) in world.secrets.items()
            if (whose, fact[-5:]) == (caller, "email")
        }
        shown = {text for text in world.secrets if text in said(page)}
        assert shown - own <= seen, f"{caller}: {row}"
