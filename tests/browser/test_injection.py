"""Scripts that somebody types into every field there is: text on every page, and no more."""

import csv
import json
from pathlib import Path

from playwright.sync_api import expect

from autoful.testing.shops import Shop
from tests.browser.desk import Desk

RUN = "window.ran=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror={RUN}>',
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<body onload={RUN}>",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<div x-data x-init='{RUN}'>",
    f"<div x-html=\"'{RUN}'\">",
    f"<b hx-on::load='{RUN}'>",
    f"{{{{ constructor.constructor('{RUN}')() }}}}",
    f"</textarea><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
]

# Past the verbs, which refuse some of it: what once got in must not run either.
PLANTED = """
import csv
import json
from pathlib import Path
from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from mechanics.models import Mechanic
from tickets.models import ServiceTicket, StatusChange
from auditlog.models import LogEntry
payloads = json.loads({payloads!r})
def plant(model, *fields):
    rows = list(model._base_manager.order_by("-pk")[:len(payloads)])
    for row, payload in zip(rows, payloads):
        cut = {{f: payload[:model._meta.get_field(f).max_length or 2000] for f in fields}}
        model._base_manager.filter(pk=row.pk).update(**cut)
    return [row.pk for row in rows]
answer = {{
    "customers/customer": plant(Customer, "name", "email", "phone"),
    "customers/vehicle": plant(Vehicle, "make", "model", "plate", "colour"),
    "inventory/part": plant(Part, "part_name", "category", "location"),
    "mechanics/mechanic": plant(Mechanic, "name", "phone"),
    "tickets/serviceticket": plant(ServiceTicket, "service_desc", "notes"),
    "tickets/statuschange": plant(StatusChange, "reason"),
    "inventory/stockmovement": plant(StockMovement, "note", "reference"),
    "auditlog/logentry": plant(LogEntry, "object_repr"),
}}
"""


def test_what_is_typed_stays_text_everywhere(at_desk: Desk, filled: Shop) -> None:
    assert len(PAYLOADS) == 20
    planted = filled.ask(PLANTED.format(payloads=json.dumps(PAYLOADS)))
    pages = ["/admin/", "/admin/inventory/part/order-sheet/"]
    for kind, rows in planted.items():
        pages.append(f"/admin/{kind}/")
        # The page of each row of those that are typed in; of the others a few.
        typed = kind in ("customers/customer", "inventory/part", "tickets/serviceticket")
        pages += [f"/admin/{kind}/{row}/change/" for row in rows[: 20 if typed else 3]]
    pages += [f"/admin/tickets/serviceticket/{planted['tickets/serviceticket'][0]}/history/"]
    for path in pages:
        at_desk.page.goto(f"{at_desk.url}{path}", wait_until="load")
        assert not at_desk.page.evaluate("window.ran"), path
    said = at_desk.page.goto(f"{at_desk.url}/admin/customers/customer/")
    assert said is not None and "&lt;script&gt;" in said.text()
    at_desk.settle()
    page = at_desk.page
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("script", delay=20)
    page.locator("#command-results-list a").first.wait_for()
    assert not page.evaluate("window.ran")


def test_what_stands_in_a_file_stays_text(at_desk: Desk, tmp_path: Path) -> None:
    """Its name, its headings, its cells, and what is said of them."""
    page = at_desk.page
    file = tmp_path / f"{PAYLOADS[4].replace('/', '')}.csv"
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["Name", "Category", "Price", *PAYLOADS])
        for price in ("1", "<b>"):  # one that comes in, and one that is refused
            writer.writerows([payload[:60], payload[:60], price] for payload in PAYLOADS)
    at_desk.open("/admin/inventory/part/import/")
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("some of its rows are refused")).to_be_visible()
    assert not page.evaluate("window.ran")
    expect(page.get_by_text("“<b>” is not a number").first).to_be_visible()
    at_desk.open("/admin/inventory/part/import/")
    assert not page.evaluate("window.ran")
    # Among the latest files, and as the one that waits.
    expect(page.get_by_text(file.name)).to_have_count(2)
