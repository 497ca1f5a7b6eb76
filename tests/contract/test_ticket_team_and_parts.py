"""A ticket's mechanics and its parts: assigning, releasing, using and giving back."""

from typing import Any

import pytest

from tests.contract.world import Person, World


@pytest.fixture
def ticket(world: World, mike: Person, sarah: Person) -> int:
    return int(world.ticket(mike, sarah.id)["id"])


@pytest.fixture
def pads(world: World, mike: Person) -> dict[str, Any]:
    return world.part(mike, quantity_in_stock=50)


def team(mike: Person, ticket: int) -> list[int]:
    return [one["id"] for one in mike.get(f"/service_tickets/{ticket}").body["mechanics"]]


def stock(mike: Person, part: dict[str, Any]) -> int:
    return int(mike.get(f"/inventory/{part['id']}").body["quantity_in_stock"])


# --- The team ---


def test_assigning_and_releasing(ticket: int, mike: Person, lisa: Person) -> None:
    here = f"/service_tickets/{ticket}"
    assigned = mike.put(f"{here}/assign-mechanic/{lisa.id}")
    assert assigned.status == 200
    assert assigned.body["id"] == ticket
    assert assigned.body["mechanics"] == [
        {"id": lisa.id, "name": "Lisa Ray", "email": lisa.email, "phone": "+1 555 010 4050"}
    ]
    assert mike.put(f"{here}/assign-mechanic/{lisa.id}").status == 400, "already there"
    assert team(mike, ticket) == [lisa.id]

    released = mike.put(f"{here}/remove-mechanic/{lisa.id}")
    assert (released.status, released.body["mechanics"]) == (200, [])
    assert mike.put(f"{here}/remove-mechanic/{lisa.id}").status == 400, "not there"


def test_a_mechanic_who_is_not_there(ticket: int, mike: Person) -> None:
    for verb in ("assign", "remove"):
        answer = mike.put(f"/service_tickets/{ticket}/{verb}-mechanic/999999")
        assert (answer.status, answer.body["message"]) == (404, "Mechanic not found.")


def test_setting_the_team(world: World, ticket: int, mike: Person, lisa: Person) -> None:
    third = world.mechanic("Third Man")
    path = f"/service_tickets/{ticket}/edit-mechanics"
    for wanted in ([mike.id, lisa.id], [lisa.id, third.id], [third.id], []):
        answer = mike.put(path, {"mechanic_ids": wanted})
        assert answer.status == 200
        assert {one["id"] for one in answer.body["mechanics"]} == set(wanted)
        assert set(team(mike, ticket)) == set(wanted)


def test_changing_the_team(world: World, ticket: int, mike: Person, lisa: Person) -> None:
    third = world.mechanic("Third Man")
    path = f"/service_tickets/{ticket}/edit-mechanics"
    assert mike.put(path, {"add_ids": [mike.id, lisa.id], "remove_ids": []}).status == 200
    answer = mike.put(path, {"add_ids": [third.id], "remove_ids": [mike.id]})
    assert answer.status == 200
    assert set(team(mike, ticket)) == {lisa.id, third.id}
    assert mike.put(path, {"add_ids": [mike.id]}).status == 200
    assert mike.put(path, {"remove_ids": [lisa.id]}).status == 200
    assert set(team(mike, ticket)) == {mike.id, third.id}


def test_all_or_nothing(ticket: int, mike: Person, lisa: Person) -> None:
    path = f"/service_tickets/{ticket}/edit-mechanics"
    mike.put(path, {"mechanic_ids": [mike.id]})
    for body in (
        {"mechanic_ids": [lisa.id, 999998, 999999]},
        {"add_ids": [lisa.id, 999998, 999999], "remove_ids": [mike.id]},
        {"add_ids": [lisa.id], "remove_ids": [mike.id, 999998, 999999]},
    ):
        answer = mike.put(path, body)
        assert answer.status == 400, body
        assert "999998" in answer.text
        assert "999999" in answer.text
        assert team(mike, ticket) == [mike.id]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mechanic_ids": "all"},
        {"mechanic_ids": [1.5]},
        {"mechanic_ids": ["x"]},
        {"mechanic_ids": None},
        {"mechanic_ids": [10**30]},
        {"add_ids": {}},
        [1],
        "x",
    ],
)
def test_a_bad_team(ticket: int, mike: Person, body: Any) -> None:
    assert mike.put(f"/service_tickets/{ticket}/edit-mechanics", body).status == 400


# --- The parts ---


def test_using_a_part(world: World, ticket: int, pads: dict[str, Any], mike: Person) -> None:
    path = f"/service_tickets/{ticket}/add-inventory"
    added = mike.post(path, {"inventory_id": pads["id"], "quantity_used": 2})
    assert added.status == 201
    line = added.body["service_inventory_id"]
    assert added.body == {
        "message": f"Added 2x {pads['part_name']} to service ticket",
        "part": pads["part_name"],
        "quantity_used": 2,
        "stock_remaining": 48,
        "service_inventory_id": line,
    }
    assert stock(mike, pads) == 48

    more = mike.post(path, {"inventory_id": pads["id"], "quantity_used": 3})
    assert more.status == 200
    assert more.body["message"] == f"Added 3x {pads['part_name']} to service ticket"
    assert (more.body["quantity_used"], more.body["stock_remaining"]) == (5, 45)
    assert more.body["service_inventory_id"] == line
    lines = mike.get(f"/service_tickets/{ticket}").body["service_inventories"]
    assert [(one["id"], one["quantity_used"]) for one in lines] == [(line, 5)]

    removed = mike.put(f"/service_tickets/{ticket}/remove-inventory/{line}")
    assert removed.status == 200
    assert set(removed.body) == {"message", "part", "quantity_restored", "stock_remaining"}
    assert removed.body["part"] == pads["part_name"]
    assert (removed.body["quantity_restored"], removed.body["stock_remaining"]) == (5, 50)
    assert mike.put(f"/service_tickets/{ticket}/remove-inventory/{line}").status == 400
    assert stock(mike, pads) == 50
    assert world.ledger(pads["id"]) == [
        [50, 50, "opening"],
        [-2, 48, "used"],
        [-3, 45, "used"],
        [5, 50, "returned"],
    ]


def test_too_little_stock(world: World, ticket: int, mike: Person) -> None:
    few = world.part(mike, quantity_in_stock=3)
    path = f"/service_tickets/{ticket}/add-inventory"
    answer = mike.post(path, {"inventory_id": few["id"], "quantity_used": 4})
    assert answer.status == 400
    assert answer.body["code"] == "insufficient_stock"
    facts = {name: answer.body[name] for name in ("part", "requested", "available")}
    assert facts == {"part": few["part_name"], "requested": 4, "available": 3}
    assert stock(mike, few) == 3
    assert mike.get(f"/service_tickets/{ticket}").body["service_inventories"] == []
    assert mike.post(path, {"inventory_id": few["id"], "quantity_used": 3}).status == 201


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "two", None, 10**30, True, []])
def test_a_bad_quantity(ticket: int, pads: dict[str, Any], mike: Person, quantity: Any) -> None:
    body = {"inventory_id": pads["id"], "quantity_used": quantity}
    answer = mike.post(f"/service_tickets/{ticket}/add-inventory", body)
    assert answer.status == 400
    assert stock(mike, pads) == 50


def test_a_part_that_is_not_there(ticket: int, mike: Person) -> None:
    body = {"inventory_id": 999999, "quantity_used": 1}
    answer = mike.post(f"/service_tickets/{ticket}/add-inventory", body)
    assert (answer.status, answer.body["message"]) == (404, "Inventory part not found.")


def test_a_line_of_another_ticket(
    world: World, ticket: int, pads: dict[str, Any], mike: Person, sarah: Person
) -> None:
    other = world.ticket(mike, sarah.id)["id"]
    line = world.line(mike, other, pads["id"])
    assert mike.put(f"/service_tickets/{ticket}/remove-inventory/{line}").status == 400
    assert mike.get(f"/service_tickets/{other}").body["service_inventories"][0]["id"] == line
    assert stock(mike, pads) == 48


def test_the_price_of_a_line_is_that_of_its_day(
    ticket: int, pads: dict[str, Any], mike: Person, world: World
) -> None:
    world.line(mike, ticket, pads["id"])
    assert mike.put(f"/inventory/{pads['id']}", {"price": 99.5}).status == 200
    (line,) = mike.get(f"/service_tickets/{ticket}").body["service_inventories"]
    assert (line["unit_price"], line["inventory"]["price"]) == (45.99, 99.5)


# --- Closed tickets ---


@pytest.mark.parametrize("closed", ["completed", "cancelled"])
def test_on_a_closed_ticket_parts_and_team_are_frozen(
    world: World, ticket: int, pads: dict[str, Any], mike: Person, lisa: Person, closed: str
) -> None:
    here = f"/service_tickets/{ticket}"
    line = world.line(mike, ticket, pads["id"])
    mike.put(f"{here}/assign-mechanic/{mike.id}")
    world.move(mike, ticket, "in_progress", closed)
    before = mike.get(here).body
    kept = stock(mike, pads)

    for method, path, body in (
        ("PUT", f"/assign-mechanic/{lisa.id}", None),
        ("PUT", f"/remove-mechanic/{mike.id}", None),
        ("PUT", "/edit-mechanics", {"mechanic_ids": [lisa.id]}),
        ("PUT", "/edit-mechanics", {"add_ids": [lisa.id], "remove_ids": []}),
        ("POST", "/add-inventory", {"inventory_id": pads["id"], "quantity_used": 1}),
        ("PUT", f"/remove-inventory/{line}", None),
    ):
        assert mike.call(method, here + path, body).status == 400, path
    assert mike.get(here).body == before
    assert stock(mike, pads) == kept


def test_cancelling_puts_parts_back_and_releases_the_team(
    world: World, ticket: int, pads: dict[str, Any], mike: Person
) -> None:
    world.line(mike, ticket, pads["id"], 4)
    mike.put(f"/service_tickets/{ticket}/assign-mechanic/{mike.id}")
    world.move(mike, ticket, "cancelled")
    assert stock(mike, pads) == 50
    assert team(mike, ticket) == []


ALLOWED = {
    "pending": {"in_progress", "on_hold", "cancelled"},
    "in_progress": {"completed", "on_hold", "cancelled"},
    "on_hold": {"in_progress", "cancelled"},
    "completed": {"in_progress"},
    "cancelled": set(),
}
WAYS = {
    "pending": [],
    "in_progress": ["in_progress"],
    "on_hold": ["on_hold"],
    "completed": ["in_progress", "completed"],
    "cancelled": ["cancelled"],
}


@pytest.mark.parametrize("status", list(ALLOWED))
def test_the_status_moves_by_the_table(
    world: World, mike: Person, sarah: Person, status: str
) -> None:
    for to in sorted(ALLOWED.keys() - {status}):
        ticket = world.ticket(mike, sarah.id)["id"]
        world.move(mike, ticket, *WAYS[status])
        change = {"status": to, "reason": "The noise came back"}
        answer = mike.patch(f"/service_tickets/{ticket}", change)
        assert answer.status == (200 if to in ALLOWED[status] else 400), f"{status} to {to}"
        now = mike.get(f"/service_tickets/{ticket}").body["status"]
        assert now == (to if to in ALLOWED[status] else status)


def test_a_comeback_has_a_reason(world: World, ticket: int, mike: Person) -> None:
    world.move(mike, ticket, "in_progress", "completed")
    assert mike.patch(f"/service_tickets/{ticket}", {"status": "in_progress"}).status == 400
    back = {"status": "in_progress", "reason": "The noise came back"}
    assert mike.patch(f"/service_tickets/{ticket}", back).body["status"] == "in_progress"
