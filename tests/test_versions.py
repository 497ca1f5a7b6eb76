"""Every change of what a row itself shows raises its version, which is what If-Match asks for."""

from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from autoful.actor import COMMAND, Role
from autoful.testing.personas import Persona, boss, wearing
from autoful.testing.queries import Statements
from mechanics import registration as mechanic_desk
from tests.changes import CHANGES, Shop
from tests.test_preconditions import tag_of, version
from tests.writes import SINGLE, Desk, path_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def shown(reader: Persona) -> dict[str, tuple[int, Any]]:
    """Each row's version, and what of its page is its own."""
    found = {}
    for model in SINGLE:
        for row in model._default_manager.all():
            answer = reader.get(path_of(row))
            if answer.status_code == 200:
                found[path_of(row)] = version(answer["ETag"]), own(answer.json())
    return found


def own(page: dict[str, Any]) -> dict[str, Any]:
    """Without what is other rows': a customer's tickets, the parts' and people's own columns."""
    page = {
        name: value for name, value in page.items() if name not in ("service_tickets", "customer")
    }
    page.pop("ticket_count", None)
    if "mechanics" in page:
        page["mechanics"] = [mechanic["id"] for mechanic in page["mechanics"]]
        page["service_inventories"] = [
            line | {"inventory": 0} for line in page["service_inventories"]
        ]
    return page


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_raises_the_version_of_every_row_that_shows_it(path: str) -> None:
    """Changes by verbs; a row that is saved past them raises nothing."""
    shop, reader, seen = Shop(), boss(), set()
    before = shown(reader)
    for name, change in CHANGES[path].items():
        if name.startswith("plain "):
            continue
        with transaction.atomic():
            change(shop)
            after = shown(reader)
            transaction.set_rollback(True)
        for row in before.keys() & after.keys():
            if after[row][1] != before[row][1]:
                seen.add(name)
                assert after[row][0] > before[row][0], f"{name}: {before[row]} {after[row]}"
    assert seen, "none of them shows, so this proves nothing"


@pytest.mark.parametrize("changed", ["customer", "mechanic"])
def test_an_email_changed_under_one_hat_raises_the_others_version(changed: str, desk: Desk) -> None:
    hat = wearing(Role.CUSTOMER, desk.mike.user, name="Mike Chen", email="mike@example.com")
    rows = {"customer": hat.profile, "mechanic": desk.mike.profile}
    caller = {"customer": hat, "mechanic": desk.mike}[changed]
    before = {name: tag_of(row, desk.boss) for name, row in rows.items()}
    done = caller.put(path_of(rows[changed]), {"email": "new@example.com"})
    for name, row in rows.items():
        answer = desk.boss.get(path_of(row))
        assert answer.json()["email"] == "new@example.com"
        assert version(answer["ETag"]) > version(before[name])
    assert version(done["ETag"]) == version(tag_of(rows[changed], desk.boss))


def test_a_mechanic_who_leaves_raises_the_version_of_their_open_tickets(desk: Desk) -> None:
    tag = tag_of(desk.ticket, desk.boss)
    with Statements(connection) as asked:
        mechanic_desk.close_mechanic(mechanic=desk.mike.profile, actor=COMMAND)
    # The ticket's lock comes first, as everywhere.
    updates = [query["sql"] for query in asked if query["sql"].startswith("UPDATE")]
    assert "tickets_serviceticket" in updates[0]
    assert "mechanics_mechanic" in updates[1]
    assert version(tag_of(desk.ticket, desk.boss)) > version(tag)


def test_one_they_were_put_on_while_leaving_is_raised_as_well(desk: Desk) -> None:
    tag = tag_of(desk.ticket, desk.boss)
    with patch.object(mechanic_desk, "before_leaving", []):  # nothing was seen to be theirs
        mechanic_desk.close_mechanic(mechanic=desk.mike.profile, actor=COMMAND)
    assert version(tag_of(desk.ticket, desk.boss)) > version(tag)
