"""What the front desk and the parts room do all day, with the keyboard and the mouse."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from autoful.testing.shops import Shop
from tests.browser.desk import Desk


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


def test_a_walk_in_by_keyboard_alone(at_desk: Desk) -> None:
    page, press = at_desk.page, at_desk.page.keyboard.press
    at_desk.open("/admin/tickets/serviceticket/walk-in/")
    expect(page.locator("[name=name]")).to_be_focused()
    for text in ("Wanda Walker", "+1 555 771 1221", "", "1M8GDM9AXKP042788", "QX-771"):
        page.keyboard.type(text)
        press("Tab")
    page.keyboard.type("Front brakes grind")
    for _ in range(4):  # notes, mileage, date, and the button
        press("Tab")
    while page.evaluate("document.activeElement.type") != "submit":
        press("Tab")
    press("Enter")
    expect(page.get_by_text("is open for Wanda Walker.")).to_be_visible()
    assert re.search(r"/serviceticket/\d+/change/$", page.url)
    expect(page.get_by_text("QX-771")).to_be_visible()


def test_whoever_is_known_by_the_phone_is_offered(at_desk: Desk, filled: Shop) -> None:
    code = "from customers.models import Customer as C;"
    code += " c = C.objects.existing().exclude(phone='')[0]; answer = [c.name, c.phone]"
    name, phone = filled.ask(code)
    at_desk.open("/admin/tickets/serviceticket/walk-in/")
    page = at_desk.page
    for field, text in {
        "name": "Somebody",
        "phone": phone,
        "vin": "1M8GDM9AXKP042788",
        "service_desc": "Noise",
        "model": "Camry SE",
    }.items():
        page.fill(f"[name={field}]", text)
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_text("who is here already").first).to_be_visible()
    page.press("[name=plate]", "Enter")  # which picks nobody
    expect(page.get_by_text("who is here already").first).to_be_visible()
    page.get_by_role("button", name=f"It is {name}").click()
    expect(page.get_by_text(f"is open for {name}")).to_be_visible()
    expect(page.get_by_text("Camry SE").first).to_be_visible()


def test_one_box_finds_a_car_by_its_last_six(at_desk: Desk, filled: Shop) -> None:
    vin = filled.ask("from customers.models import Vehicle as V; answer = V.objects.first().vin")
    page = at_desk.page
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type(vin[-6:], delay=20)
    found = page.locator("#command-results-list a").first
    expect(found).to_contain_text(vin)
    found.click()
    page.wait_for_url("**/admin/customers/vehicle/*/change/")
    assert page.input_value("[name=vin]") == vin


def test_what_is_pasted_into_the_box_is_looked_for(at_desk: Desk, filled: Shop) -> None:
    name = filled.ask("from customers.models import Customer as C; answer = C.objects.first().name")
    page = at_desk.page
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.insert_text(name)  # as a paste does: text, and no key
    expect(page.locator("#command-results-list a").first).to_contain_text(name)


def pick(page: Page, name: str, text: str, shown: str) -> str:
    """Find a row in the box of that name by typing; how it is shown there."""
    page.locator(f"[name={name}] + .select2 .select2-selection").click()
    page.keyboard.type(text, delay=10)
    choice = page.locator(".select2-results__option", has_text=shown).first
    expect(choice).to_be_visible()
    said = choice.inner_text()
    choice.click()
    return said


@pytest.fixture
def car(filled: Shop) -> tuple[str, str, int]:
    """The VIN of a vehicle, its owner's name and number; nothing is waiting to be done for them."""
    code = "from customers.models import Vehicle as V;"
    code += " v = V.objects.exclude(customer=None).select_related('customer');"
    code += " v = v.exclude(customer__service_tickets__status='pending')[3];"
    vin, name, number = filled.ask(f"{code} answer = [v.vin, v.customer.name, v.customer_id]")
    return vin, name, number


def test_a_ticket_for_a_car_that_is_known_by_its_owner(
    at_desk: Desk, car: tuple[str, str, int]
) -> None:
    vin, owner, _ = car
    page = at_desk.page
    at_desk.open("/admin/")
    page.get_by_role("link", name="New ticket").click()
    pick(page, "vehicle", owner, vin)
    page.fill("[name=service_desc]", "Squeals when it is cold")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="is pending")).to_be_visible()
    expect(page.get_by_role("link", name=owner, exact=True)).to_be_visible()
    assert page.input_value("[name=vin]") == vin


def test_a_ticket_is_begun_on_the_customers_page(
    at_desk: Desk, filled: Shop, car: tuple[str, str, int]
) -> None:
    vin, owner, number = car
    page = at_desk.page
    at_desk.open(f"/admin/customers/customer/{number}/change/")
    offered = page.get_by_role("link", name=re.compile("^New ticket: [0-9]{4} "))
    expect(offered.first).to_be_visible()
    vehicle = filled.ask(
        f"from customers.models import Vehicle as V; answer = V.objects.get(vin={vin!r}).pk"
    )
    page.locator(f"a[href*='add/?vehicle={vehicle}&']").click()
    expect(page.locator("[name=vehicle] option[selected]")).to_contain_text(vin)
    expect(page.locator("[name=customer] option[selected]")).to_contain_text(owner)


def test_another_customers_car_is_asked_about(
    at_desk: Desk, pending: int, car: tuple[str, str, int]
) -> None:
    vin, owner, _ = car
    page = at_desk.page
    at_desk.open(f"/admin/tickets/serviceticket/{pending}/change/")
    expect(page.get_by_label("It is this vehicle")).to_have_count(0)
    page.fill("[name=vin]", vin)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text(f"of {owner}. If the ticket is for that one")).to_be_visible()
    page.get_by_label("It is this vehicle").check()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("link", name=re.compile(vin)).first).to_be_visible()
    expect(page.get_by_label("It is this vehicle")).to_have_count(0)


def test_a_mistyped_vin_is_asked_about_and_corrected_with_its_car(at_desk: Desk) -> None:
    page, mistyped, right = at_desk.page, "1HGCM82633A004353", "1HGCM82633A004352"
    at_desk.open("/admin/tickets/serviceticket/walk-in/")
    page.fill("[name=name]", "Quentin Marsh")
    page.fill("[name=plate]", "QM-4711")
    page.fill("[name=service_desc]", "Brakes grind")
    page.fill("[name=vin]", mistyped)
    page.keyboard.press("Enter")
    expect(page.get_by_text("check digit does not match")).to_be_visible()
    expect(page.locator("[name=vin]")).to_be_focused()
    page.get_by_label("The VIN is right").check()
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_role("link", name=re.compile(mistyped)).first).to_be_visible()
    page.fill("[name=vin]", right)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_label("The same car, whose VIN was mistyped").check()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("link", name=re.compile(right)).first).to_be_visible()
    expect(page.get_by_text("QM-4711", exact=True)).to_be_visible()


def test_nothing_found_is_not_said_of_what_is_typed_next(at_desk: Desk) -> None:
    page = at_desk.page
    at_desk.open("/admin/")
    page.keyboard.press("Control+k")
    page.keyboard.type("qqqqqq", delay=10)
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.keyboard.type("x")
    expect(page.get_by_text("Nothing found.")).to_have_count(0, timeout=300)


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
