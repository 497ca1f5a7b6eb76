"""What the counter does with whoever comes in or calls, with the keyboard and the mouse."""

import re

import pytest
from playwright.sync_api import expect

from autoful.testing.shops import Shop
from tests.browser.desk import Desk, pick


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
