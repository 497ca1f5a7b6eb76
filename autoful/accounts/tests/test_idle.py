"""A session lasts as long as somebody uses it, and no longer than it should."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from autoful.accounts import idle
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements

pytestmark = pytest.mark.django_db

PAGE = "/admin/password_change/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What time it is, for the sessions."""
    now = timezone.now()

    class Clock:
        at = now

        def passes(self, **span: float) -> None:
            self.at += timedelta(**span)

    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.at)
    monkeypatch.setattr(idle.time, "time", lambda: clock.at.timestamp())
    return clock


@pytest.fixture
def desk(settings: Any, clock: Any, boss: Persona) -> Desk:
    settings.SESSION_COOKIE_AGE = 3_600
    return Desk(boss.user)


def is_in(desk: Desk) -> bool:
    return desk.get(PAGE).status_code == 200


def test_who_works_stays_and_who_leaves_is_signed_out(desk: Desk, clock: Any) -> None:
    for _ in range(4):
        clock.passes(minutes=50)
        assert is_in(desk)
    clock.passes(minutes=61)
    assert not is_in(desk)


def test_the_control_without_it_who_works_is_signed_out_too(
    desk: Desk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "EVERY", 10**12)
    assert is_in(desk)
    clock.passes(minutes=50)
    assert is_in(desk)
    clock.passes(minutes=50)
    assert not is_in(desk)


def test_nobody_stays_for_ever_by_asking_again_and_again(desk: Desk, clock: Any) -> None:
    for _ in range(30):
        assert is_in(desk)
        clock.passes(minutes=48)
    assert is_in(desk)
    clock.passes(minutes=2)
    assert not is_in(desk)


def test_a_session_that_cannot_be_saved_still_shows_its_page(
    desk: Desk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise UpdateError

    assert is_in(desk)
    clock.passes(minutes=2)
    monkeypatch.setattr(SessionStore, "save", fail)
    assert is_in(desk)


def test_it_is_written_once_a_minute(desk: Desk, clock: Any) -> None:
    def written() -> int:
        with Statements(connection) as seen:
            assert is_in(desk)
        return sum("UPDATE" in q["sql"] and "session" in q["sql"] for q in seen)

    assert [written(), written()] == [1, 0]
    clock.passes(seconds=30)
    assert written() == 0
    clock.passes(seconds=31)
    assert written() == 1


def test_a_session_that_was_ended_meanwhile_is_no_error(desk: Desk, clock: Any) -> None:
    assert is_in(desk)
    Session.objects.all().delete()
    clock.passes(minutes=2)
    assert not is_in(desk)


def test_the_cookie_ends_with_the_browser(desk: Desk) -> None:
    desk.get(PAGE)
    assert not desk.cookies["sessionid"]["expires"] and not desk.cookies["sessionid"]["max-age"]


def test_who_has_no_session_gets_none(nobody: Persona) -> None:
    nobody.get("/inventory/")
    assert not Session.objects.exists() and "sessionid" not in nobody.cookies
