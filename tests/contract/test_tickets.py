"""/service_tickets: opening, reading, changing, deleting."""

import re
from typing import Any

import pytest

from autoful.testing.http import Caller
from tests.contract.world import Person, World

READS = {
    "id",
    "VIN",
    "service_date",
    "service_desc",
    "status",
    "customer_id",
    "customer",
    "mechanics",
    "service_inventories",
    "created_at",
    "updated_at",
}
PUBLIC = {"id", "VIN", "service_date", "service_desc", "status", "mechanics", "service_inventories"}
VIN = "1HGCM82633A004352"


@pytest.fixture(scope="module")
def brakes(world: World, mike: Person, lisa: Person, sarah: Person) -> dict[str, Any]:
    """Sarah's ticket, with Mike and Lisa on it and two pads used."""
    ticket = world.ticket(mike, sarah.id, notes="Talks a lot")
    part = world.part(mike, part_name="Quiet Pads", price=45.99, cost=20.5)
    world.line(mike, ticket["id"], part["id"], 2)
    team = {"mechanic_ids": [mike.id, lisa.id]}
    assert mike.put(f"/service_tickets/{ticket['id']}/edit-mechanics", team).status == 200
    return ticket | {"part": part}


def test_opening(mike: Person, sarah: Person) -> None:
    sent = {
        "customer_id": sarah.id,
        "VIN": VIN.lower(),
        "service_desc": "Front brakes grind",
        "service_date": "2025-03-14",
    }
    answer = mike.post("/service_tickets/", sent)

    assert answer.status == 201
    assert set(answer.body) >= READS
    expected = sent | {"VIN": VIN, "status": "pending", "mechanics": [], "service_inventories": []}
    assert {name: answer.body[name] for name in expected} == expected
    assert answer.body["customer"] == {
        "id": sarah.id,
        "name": "Sarah Johnson",
        "email": "sarah@example.com",
        "phone": "+1 555 010 2030",
    }
    shown = mike.get(f"/service_tickets/{answer.body['id']}").body
    assert {name: shown[name] for name in READS} == {name: answer.body[name] for name in READS}


@pytest.mark.parametrize("field", ["customer_id", "VIN", "service_desc", "service_date"])
def test_opening_without_a_field(mike: Person, sarah: Person, field: str) -> None:
    whole = {"customer_id": sarah.id, "VIN": VIN, "service_desc": "x", "service_date": "2025-01-01"}
    answer = mike.post("/service_tickets/", {k: v for k, v in whole.items() if k != field})
    assert answer.status == 400
    assert answer.body["code"] == "invalid"
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("VIN", "1HGCM82633"),
        ("VIN", "1HGCM82633A0043521"),
        ("VIN", "1HGCM82633A00435I"),
        ("VIN", "1HGCM82633A00435O"),
        ("VIN", "1HGCM82633A00435Q"),
        ("VIN", "1HGCM82633A-04352"),
        ("VIN", "1HGCM82633\n"),
        ("VIN", 12345678901),
        ("service_date", "14.03.2025"),
        ("service_date", "2025-02-30"),
        ("service_date", "2025-03-14T10:00:00Z"),
        ("service_desc", ""),
        ("customer_id", "one"),
        ("customer_id", -1),
        ("customer_id", 1.5),
        ("customer_id", 10**30),
    ],
)
def test_opening_with_a_bad_field(mike: Person, sarah: Person, field: str, value: Any) -> None:
    whole = {"customer_id": sarah.id, "VIN": VIN, "service_desc": "x", "service_date": "2025-01-01"}
    answer = mike.post("/service_tickets/", whole | {field: value})
    assert answer.status == 400
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize("vin", ["1HGCM826X3A", "1M8GDM9AXKP042788", "wdb2030461a"])
def test_a_vin_has_11_to_17_letters_and_digits(
    world: World, mike: Person, sarah: Person, vin: str
) -> None:
    assert world.ticket(mike, sarah.id, VIN=vin)["VIN"] == vin.upper()


def test_a_wrong_check_digit_is_reported_and_not_refused(
    world: World, mike: Person, sarah: Person
) -> None:
    wrong = world.ticket(mike, sarah.id, VIN="1HGCM82643A004352")
    right = world.ticket(mike, sarah.id, VIN=VIN)
    assert wrong["VIN"] == "1HGCM82643A004352"
    assert "check digit" in str(wrong)
    assert "check digit" not in str(right)


def test_opening_for_a_customer_who_is_not_there(mike: Person) -> None:
    sent = {"customer_id": 999999, "VIN": VIN, "service_desc": "x", "service_date": "2025-01-01"}
    answer = mike.post("/service_tickets/", sent)
    assert answer.status in (400, 404)
    assert "Customer not found." in answer.text


def test_what_nobody_may_set_is_not_set(world: World, mike: Person, sarah: Person) -> None:
    extra = {
        "id": 1,
        "created_at": "2020-01-01T00:00:00Z",
        "mechanics": [mike.id],
        "service_inventories": [{"inventory_id": 1, "quantity_used": 1}],
        "completed_at": "2020-01-01T00:00:00Z",
        "version": 99,
    }
    made = world.ticket(mike, sarah.id, status="completed", **extra)
    changed = mike.patch(f"/service_tickets/{made['id']}", {"service_desc": "y"} | extra)
    assert changed.status in (200, 400)
    shown = mike.get(f"/service_tickets/{made['id']}")
    assert shown.body["status"] == "pending"
    assert (shown.body["mechanics"], shown.body["service_inventories"]) == ([], [])
    assert "2020-01-01" not in shown.text


def test_everything_for_those_it_concerns(
    brakes: dict[str, Any], sarah: Person, mike: Person, lisa: Person, boss: Caller
) -> None:
    part = brakes["part"]
    for caller in (sarah, mike, lisa, boss):
        shown = caller.get(f"/service_tickets/{brakes['id']}").body
        assert set(shown) >= READS
        assert shown["VIN"] == VIN
        assert set(shown["customer"]) == {"id", "name", "email", "phone"}
        assert shown["customer"]["email"] == "sarah@example.com"
        assert [set(one) for one in shown["mechanics"]] == [{"id", "name", "email", "phone"}] * 2
        assert [one["name"] for one in shown["mechanics"]] == ["Mike Chen", "Lisa Ray"]
        (line,) = shown["service_inventories"]
        assert line == {
            "id": line["id"],
            "service_ticket_id": brakes["id"],
            "inventory_id": part["id"],
            "quantity_used": 2,
            "unit_price": 45.99,
            "inventory": {
                "id": part["id"],
                "part_name": "Quiet Pads",
                "price": 45.99,
                "quantity_in_stock": 48,
            },
        }


def test_the_shops_notes_and_costs_are_not_the_customers(
    brakes: dict[str, Any], sarah: Person
) -> None:
    for path in (f"/service_tickets/{brakes['id']}", "/service_tickets/?per_page=100"):
        answer = sarah.get(path)
        assert "Talks a lot" not in answer.text
        assert "cost" not in answer.text
    assert set(sarah.get(f"/service_tickets/{brakes['id']}").body) == READS


def test_the_public_view(
    brakes: dict[str, Any], nobody: Caller, tom: Person, clerk: Caller, keeper: Caller
) -> None:
    for caller in (nobody, tom, clerk, keeper):
        one = caller.get(f"/service_tickets/{brakes['id']}")
        rows = caller.get("/service_tickets/?per_page=100").body["service_tickets"]
        (row,) = [row for row in rows if row["id"] == brakes["id"]]
        for shown in (one.body, row):
            assert set(shown) == PUBLIC
            assert re.fullmatch(r"\*+004352", shown["VIN"])
            assert shown["service_date"] == "2025-03-14"
            assert shown["service_desc"] == "Front brakes grind"
            assert "Mike" in str(shown["mechanics"])
            assert "Lisa" in str(shown["mechanics"])
            assert "Quiet Pads" in str(shown["service_inventories"])
            assert "2" in str(shown["service_inventories"])
            private = ("Chen", "Ray", "Sarah", "@", "+1", "1HGCM", "price", "45.99", "customer")
            for word in (*private, "Talks a lot"):
                assert word not in str(shown), word


def test_each_sees_their_own_in_the_list(
    world: World, brakes: dict[str, Any], sarah: Person, tom: Person, mike: Person
) -> None:
    toms = world.ticket(mike, tom.id)["id"]
    for caller, own, other in ((sarah, brakes["id"], toms), (tom, toms, brakes["id"])):
        listed = caller.get("/service_tickets/?per_page=100").body["service_tickets"]
        rows = {row["id"]: row for row in listed}
        assert rows[own]["VIN"] == VIN
        assert set(rows[other]) == PUBLIC
    listed = mike.get("/service_tickets/?per_page=100").body["service_tickets"]
    rows = {row["id"]: row for row in listed}
    assert set(rows[toms]) >= READS
    assert set(rows[brakes["id"]]) >= READS


def test_changing_any_subset(world: World, mike: Person, sarah: Person) -> None:
    ticket = world.ticket(mike, sarah.id)["id"]
    for change in (
        {"service_desc": "Rear brakes grind"},
        {"service_date": "2025-04-01"},
        {"VIN": "1M8GDM9AXKP042788"},
        {"status": "in_progress"},
    ):
        answer = mike.patch(f"/service_tickets/{ticket}", change)
        assert answer.status == 200
        assert {name: answer.body[name] for name in change} == change
    shown = mike.get(f"/service_tickets/{ticket}").body
    assert (shown["service_desc"], shown["service_date"], shown["VIN"], shown["status"]) == (
        "Rear brakes grind",
        "2025-04-01",
        "1M8GDM9AXKP042788",
        "in_progress",
    )


def test_a_bad_change_changes_nothing(world: World, mike: Person, sarah: Person) -> None:
    ticket = world.ticket(mike, sarah.id)["id"]
    before = mike.get(f"/service_tickets/{ticket}").body
    for change in ({"VIN": "short"}, {"service_date": "soon"}, {"status": "painted"}):
        answer = mike.patch(f"/service_tickets/{ticket}", {"service_desc": "Half"} | change)
        assert answer.status == 400
        assert set(answer.body["fields"]) == set(change)
    illegal = mike.patch(f"/service_tickets/{ticket}", {"service_desc": "H", "status": "completed"})
    assert illegal.status == 400
    assert mike.get(f"/service_tickets/{ticket}").body == before


def test_deleting_puts_the_parts_back(world: World, mike: Person, sarah: Person) -> None:
    ticket, part = world.ticket(mike, sarah.id)["id"], world.part(mike)["id"]
    world.line(mike, ticket, part, 7)
    assert mike.get(f"/inventory/{part}").body["quantity_in_stock"] == 43

    answer = mike.delete(f"/service_tickets/{ticket}")

    assert answer.status == 200
    assert answer.body == {"message": "Service Ticket deleted successfully"}
    assert mike.get(f"/inventory/{part}").body["quantity_in_stock"] == 50
    assert mike.get(f"/service_tickets/{ticket}").status == 404
    assert [row[0] for row in world.ledger(part)] == [50, -7, 7]


def test_one_that_is_not_there(mike: Person, lisa: Person) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"service_desc": "x"}),
        ("DELETE", "", None),
        ("PUT", f"/assign-mechanic/{lisa.id}", None),
        ("PUT", f"/remove-mechanic/{lisa.id}", None),
        ("PUT", "/edit-mechanics", {"mechanic_ids": [lisa.id]}),
        ("POST", "/add-inventory", {"inventory_id": 1, "quantity_used": 1}),
        ("PUT", "/remove-inventory/1", None),
    ):
        answer = mike.call(method, f"/service_tickets/999999{path}", body)
        assert (answer.status, answer.body["message"]) == (404, "Service Ticket not found."), path
