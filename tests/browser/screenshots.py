"""The README's pictures: `make screenshots`. Of the demo shop, which is the same at the same moment."""

import os
import sys
import tempfile
from pathlib import Path

import django

from autoful.testing.shops import ROOT, shop
from tests.browser.desk import Desk, browser, desk

FILLED = "from embedded.demo import fill; fill(progress=lambda *done: None); answer = None"
AT_WORK = (
    "from tickets.models import ServiceTicket as T;"
    " answer = T.objects.filter(status='in_progress', part_lines__gt=0).latest('pk').pk"
)
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")
    django.setup()
    from embedded.demo import DEMO_PASSWORD, OWNER

    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder)) as made, browser() as chromium:
        made.ask(FILLED)
        ticket = f"/admin/tickets/serviceticket/{made.ask(AT_WORK)}/change/"
        with made.serve(AUTOFUL_RATE_LIMITS="off") as url:
            with desk(chromium, url) as light:
                light.sign_in(OWNER.email, DEMO_PASSWORD)
                _shoot(light, "/admin/", "today.png")
                _shoot(light, ticket, "ticket.png")
            with desk(chromium, url, width="phone", scheme="dark") as dark:
                dark.sign_in(OWNER.email, DEMO_PASSWORD)
                _shoot(dark, "/admin/", "today-on-a-phone.png")


def _shoot(at: Desk, path: str, name: str) -> None:
    at.open(path)
    at.page.wait_for_timeout(500)  # charts are drawn, fonts are there
    at.page.screenshot(path=IMAGES / name)
    sys.stdout.write(f"docs/images/{name}\n")


if __name__ == "__main__":
    main()
