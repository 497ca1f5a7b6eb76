"""Every page of the back office, asked for by who may not see it.

The pages come from the URL conf, so a new one is asked for too. What each of them does for those
who may is told by the tests of its app.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import get_resolver

from autoful.testing.pages import Desk
from tests.matrix import World, build
from tests.soundness import everything

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(settings.PRODUCTION, reason="who may what is the same on both set-ups"),
]

# What is everybody's who works here: the first page, the names of the pages that they may see,
# their own password, signing in and out.
OWN = {"index", "login", "logout", "search", "password_change", "password_change_done", "jsi18n"}
OWN |= {"second_factor"}

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.WHITENOISE_USE_FINDERS = False


@pytest.fixture
def world() -> World:
    Group.objects.create(name="Front desk")
    return build()


def pages() -> Iterator[tuple[str, str]]:
    """The name and the path of every page; ids are those of rows that are there."""
    models = {f"{m._meta.app_label}/{m._meta.model_name}/": m for m in admin.site._registry}

    def walk(patterns: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, path)
                continue
            model = next(
                (m for start, m in models.items() if path.startswith(f"admin/{start}")), None
            )
            row = model._base_manager.order_by("pk").first() if model else None
            plain = re.sub(r"<\w+:\w+>|<\w+>|\(\?P<\w+>[^)]*\)", str(row.pk if row else 1), path)
            yield pattern.name or "", "/" + re.sub(r"[\^$?]|\\Z", "", plain)

    (tree,) = [p for p in get_resolver().url_patterns if getattr(p, "app_name", "") == "admin"]
    yield from walk(tree.url_patterns, "admin/")


def secrets_in(answer: Any, world: World) -> list[Any]:
    content = b"".join(answer)  # a download is a stream
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b" ".join(map(book.read, book.namelist()))
    said = f"{content.decode()} {dict(answer.headers)}"
    return [found for text, found in world.secrets.items() if text in said]


def test_the_pages_are_found(world: World, boss: Any) -> None:
    """The control: whoever may see them all does, and what they show is private."""
    found = list(pages())
    assert len(found) >= 5 * len(admin.site._registry)
    desk, shown = Desk(boss.user), set()
    for name, path in found:
        if name in OWN or path.endswith("/1/1/"):
            continue
        answer = desk.get(path)
        assert answer.status_code in (200, 302, 403, 404, 405), (name, path, answer.status_code)
        shown |= {str(found) for found in secrets_in(answer, world)}
    assert len(shown) > 15, shown


@pytest.mark.parametrize("who", ["nobody", "sarah", "mike", "clerk"])
def test_who_may_not_sees_no_page(who: str, world: World) -> None:
    person = world.people[who]
    # A customer or mechanic with a session, and with a token: neither opens this door.
    clients = [person, Desk(person.user)] if who in ("sarah", "mike") else [person]
    before = everything()
    for client in clients:
        for name, path in pages():
            answer = client.get(path)
            assert secrets_in(answer, world) == [], (who, path)
            if who == "clerk":
                # Django's older address of a row only leads on, to the page that refuses; a row
                # that is not among those one may see is not there, and leads to the first page.
                leads_on = answer.get("Location") in (f"{path}change/", "/admin/")
                allowed = (200, 302, 405) if name in OWN else (403, 404)
                assert leads_on or answer.status_code in allowed, (path, answer.status_code)
            elif name != "login":
                to = "/admin/" if name == "logout" else "/admin/login/"
                assert answer.status_code == 302, (who, path)
                assert answer["Location"].startswith(to), (who, path)
    assert everything() == before


@pytest.mark.parametrize("who", ["nobody", "sarah", "mike", "clerk"])
def test_who_may_not_sends_no_page(who: str, world: World) -> None:
    """Saved without being opened: what a page asks about is answered with yes."""
    person = world.people[who]
    clients = [person, Desk(person.user)] if who in ("sarah", "mike") else [person]
    before = everything()
    for client in clients:
        for name, path in pages():
            if name in OWN:
                continue
            answer = client.generic("POST", path, "post=yes", content_type=FORM)
            assert secrets_in(answer, world) == [], (who, path)
            if who == "clerk":
                leads_on = answer.get("Location") in (f"{path}change/", "/admin/")
                refused = answer.status_code in (403, 404, 405)
                assert leads_on or refused, (path, answer.status_code)
            else:
                assert answer.status_code == 302, (who, path)
                assert answer["Location"].startswith("/admin/login/"), (who, path)
    assert everything() == before


@pytest.mark.parametrize("permission", ["view_part", "change_part", "view_serviceticket"])
def test_one_permission_opens_no_other_page(permission: str, world: World) -> None:
    clerk = world.people["clerk"]
    clerk.user.user_permissions.set(Permission.objects.filter(codename=permission))
    desk, noun = Desk(clerk.user), permission.partition("_")[2]
    opened = set()
    for name, path in pages():
        answer = desk.get(path)
        if answer.status_code == 200 and name not in OWN:
            opened.add(path.split("/")[3])
    # Whoever sees parts sees their ledger; the audit trail shows each what they may see.
    assert noun in opened
    assert opened <= {noun, "stockmovement", "logentry"}, opened
