"""What is done all day to tickets that are open, and in the parts room."""

import re
from pathlib import Path

from playwright.sync_api import expect

from autoful.testing.shops import Shop
from tests.browser.desk import Desk, pick


def test_parts_are_added_with_the_stock_in_sight(at_desk: Desk, pending: int) -> None:
    page = at_desk.page
    at_desk.open(f"/admin/tickets/serviceticket/{pending}/change/")
    page.get_by_role("link", name="Add another Part").click()
    said = pick(page, "part_lines-0-part", "brake pad set, front", "Brake pad set, front (")
    stock = int(re.search(r"(\d+) in stock", said)[1])  # type: ignore[index]
    page.fill("[name=part_lines-0-quantity_used]", str(stock + 1))
    page.get_by_role("button", name="Save and continue").click()
    # Refused in the verb's words, and what was typed is still there.
    table = page.locator("#part_lines-group")
    expect(table.get_by_text(re.compile("Not enough stock"))).to_be_visible()
    page.fill("[name=part_lines-0-quantity_used]", "2")
    page.get_by_role("button", name="Save and continue").click()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text(f"added 2 × Brake pad set, front, stock {stock - 2}")  # noqa: RUF001
    # One was too many.
    page.fill("[name=part_lines-0-quantity_used]", "1")
    page.get_by_role("button", name="Save and continue").click()
    expect(timeline).to_contain_text(f"took off 1 × Brake pad set, front, stock {stock - 1}")  # noqa: RUF001


def test_a_completed_ticket_with_parts_is_corrected_and_comes_back(
    at_desk: Desk, filled: Shop
) -> None:
    completed = filled.ask(
        "from tickets.models import ServiceTicket as T;"
        "answer = T.objects.filter(status='completed', part_lines__isnull=False).last().pk"
    )
    page = at_desk.page
    at_desk.open(f"/admin/tickets/serviceticket/{completed}/change/")
    page.fill("[name=notes]", "Paid in cash")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert page.input_value("[name=notes]") == "Paid in cash"
    page.get_by_role("button", name="Reopen (comeback)").click()
    page.fill("[name=reason]", "Still squeaks")
    page.get_by_role("button", name="Reopen (comeback)").click()
    expect(page.get_by_role("heading", name="is in progress")).to_be_visible()


def test_enter_saves_and_moves_nothing(at_desk: Desk, pending: int) -> None:
    page = at_desk.page
    at_desk.open(f"/admin/tickets/serviceticket/{pending}/change/")
    page.fill("[name=mileage]", "70001")
    page.press("[name=mileage]", "Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.get_by_role("heading", name=f"#{pending} is pending")).to_be_visible()


def test_the_next_status_is_a_button_and_cancelling_asks_first(at_desk: Desk, pending: int) -> None:
    page = at_desk.page
    url = f"/admin/tickets/serviceticket/{pending}/change/"
    at_desk.open(url)
    page.get_by_role("button", name="Start work").click()
    expect(page.get_by_text("is in progress.")).to_be_visible()
    page.get_by_role("button", name="Cancel ticket").click()
    expect(page.get_by_text("This cannot be undone")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("button", name="Complete")).to_be_visible()
    page.get_by_role("button", name="Cancel ticket").click()
    page.get_by_role("button", name=re.compile("Yes, cancel")).click()
    expect(page.get_by_text("is cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Complete")).to_have_count(0)


def test_a_delivery_is_booked_and_the_ledger_says_so(at_desk: Desk) -> None:
    page = at_desk.page
    at_desk.open("/admin/inventory/part/1/change/")
    page.get_by_role("link", name="Receive delivery").click()
    page.fill("[name=quantity]", "7")
    page.fill("[name=note]", "Delivery note 42")
    page.get_by_role("button", name="Book into stock").click()
    expect(page.get_by_text(re.compile(r"7 received; \d+ in stock"))).to_be_visible()
    expect(page.get_by_text("Delivery note 42").first).to_be_visible()


def test_a_delivery_of_two_parts_is_booked_on_one_page(at_desk: Desk, filled: Shop) -> None:
    page = at_desk.page
    at_desk.open("/admin/inventory/part/")
    page.get_by_role("link", name="Receive delivery").click()
    page.fill("[name=note]", "Delivery note 43")
    for row, name in enumerate(("Brake pad set, front", "Cabin air filter")):
        pick(page, f"rows-{row}-part", name.lower(), f"{name} (")
    page.fill("[name=rows-0-quantity]", "4")
    page.get_by_role("button", name="Book into stock").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.fill("[name=rows-1-quantity]", "6")
    # So far apart that the first has been sent.
    twice = "button => { button.click(); setTimeout(() => button.click(), 40); }"
    page.get_by_role("button", name="Book into stock").evaluate(twice)
    expect(page.get_by_text("Booked into stock: 10 pieces of 2 parts.")).to_be_visible()
    booked = filled.ask(
        "from inventory.models import StockMovement as M;"
        "answer = M.objects.filter(note='Delivery note 43').count()"
    )
    assert booked == 2, "the second of the two clicks booked it again"


def test_two_at_one_ticket_the_second_is_told(at_desk: Desk, filled: Shop, pending: int) -> None:
    page = at_desk.page
    at_desk.open(f"/admin/tickets/serviceticket/{pending}/change/")
    page.fill("[name=service_desc]", "Mine")
    filled.ask(
        "from tickets.models import ServiceTicket as T; from tickets.lifecycle import edit_ticket;"
        "from autoful.actor import COMMAND;"
        f"edit_ticket(ticket=T(pk={pending}), fields={{'service_desc': 'Theirs'}}, actor=COMMAND);"
        "answer = None"
    )
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("Somebody else has changed this to “Theirs”")).to_be_visible()
    assert page.input_value("[name=service_desc]") == "Mine"
    said = filled.ask(
        "from tickets.models import ServiceTicket as T;"
        f"answer = T.objects.get(pk={pending}).service_desc"
    )
    assert said == "Theirs"
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert page.input_value("[name=service_desc]") == "Mine"


def test_the_order_sheet_prints_and_downloads(at_desk: Desk) -> None:
    page = at_desk.page
    at_desk.open("/admin/inventory/part/")
    page.get_by_role("link", name="Order sheet").click()
    expect(page.get_by_role("heading", name="Order sheet")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert re.fullmatch(r"order-sheet-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    assert page.locator("tbody tr").count() > 0


def test_a_file_is_seen_before_it_is_in(at_desk: Desk, filled: Shop, tmp_path: Path) -> None:
    page = at_desk.page
    known, stock = filled.ask(
        "from inventory.models import Part as P;"
        "answer = P.objects.exclude(part_number=None).values_list('part_number', 'quantity_in_stock')[0]"
    )
    at_desk.open("/admin/inventory/part/")
    page.get_by_role("link", name="Import a file").click()
    file = tmp_path / "parts.csv"
    file.write_text(
        f"Part number,Name,Price,Counted\n{known},Renamed,7.50,{stock}\nNEW-1,Lamp,x,\n"
    )
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("“x” is not a number")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    assert at_desk.barriers("#content") == []
    page.get_by_role("link", name="Import parts").click()
    file.write_text(
        f"Part number,Name,Price,Counted\n{known},Renamed,7.50,{stock}\nNEW-1,Lamp,9,\n"
    )
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("→ Renamed")).to_be_visible()
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("It is in.")).to_be_visible()
    page.get_by_role("link", name="See the parts").click()
    page.wait_for_url("**/admin/inventory/part/")
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename.startswith("parts-")
