"""/inventory: parts, their search, what is low, and the ledger."""

from typing import Any

import pytest

from autoful.testing.http import Caller
from tests.contract.world import Person, World, fresh


def test_entering_a_part(world: World, mike: Person) -> None:
    sent = {
        "part_name": fresh("Brake Pad Set "),
        "price": 45.99,
        "quantity_in_stock": 50,
        "cost": 20.5,
        "part_number": fresh("BP-"),
        "category": "Brakes",
        "reorder_point": 8,
    }
    answer = mike.post("/inventory/", sent)
    assert answer.status == 201
    assert {name: answer.body[name] for name in sent} == sent
    shown = mike.get(f"/inventory/{answer.body['id']}").body
    assert {name: shown[name] for name in sent} == sent
    assert world.ledger(answer.body["id"]) == [[50, 50, "opening"]]


def test_what_is_optional(mike: Person) -> None:
    sent = {"part_name": fresh("Plain "), "price": 0.01, "quantity_in_stock": 0}
    answer = mike.post("/inventory/", sent)
    assert answer.status == 201
    assert answer.body["reorder_point"] == 5
    assert (answer.body["cost"], answer.body["part_number"]) == (None, None)


@pytest.mark.parametrize("field", ["part_name", "price", "quantity_in_stock"])
def test_what_is_not(mike: Person, field: str) -> None:
    whole = {"part_name": fresh("Half "), "price": 1.5, "quantity_in_stock": 1}
    answer = mike.post("/inventory/", {k: v for k, v in whole.items() if k != field})
    assert answer.status == 400
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("part_name", ""),
        ("part_name", "x" * 256),
        ("part_name", 5),
        ("price", 0),
        ("price", 0.004),
        ("price", -1),
        ("price", "free"),
        ("price", None),
        ("price", 1e15),
        ("price", True),
        ("quantity_in_stock", -1),
        ("quantity_in_stock", 1.5),
        ("quantity_in_stock", "some"),
        ("quantity_in_stock", 10**12),
        ("cost", -0.01),
        ("reorder_point", -1),
    ],
)
def test_a_bad_field(mike: Person, world: World, field: str, value: Any) -> None:
    whole = {"part_name": fresh("Bad "), "price": 1.5, "quantity_in_stock": 1}
    entered = mike.post("/inventory/", whole | {field: value})
    part = world.part(mike)
    changed = mike.put(f"/inventory/{part['id']}", {field: value})
    for answer in (entered, changed):
        assert answer.status == 400
        assert set(answer.body["fields"]) == {field}
    assert mike.get(f"/inventory/{part['id']}").body == part


def test_the_bounds(mike: Person) -> None:
    name = fresh("x").ljust(255, "x")
    sent = {"part_name": name, "price": 0.01, "quantity_in_stock": 0}
    assert mike.post("/inventory/", sent).body["part_name"] == name


def test_a_part_number_is_unique(world: World, mike: Person) -> None:
    number = fresh("UN-")
    first = world.part(mike, part_number=number)
    other = world.part(mike)
    sent = {"part_name": "Same", "price": 1.5, "quantity_in_stock": 1, "part_number": number}
    for answer in (
        mike.post("/inventory/", sent),
        mike.put(f"/inventory/{other['id']}", {"part_number": number}),
    ):
        assert answer.status == 400
        assert set(answer.body["fields"]) == {"part_number"}
    same = mike.put(f"/inventory/{first['id']}", {"part_number": number, "price": 2.5})
    assert same.status == 200, "its own number is not taken"
    assert world.part(mike, part_number=number.lower())["part_number"] == number.lower()


def test_cost_is_the_shops_own_business(
    world: World, nobody: Caller, tom: Person, clerk: Caller, mike: Person, boss: Caller
) -> None:
    part = world.part(mike, cost=20.25, part_name=fresh("Costly "))
    listed = f"/inventory/?part_name={part['part_name']}"
    for caller in (nobody, tom, clerk, mike, nobody, boss, tom):
        (row,) = caller.get(listed).body["inventory"]
        one = caller.get(f"/inventory/{part['id']}").body
        for shown in (one, row):
            assert (shown["price"], shown["quantity_in_stock"]) == (45.99, 50)
            if caller in (mike, boss):
                assert shown["cost"] == 20.25
            else:
                assert "cost" not in shown


def test_changing_any_subset(world: World, mike: Person) -> None:
    part = world.part(mike)
    for change in (
        {"price": 47.25},
        {"part_name": fresh("Renamed ")},
        {"cost": 21.0},
        {"category": "Brakes"},
        {"reorder_point": 2},
        {"part_number": fresh("CH-")},
    ):
        answer = mike.put(f"/inventory/{part['id']}", change)
        assert answer.status == 200
        assert {name: answer.body[name] for name in change} == change
    assert world.ledger(part["id"]) == [[50, 50, "opening"]], "no stock moved"


def test_a_new_quantity_is_a_stock_adjustment(world: World, mike: Person) -> None:
    part = world.part(mike)["id"]
    for quantity in (44, 60, 60, 0):
        answer = mike.put(f"/inventory/{part}", {"quantity_in_stock": quantity})
        assert (answer.status, answer.body["quantity_in_stock"]) == (200, quantity)
    assert world.ledger(part) == [
        [50, 50, "opening"],
        [-6, 44, "adjusted"],
        [16, 60, "adjusted"],
        [-60, 0, "adjusted"],
    ]


def test_what_nobody_may_set_is_not_set(world: World, mike: Person) -> None:
    extra = {"id": 1, "version": 99, "created_at": "2020-01-01T00:00:00Z", "movements": []}
    part = world.part(mike, **extra)
    other = world.part(mike)
    changed = mike.put(f"/inventory/{part['id']}", {"id": other["id"], "price": 1.25})
    assert changed.status in (200, 400)
    assert mike.get(f"/inventory/{other['id']}").body == other
    assert "2020-01-01" not in mike.get(f"/inventory/{part['id']}").text


def test_search_whatever_the_case(world: World, mike: Person, nobody: Caller) -> None:
    word = fresh("Zündkerze")
    part = world.part(mike, part_name=f"NGK {word} Kupfer")
    other = world.part(mike)
    for text in (word, word.upper(), word.lower(), f"k {word[:6]}"):
        body = mike.get("/inventory/search", params={"part_name": text}).body
        assert set(body) == {"parts", "pagination"}
        found = [row["id"] for row in body["parts"]]
        assert part["id"] in found, text
        assert other["id"] not in found
    assert mike.get("/inventory/search", params={"part_name": "100%_"}).body["parts"] == []


def test_low_stock(world: World, mike: Person) -> None:
    for quantity, point in ((0, 5), (2, 1), (5, 5), (6, 5), (90, 95)):
        world.part(mike, quantity_in_stock=quantity, reorder_point=point)

    answer = mike.get("/inventory/low-stock?threshold=5&per_page=100").body
    assert set(answer) == {"threshold", "count", "parts", "pagination"}
    quantities = [part["quantity_in_stock"] for part in answer["parts"]]
    assert quantities == sorted(quantities), "emptiest first"
    assert {0, 2, 5} <= set(quantities)
    assert max(quantities) == 5
    assert answer["threshold"] == 5
    assert answer["count"] == answer["pagination"]["total_items"] == len(quantities)

    own = mike.get("/inventory/low-stock?per_page=100").body
    assert own["parts"], "some are low"
    assert all(part["quantity_in_stock"] <= part["reorder_point"] for part in own["parts"])
    low = {(part["quantity_in_stock"], part["reorder_point"]) for part in own["parts"]}
    assert {(0, 5), (5, 5), (90, 95)} <= low
    assert not {(2, 1), (6, 5)} & low
    assert own["count"] == own["pagination"]["total_items"]

    assert mike.get("/inventory/low-stock?threshold=0").body["threshold"] == 0
    for bad in ("x", "-1", "1.5"):
        assert mike.get(f"/inventory/low-stock?threshold={bad}").status == 400


def test_deleting_a_part(world: World, mike: Person) -> None:
    part = world.part(mike)["id"]
    assert mike.delete(f"/inventory/{part}").status == 200
    assert mike.get(f"/inventory/{part}").status == 404


def test_a_part_that_was_used_is_not_deleted(world: World, mike: Person, sarah: Person) -> None:
    part, ticket = world.part(mike)["id"], world.ticket(mike, sarah.id)["id"]
    line = world.line(mike, ticket, part)
    used = mike.delete(f"/inventory/{part}")
    mike.put(f"/service_tickets/{ticket}/remove-inventory/{line}")
    given_back = mike.delete(f"/inventory/{part}")
    mike.delete(f"/service_tickets/{ticket}")
    forgotten = mike.delete(f"/inventory/{part}")
    for answer in (used, given_back, forgotten):
        assert answer.status == 400
        assert len(answer.text) > 60, "there is a suggestion"
    assert "suggestion" in used.body
    assert mike.get(f"/inventory/{part}").status == 200


def test_one_that_is_not_there(mike: Person) -> None:
    for answer in (
        mike.get("/inventory/999999"),
        mike.put("/inventory/999999", {"price": 1.5}),
        mike.delete("/inventory/999999"),
    ):
        assert (answer.status, answer.body["message"]) == (404, "Inventory part not found.")
