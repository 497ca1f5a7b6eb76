"""Every page of the back office at a desk and on a phone, in light and in dark."""

from typing import Any

import pytest

from autoful.testing.shops import Shop
from tests.browser.desk import Desk

TICKET = "/admin/tickets/serviceticket/{ticket}/change/"
PAGES = [
    "/admin/",
    "/admin/tickets/serviceticket/",
    "/admin/tickets/serviceticket/add/",
    "/admin/tickets/serviceticket/walk-in/",
    TICKET,
    "/admin/tickets/serviceticket/{ticket}/move/cancelled/",
    "/admin/tickets/serviceticket/{ticket}/history/",
    "/admin/customers/customer/",
    "/admin/customers/customer/1/change/",
    "/admin/customers/vehicle/",
    "/admin/customers/vehicle/1/change/",
    "/admin/inventory/part/",
    "/admin/inventory/part/1/change/",
    "/admin/inventory/part/1/receive/",
    "/admin/inventory/part/delivery/",
    "/admin/inventory/part/order-sheet/",
    "/admin/inventory/part/import/",
    "/admin/tickets/serviceticket/import/",
    "/admin/inventory/stockmovement/",
    "/admin/mechanics/mechanic/",
    "/admin/accounts/user/",
    "/admin/auditlog/logentry/",
    "/api/docs/",
]
# What we wrote ourselves on a page of unfold's; a whole page, where it is all ours.
OURS = {
    "/admin/": "#content-main, #content, main",
    "/admin/tickets/serviceticket/add/": "#content",
    "/admin/tickets/serviceticket/walk-in/": "#content form",
    TICKET: "#content",
    "/admin/customers/customer/1/change/": "#content",
    "/admin/tickets/serviceticket/{ticket}/move/cancelled/": "#content form",
    "/admin/inventory/part/delivery/": "#content form",
    "/admin/inventory/part/order-sheet/": "html",
    "/admin/inventory/part/import/": "#content",
    "/admin/tickets/serviceticket/import/": "#content",
}
# Swagger's own page is as wide as it likes; Redoc's asks its maker for a logo, which is stopped.
THEIRS = ("/api/docs/",)


@pytest.fixture(scope="module")
def ticket(filled: Shop) -> int:
    """One that is worked on."""
    code = "from tickets.models import ServiceTicket as T;"
    code += " answer = T.objects.filter(status='in_progress').latest('pk').pk"
    return int(filled.ask(code))


def test_every_page_is_sound(every_desk: Desk, ticket: int) -> None:
    wide: dict[str, int] = {}
    for path in PAGES:
        every_desk.open(path.format(ticket=ticket))
        if path not in THEIRS and (pixels := every_desk.too_wide()) > 0:
            wide[path] = pixels
        if within := OURS.get(path):
            assert every_desk.barriers(within) == []
    assert wide == {}


def test_a_new_shop_is_led_by_the_hand(chromium: Any, tmp_path: Any) -> None:
    from autoful.testing.shops import shop
    from tests.browser.desk import desk

    with shop(tmp_path) as empty:
        empty.ask(
            "from autoful.accounts.models import User;"
            "User.objects.create_superuser('a@example.com', 'correct horse'); answer = None"
        )
        with empty.serve(AUTOFUL_RATE_LIMITS="off") as url, desk(chromium, url) as boss:
            boss.sign_in("a@example.com", "correct horse")
            for step in ("Enter your mechanics", "Enter your parts", "Open your first ticket"):
                assert boss.page.get_by_role("link", name=step).is_visible()
            assert boss.barriers("#content") == []
            assert boss.faults == []
