"""A person of the back office in front of a real browser, who notices what goes wrong in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from autoful.testing.servers import program

WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
SERIOUS = {"serious", "critical"}


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            # Without its sandbox, which root has none of; it only sees our own pages.
            executable_path=program("chromium"),
            args=["--no-sandbox"],
        )
        try:
            yield chromium
        finally:
            chromium.close()


class Desk:
    """A page of the browser, signed in. `faults` are what it complained about, in words."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.faults: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", self._asked)
        page.on("dialog", self._dialog)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.faults.append(f"{self.page.url}: asks {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"{self.page.url}: a dialog says {dialog.message}")
        dialog.dismiss()

    def sign_in(self, email: str, password: str) -> None:
        self.open("/admin/login/")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(f"{self.url}/admin/")
        self.settle()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")
        self.settle()

    def settle(self) -> None:
        """Until its scripts have begun."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_function("!document.querySelector('[x-cloak]')")

    def too_wide(self) -> int:
        """By how many pixels the page is wider than the window: nobody scrolls a form sideways."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))

    def barriers(self, within: str) -> list[str]:
        """What stands in the way of whoever does not see or use a mouse, by axe's rules, serious ones
        only; in that part of the page."""
        found = Axe().run(self.page, context=within).response["violations"]
        return [
            f"{self.page.url}: {rule['id']}: {node['html'][:160]}"
            for rule in found
            if rule["impact"] in SERIOUS
            for node in rule["nodes"]
        ]


@contextmanager
def desk(
    chromium: Browser, url: str, *, width: str = "desk", scheme: str = "light"
) -> Iterator[Desk]:
    wide, high = WIDTHS[width]
    context = chromium.new_context(
        viewport={"width": wide, "height": high},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    try:
        yield Desk(context.new_page(), url)
    finally:
        context.close()


def pick(page: Page, name: str, text: str, shown: str) -> str:
    """Find a row in the box of that name by typing; how it is shown there."""
    page.locator(f"[name={name}] + .select2 .select2-selection").click()
    page.keyboard.type(text, delay=10)
    choice = page.locator(".select2-results__option", has_text=shown).first
    expect(choice).to_be_visible()
    said = choice.inner_text()
    choice.click()
    return said
