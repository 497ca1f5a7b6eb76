"""The demo shop, its server, and a browser. On the embedded set-up only: pages are the same on both,
and of their rows other tests tell."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from autoful.testing.servers import find_program
from autoful.testing.shops import Shop, shop
from embedded.demo import DEMO_PASSWORD, OWNER
from tests.browser.desk import SCHEMES, WIDTHS, Desk, browser, desk

BOSS, PASSWORD = OWNER.email, DEMO_PASSWORD

FILLED = "from embedded.demo import fill; fill(progress=lambda *done: None); answer = None"


def pytest_collection_modifyitems(config: Any, items: list[pytest.Item]) -> None:
    reasons = []
    if os.environ.get("DATABASE_URL"):
        reasons.append("pages are seen on the embedded set-up")
    if not find_program("chromium"):
        reasons.append("needs Debian's chromium")
    for item in items:
        if reasons and "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.skip(reason=reasons[0]))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("demo")) as made:
        made.ask(FILLED)
        made.close()  # or its last rows would be in a file beside the database's
        yield made


# Of a file, not of the run: while a browser is open, Django takes the whole process for asynchronous.


@pytest.fixture(scope="module")
def filled(demo: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Each file's own, since they change it."""
    with shop(tmp_path_factory.mktemp("browser")) as made:
        shutil.copytree(demo.folder, made.folder, dirs_exist_ok=True)
        yield made


@pytest.fixture(scope="module")
def url(filled: Shop) -> Iterator[str]:
    with filled.serve(AUTOFUL_RATE_LIMITS="off") as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(params=[(width, scheme) for width in WIDTHS for scheme in SCHEMES], ids="-".join)
def every_desk(request: Any, chromium: Any, url: str) -> Iterator[Desk]:
    """The boss at each width, in light and in dark."""
    width, scheme = request.param
    with desk(chromium, url, width=width, scheme=scheme) as one:
        one.sign_in(BOSS, PASSWORD)
        yield one
        assert one.faults == []


@pytest.fixture
def at_desk(chromium: Any, url: str) -> Iterator[Desk]:
    with desk(chromium, url) as one:
        one.sign_in(BOSS, PASSWORD)
        yield one
        assert one.faults == []


@pytest.fixture
def pending(filled: Shop) -> int:
    """A ticket that nobody has begun, newer than all others."""
    code = (
        "from tickets.models import ServiceTicket as T; from tickets.lifecycle import open_ticket;"
        "from autoful.actor import COMMAND; import datetime;"
        "t = T.objects.filter(status='pending').latest('pk');"
        "n = open_ticket(customer_id=t.customer_id, vin=t.vin, service_desc='Check the brakes',"
        " service_date=datetime.date.today(), actor=COMMAND);"
        "answer = n.pk"
    )
    return int(filled.ask(code))
