"""kill -9, of the database under load and of the server in the middle of requests.

Nothing acknowledged is missing, nothing is half written, and the shop is open again at once.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.conf import settings

from autoful.testing import servers
from autoful.testing.processes import Server, seconds_until
from autoful.testing.shops import shop
from tests.drills import control, scaled
from tests.drills.outages import BACK_WITHIN, UNLIMITED, mechanics_at_work, shop_on
from tests.test_sheets_http import at_the_desk, parts, uploaded

WITHOUT_TRANSACTIONS = "tests.drills.unprotected:without_transactions"
TRIES = 10  # a control need not fail at the first kill

production = pytest.mark.skipif(not settings.PRODUCTION, reason="needs MySQL or MariaDB")

Databases = Callable[..., AbstractContextManager[Server]]


@production
@pytest.mark.parametrize("durable", [servers.mariadb_server, servers.mysql_server])
def test_what_was_acknowledged_survives_kills_of_the_database(
    durable: Databases, tmp_path: Path
) -> None:
    if durable is servers.mysql_server and not servers.find_mysql():
        pytest.skip("there is no mysqld on this machine")
    with (
        shop_on(durable(durable=True), tmp_path) as (database, ours),
        ours.server(UNLIMITED, workers=4) as server,
    ):
        with mechanics_at_work(ours, server.url, clients=16) as book:
            for _ in range(scaled(full=20, small=2)):
                book.await_done(40)
                database.program.kill()
                book.await_refused(16)
                database.start_again()
                assert book.await_done(1) < BACK_WITHIN
            book.await_done(40)
        assert book.contradictions() == []


@control
@production
@pytest.mark.parametrize(
    ("protection", "application", "options"),
    [
        ("transactions", WITHOUT_TRANSACTIONS, ()),
        # The log is written once a second: what was acknowledged since is in memory alone.
        ("durability", "autoful.wsgi:application", ("--innodb-flush-log-at-trx-commit=0",)),
    ],
)
def test_control_without_a_protection_a_kill_of_the_database_does_harm(
    protection: str, application: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    mariadb = servers.mariadb_server(durable=True, options=options)
    with (
        shop_on(mariadb, tmp_path) as (database, ours),
        ours.server(UNLIMITED, workers=4, application=application) as server,
    ):
        for _ in range(TRIES):
            with mechanics_at_work(ours, server.url, clients=16) as book:
                book.await_done(40)
                database.program.kill()
            database.start_again()
            if harm := book.untrue():
                break
    assert harm, f"without {protection}, {TRIES} kills did no harm"


def test_the_server_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    kills = scaled(full=100, small=2)
    with (
        shop(tmp_path) as ours,
        ours.server(UNLIMITED, workers=4 if ours.in_production else 1) as server,
    ):
        with mechanics_at_work(ours, server.url, clients=8) as book:
            for kill in range(kills):
                book.await_done(1 + kill % 20)
                server.program.kill()
                server.start_again()
            book.await_done(8)
        assert book.contradictions() == []
        # A kill that found nobody at work proves nothing; most find several.
        assert sum(told.cut_off for told in book.told) >= kills


@control
def test_control_without_transactions_a_kill_of_the_server_leaves_half_a_write(
    tmp_path: Path,
) -> None:
    with (
        shop(tmp_path) as ours,
        ours.server(UNLIMITED, application=WITHOUT_TRANSACTIONS) as server,
    ):
        for kill in range(TRIES):
            with mechanics_at_work(ours, server.url, clients=8) as book:
                book.await_done(10 + kill)
                server.program.kill()
            if half := book.untrue():
                break
            server.start_again()
    assert half, f"without transactions, {TRIES} kills did no harm"


@pytest.mark.parametrize(
    "application",
    [
        "autoful.wsgi:application",
        pytest.param(WITHOUT_TRANSACTIONS, marks=control, id="control-without-transactions"),
    ],
)
def test_an_import_that_is_killed_saves_nothing(application: str, tmp_path: Path) -> None:
    rows = scaled(full=5_000, small=600)
    count = "from inventory.models import Part; answer = Part.objects.count()"
    with (
        shop(tmp_path) as ours,
        ours.server({"AUTOFUL_RATE_LIMITS": "off"}, application=application) as server,
    ):
        boss = at_the_desk(ours, server.url)
        page = uploaded(boss, parts(rows))
        seconds_until(lambda: f"Import {rows:,} rows" in boss.get(page).text, 120)
        # Without transactions looking at them has saved them.
        ours.ask(
            "from inventory.models import Part, StockMovement;"
            "[m.objects.all()._raw_delete('default') for m in (StockMovement, Part)]; answer = None"
        )
        boss.post(page, data={"import": "1"})
        if application == WITHOUT_TRANSACTIONS:
            seconds_until(lambda: ours.ask(count) > 0, 60)
        else:
            seconds_until(lambda: "00 of" in boss.get(page).text, 60)
        server.program.kill()
        if application == WITHOUT_TRANSACTIONS:
            assert 0 < ours.ask(count) < rows
            return
        assert ours.ask(count) == 0
        server.start_again()
        # As if nothing had been heard of it for half a minute.
        ours.ask(
            "import datetime; from django.core.cache import cache;"
            "from django.utils import timezone; from autoful.sheets.models import SheetImport as S;"
            "S.objects.update(began_at=timezone.now() - datetime.timedelta(minutes=1));"
            "cache.clear(); answer = None"
        )
        assert "It seems to have been interrupted" in boss.get(page).text
        boss.post(page, data={"import": "1"})
        seconds_until(lambda: "It is in." in boss.get(page).text, 120)
        assert ours.ask(count) == rows
        ours.manage("check_stock")
