"""Lists: pages, filters, order, caching, ETags."""

from typing import Any

import pytest

from autoful.testing.http import Caller
from tests.contract.world import Person, World, fresh

LISTS = [
    ("/customers/", "customers"),
    ("/mechanics/", "mechanics"),
    ("/service_tickets/", "service_tickets"),
    ("/inventory/", "inventory"),
    ("/inventory/search?part_name=a", "parts"),
    ("/inventory/low-stock?threshold=100000", "parts"),
    ("/customers/my-tickets", "tickets"),
]


def plus(path: str, **query: Any) -> str:
    more = "&".join(f"{name}={value}" for name, value in query.items())
    return path + ("&" if "?" in path else "?") + more


@pytest.fixture(scope="module")
def crowd(world: World, mike: Person) -> Person:
    """A customer with thirteen tickets, so that every list has more than one page."""
    one = world.customer("Carla Crowd")
    for _ in range(13):
        world.ticket(mike, one.id)
    for _ in range(12):
        world.part(mike)
    for _ in range(9):
        world.customer()
        world.mechanic()
    return one


def caller_of(path: str, crowd: Person, mike: Person) -> Person:
    return crowd if "my-tickets" in path else mike


@pytest.mark.parametrize(("path", "key"), LISTS)
def test_a_page(crowd: Person, mike: Person, path: str, key: str) -> None:
    body = caller_of(path, crowd, mike).get(path).body
    assert set(body) - {"threshold", "count"} == {key, "pagination"}
    pagination = body["pagination"]
    total = pagination["total_items"]
    assert pagination == {
        "page": 1,
        "per_page": 10,
        "total_pages": -(-total // 10),
        "total_items": total,
    }
    assert len(body[key]) == min(10, total)


@pytest.mark.parametrize(("path", "key"), LISTS)
def test_pages_hold_every_row_once_in_a_stable_order(
    crowd: Person, mike: Person, path: str, key: str
) -> None:
    caller = caller_of(path, crowd, mike)
    whole = [row["id"] for row in caller.get(plus(path, per_page=100)).body[key]]
    pages = []
    for page in range(1, 4):
        body = caller.get(plus(path, per_page=3, page=page)).body
        assert (body["pagination"]["page"], body["pagination"]["per_page"]) == (page, 3)
        pages += [row["id"] for row in body[key]]
    assert pages == whole[:9]
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize(("path", "key"), LISTS)
def test_past_the_end_there_are_no_rows(crowd: Person, mike: Person, path: str, key: str) -> None:
    caller = caller_of(path, crowd, mike)
    total = caller.get(path).body["pagination"]["total_items"]
    for page in (9999, 10**12):
        answer = caller.get(plus(path, page=page))
        assert (answer.status, answer.body[key]) == (200, [])
        assert answer.body["pagination"]["page"] == page
        assert answer.body["pagination"]["total_items"] == total


@pytest.mark.parametrize(("path", "key"), LISTS)
@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize("value", ["ten", "1.5", "0", "-1", "1e3", "\u0661"])
def test_not_a_number_is_400(
    crowd: Person, mike: Person, path: str, key: str, name: str, value: str
) -> None:
    answer = caller_of(path, crowd, mike).get(plus(path, **{name: value}))
    assert answer.status == 400
    assert set(answer.body["fields"]) == {name}


@pytest.mark.parametrize(("path", "key"), LISTS)
def test_per_page_is_cut_to_100(crowd: Person, mike: Person, path: str, key: str) -> None:
    for asked, given in ((100, 100), (101, 100), (100000, 100), (99, 99)):
        body = caller_of(path, crowd, mike).get(plus(path, per_page=asked)).body
        assert body["pagination"]["per_page"] == given
        assert len(body[key]) <= 100


def test_no_more_than_100_rows(world: World, mike: Person) -> None:
    word = fresh("Bulk")
    world.ask(
        "from decimal import Decimal\n"
        "from autoful.actor import COMMAND\n"
        "from inventory.parts import enter_part\n"
        "for n in range(103):\n"
        f"    fields = {{'part_name': {word!r}, 'price': Decimal(1)}}\n"
        "    enter_part(fields=fields, quantity_in_stock=999, actor=COMMAND)\n"
        "answer = None"
    )
    found = mike.get(f"/inventory/search?part_name={word}&per_page=500").body
    assert len(found["parts"]) == 100
    assert found["pagination"] == {
        "page": 1,
        "per_page": 100,
        "total_pages": 2,
        "total_items": 103,
    }
    rest = mike.get(f"/inventory/search?part_name={word}&per_page=500&page=2").body["parts"]
    ids = [row["id"] for row in found["parts"] + rest]
    assert len(ids) == len(set(ids)) == 103, "rows of one name still have one order"


def test_ordering(crowd: Person, mike: Person) -> None:
    for path, key, field in (
        ("/inventory/", "inventory", "price"),
        ("/inventory/", "inventory", "quantity_in_stock"),
        ("/service_tickets/", "service_tickets", "service_date"),
        ("/customers/", "customers", "ticket_count"),
        ("/mechanics/", "mechanics", "id"),
    ):
        rising = mike.get(plus(path, ordering=field, per_page=100)).body[key]
        falling = mike.get(plus(path, ordering=f"-{field}", per_page=100)).body[key]
        up, down = [row[field] for row in rising], [row[field] for row in falling]
        assert up == sorted(up)
        assert down == sorted(down, reverse=True)
        assert up[0] <= down[0]
    by_name = [row["part_name"].lower() for row in mike.get("/inventory/").body["inventory"]]
    assert by_name == sorted(by_name), "the inventory is listed by name"
    assert mike.get("/inventory/?ordering=password").status == 400


def test_filters(world: World, mike: Person, crowd: Person, nobody: Caller) -> None:
    done = world.ticket(mike, crowd.id, service_date="2019-06-07")["id"]
    world.move(mike, done, "in_progress", "completed")
    for query in ("service_date=2019-06-07", f"customer_id={crowd.id}&status=completed"):
        rows = mike.get(f"/service_tickets/?{query}").body["service_tickets"]
        assert [row["id"] for row in rows] == [done], query
    public = nobody.get("/service_tickets/?service_date=2019-06-07").body["service_tickets"]
    assert [row["id"] for row in public] == [done]
    name = fresh("Filtered")
    part = world.part(mike, part_name=name, category=name)["id"]
    for query in (f"part_name={name}", f"category={name}"):
        rows = nobody.get(f"/inventory/?{query}").body["inventory"]
        assert [row["id"] for row in rows] == [part], query
    assert mike.get("/service_tickets/?status=painted").status == 400
    assert mike.get("/service_tickets/?service_date=soon").status == 400


def test_a_filter_is_no_way_round_the_public_view(
    sarah: Person, tom: Person, nobody: Caller, mike: Person
) -> None:
    found = mike.get(f"/customers/?email={sarah.email}").body["customers"]
    assert [row["id"] for row in found] == [sarah.id]
    everybody = nobody.get("/customers/").body["pagination"]["total_items"]
    for caller in (nobody, tom):
        for path in (
            f"/customers/?email={sarah.email}",
            "/customers/?email=nobody@example.com",
            "/customers/?phone=555",
            "/customers/?name=Johnson",
        ):
            answer = caller.get(path)
            assert (
                answer.status in (400, 403) or answer.body["pagination"]["total_items"] == everybody
            ), path
        by_vin = caller.get("/service_tickets/?VIN=1HGCM82633A004352")
        assert by_vin.status in (400, 403) or by_vin.body == caller.get("/service_tickets/").body
        by_whom = caller.get(f"/service_tickets/?customer_id={sarah.id}")
        assert by_whom.status in (400, 403) or by_whom.body == caller.get("/service_tickets/").body


def test_a_cached_list_shows_every_change_at_once(
    world: World, nobody: Caller, mike: Person, lisa: Person
) -> None:
    def totals(caller: Caller) -> list[int]:
        paths = ("/customers/", "/service_tickets/", "/inventory/")
        # Several times: with several processes each of them has to know.
        seen = [
            [caller.get(path).body["pagination"]["total_items"] for path in paths] for _ in range(4)
        ]
        assert all(one == seen[0] for one in seen)
        return seen[0]

    before = totals(nobody)
    assert totals(mike) == before
    customer = world.registers("customers", "Cara Cached")
    ticket = world.ticket(mike, customer.id)["id"]
    part = world.part(mike, part_name="!Cached")["id"]
    after = [total + 1 for total in before]
    assert totals(nobody) == totals(mike) == after

    def row(caller: Caller, path: str, key: str, number: int) -> dict[str, Any]:
        rows = caller.get(plus(path, per_page=100, ordering="-id")).body[key]
        return next(one for one in rows if one["id"] == number)

    def seen_by_all() -> None:
        for caller in (nobody, mike, customer):
            row(caller, "/customers/", "customers", customer.id)
            row(caller, "/service_tickets/", "service_tickets", ticket)
            row(caller, "/inventory/", "inventory", part)

    seen_by_all()
    customer.put(f"/customers/{customer.id}", {"name": "Cara Changed"})
    mike.put(f"/service_tickets/{ticket}/assign-mechanic/{lisa.id}")
    world.line(mike, ticket, part, 5)
    assert row(nobody, "/customers/", "customers", customer.id)["name"] == "Cara C."
    assert row(mike, "/customers/", "customers", customer.id)["name"] == "Cara Changed"
    for caller in (nobody, mike, customer):
        shown = row(caller, "/service_tickets/", "service_tickets", ticket)
        assert "Lisa" in str(shown["mechanics"])
        assert "!Cached" in str(shown["service_inventories"])
        assert row(caller, "/inventory/", "inventory", part)["quantity_in_stock"] == 45
    shown = row(mike, "/service_tickets/", "service_tickets", ticket)
    assert shown["customer"]["name"] == "Cara Changed"

    assert mike.delete(f"/service_tickets/{ticket}").status == 200
    assert customer.delete(f"/customers/{customer.id}").status == 200
    assert totals(nobody) == totals(mike) == [before[0], before[1], after[2]]


def test_no_view_is_served_to_another_caller(
    world: World, nobody: Caller, mike: Person, sarah: Person, tom: Person, boss: Caller
) -> None:
    world.ticket(mike, sarah.id)
    for _ in range(3):
        for caller in (nobody, mike, sarah, boss, tom):
            text = caller.get("/customers/?per_page=100").text
            whole = caller in (mike, boss)
            assert ("sarah@example.com" in text) is (whole or caller is sarah)
            assert ("tom@example.com" in text) is (whole or caller is tom)
            tickets = caller.get("/service_tickets/?per_page=100&ordering=-id").text
            assert ("sarah@example.com" in tickets) is (whole or caller is sarah)


@pytest.mark.parametrize(
    "path", ["/customers/", "/service_tickets/", "/inventory/", "/inventory/1"]
)
def test_etag_and_304(world: World, nobody: Caller, mike: Person, path: str) -> None:
    world.part(mike)
    first = nobody.get(path)
    tag = first.headers["ETag"]
    again = nobody.get(path, headers={"If-None-Match": tag})
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == tag
    assert mike.get(path, headers={"If-None-Match": tag}).status == 200, "another view"
    for answer in (first, mike.get(path)):
        assert "public" not in answer.headers.get("Cache-Control", "")
        assert "Authorization" in answer.headers["Vary"]


def test_a_change_ends_the_etag(world: World, nobody: Caller, mike: Person) -> None:
    part = world.part(mike)["id"]
    for path in ("/inventory/?ordering=-id", f"/inventory/{part}"):
        tag = nobody.get(path).headers["ETag"]
        price = nobody.get(f"/inventory/{part}").body["price"] + 1
        assert mike.put(f"/inventory/{part}", {"price": price}).status == 200
        assert nobody.get(path, headers={"If-None-Match": tag}).status == 200
