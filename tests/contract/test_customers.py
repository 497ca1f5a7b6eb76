"""/customers: registering, reading, changing, closing."""

from typing import Any

import pytest

from autoful.testing.http import Caller
from tests.contract.world import PASSWORD, Person, World, fresh

WHOLE = {"id", "name", "email", "phone"}


def body(**fields: Any) -> dict[str, Any]:
    made = {
        "name": "Nina New",
        "email": f"{fresh('nina')}@example.com",
        "phone": "+1 555 010 1111",
        "password": PASSWORD,
    }
    return {name: value for name, value in (made | fields).items() if value is not ...}


def test_registering(world: World, nobody: Caller) -> None:
    sent = body()
    answer = nobody.post("/customers/", sent)

    assert answer.status == 201
    assert set(answer.body) >= WHOLE
    assert {name: answer.body[name] for name in ("name", "email", "phone")} == {
        name: sent[name] for name in ("name", "email", "phone")
    }
    assert PASSWORD not in answer.text
    assert world.login("customers", sent["email"]).body["customer_id"] == answer.body["id"]


@pytest.mark.parametrize("field", ["name", "email", "phone", "password"])
def test_registering_without_a_field(nobody: Caller, field: str) -> None:
    answer = nobody.post("/customers/", body(**{field: ...}))
    assert answer.status == 400
    assert answer.body["code"] == "invalid"
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an email"),
        ("email", 5),
        ("email", None),
        ("name", ""),
        ("name", "x" * 5000),
        ("name", ["Nina"]),
        ("name", "Ni\x00na"),
        ("phone", "x" * 500),
        ("password", "short"),
        ("password", ""),
        ("password", 12345678901),
    ],
)
def test_registering_with_a_bad_field(nobody: Caller, field: str, value: Any) -> None:
    answer = nobody.post("/customers/", body(**{field: value}))
    assert answer.status == 400
    assert set(answer.body["fields"]) == {field}
    assert all(isinstance(text, str) for text in answer.body["fields"][field])


def test_an_email_is_registered_once(world: World, nobody: Caller, sarah: Person) -> None:
    for email in (sarah.email, sarah.email.upper()):
        answer = nobody.post("/customers/", body(email=email, password="somebody else's"))
        assert answer.status == 400
        assert set(answer.body["fields"]) == {"email"}
    assert world.login("customers", sarah.email).body["customer_id"] == sarah.id


def test_a_walk_ins_email_hands_over_nothing(world: World, mike: Person) -> None:
    email = f"{fresh('walkin')}@example.com"
    walk_in = world.ask(
        "from autoful.actor import COMMAND\n"
        "from customers.registration import enter_walk_in\n"
        f"made = enter_walk_in(name='Walter In', email={email!r}, phone='', actor=COMMAND)\n"
        "answer = made.pk"
    )
    ticket = world.ticket(mike, walk_in, service_desc="Private matter")

    stranger = world.registers("customers", "Stan Stranger", email)

    assert stranger.id != walk_in
    assert stranger.get("/customers/my-tickets").body["tickets"] == []
    assert stranger.get(f"/customers/{stranger.id}").body["service_tickets"] == []
    assert "email" not in stranger.get(f"/customers/{walk_in}").body
    assert "customer" not in stranger.get(f"/service_tickets/{ticket['id']}").body
    assert mike.get(f"/service_tickets/{ticket['id']}").body["customer_id"] == walk_in


def test_what_nobody_may_set_is_not_set(world: World, sarah: Person, tom: Person) -> None:
    extra = {
        "id": tom.id,
        "pk": tom.id,
        "user": 1,
        "user_id": 1,
        "ticket_count": 99,
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "token_version": 9,
        "deleted_at": "2020-01-01T00:00:00Z",
        "created_at": "2020-01-01T00:00:00Z",
    }
    sent = body()
    made = world.anyone().post("/customers/", sent | extra)
    assert made.status in (201, 400)
    nina = world.customer("Nina New") if made.status == 400 else None
    nina = nina or world.signed_in("customers", sent["email"])
    changed = nina.put(f"/customers/{nina.id}", {"name": "Nina Changed"} | extra)
    assert changed.status in (200, 400)

    assert nina.id != tom.id
    shown = nina.get(f"/customers/{nina.id}").body
    assert shown["ticket_count"] == 0
    assert shown["name"] in ("Nina Changed", "Nina New")
    assert tom.get(f"/customers/{tom.id}").body["name"] == "Tom Baker"
    assert "2020-01-01" not in str(shown)
    staff = f"User.objects.filter(email={nina.email!r}).values_list('is_staff', 'is_superuser')"
    asked = f"from autoful.accounts.models import User\nanswer = list(map(list, {staff}))"
    assert world.ask(asked) == [[False, False]]


def test_one_by_whom_it_concerns(
    world: World, sarah: Person, tom: Person, mike: Person, boss: Caller, nobody: Caller
) -> None:
    ticket = world.ticket(mike, sarah.id)
    for caller in (sarah, mike, boss):
        shown = caller.get(f"/customers/{sarah.id}").body
        assert set(shown) >= WHOLE | {"service_tickets"}
        assert (shown["name"], shown["email"]) == ("Sarah Johnson", "sarah@example.com")
        assert ticket["id"] in [nested["id"] for nested in shown["service_tickets"]]
    for caller in (nobody, tom):
        shown = caller.get(f"/customers/{sarah.id}").body
        assert set(shown) == {"id", "name", "ticket_count"}
        assert (shown["id"], shown["name"]) == (sarah.id, "Sarah J.")


@pytest.mark.parametrize("number", ["999999", "0", "99999999999999999"])
def test_one_that_is_not_there(mike: Person, sarah: Person, boss: Caller, number: str) -> None:
    for answer in (
        mike.get(f"/customers/{number}"),
        boss.put(f"/customers/{number}", {"name": "Who"}),
        boss.delete(f"/customers/{number}"),
    ):
        assert answer.status == 404
        assert answer.body["message"] == "Customer not found."


def test_my_tickets(world: World, mike: Person, lisa: Person) -> None:
    mine = world.customer("Mona Mine")
    ticket = world.ticket(mike, mine.id, service_desc="Clutch", service_date="2025-07-01")
    team = {"mechanic_ids": [mike.id, lisa.id]}
    assert mike.put(f"/service_tickets/{ticket['id']}/edit-mechanics", team).status == 200

    answer = mine.get("/customers/my-tickets")

    assert answer.body == {
        "tickets": [
            {
                "id": ticket["id"],
                "VIN": "1HGCM82633A004352",
                "service_desc": "Clutch",
                "service_date": "2025-07-01",
                "status": "pending",
                "mechanics": ["Mike Chen", "Lisa Ray"],
            }
        ],
        "pagination": {"page": 1, "per_page": 10, "total_pages": 1, "total_items": 1},
    }


def test_changing_any_subset(world: World) -> None:
    nina = world.customer("Nina New")
    email = f"{fresh('renamed')}@example.com"
    for change in ({"name": "Nina Newer"}, {"phone": "+1 555 010 2222"}, {"email": email}):
        answer = nina.put(f"/customers/{nina.id}", change)
        assert answer.status == 200
        assert {name: answer.body[name] for name in change} == change
    assert nina.put(f"/customers/{nina.id}", {}).status in (200, 400)
    shown = nina.get(f"/customers/{nina.id}").body
    assert (shown["name"], shown["phone"], shown["email"]) == (
        "Nina Newer",
        "+1 555 010 2222",
        email,
    )
    assert world.login("customers", email).status == 200
    assert world.login("customers", nina.email).status == 401


def test_a_bad_change_changes_nothing(world: World, sarah: Person) -> None:
    nina = world.customer("Nina New")
    for change in ({"email": "nonsense"}, {"email": sarah.email}, {"password": "1"}, {"name": ""}):
        bad = {"name": "Half Done"} | change
        answer = nina.put(f"/customers/{nina.id}", bad)
        assert answer.status == 400
        assert set(answer.body["fields"]) == set(change)
    assert nina.get(f"/customers/{nina.id}").body["name"] == "Nina New"
    assert nina.get(f"/customers/{nina.id}").body["email"] == nina.email


def test_closing_the_account(world: World, mike: Person, nobody: Caller, boss: Caller) -> None:
    gone = world.customer("Gina Gone")
    ticket = world.ticket(mike, gone.id, service_desc="Last visit")

    answer = gone.delete(f"/customers/{gone.id}")

    assert answer.status == 200
    assert answer.body == {"message": "Customer deleted successfully"}
    for caller in (nobody, mike, boss):
        missing = caller.get(f"/customers/{gone.id}")
        assert (missing.status, missing.body["message"]) == (404, "Customer not found.")
    assert gone.get("/customers/my-tickets").status == 401
    assert world.login("customers", gone.email).status == 401
    kept = mike.get(f"/service_tickets/{ticket['id']}")
    assert kept.status == 200
    assert kept.body["service_desc"] == "Last visit"
    assert "deleted" in kept.body["customer"]["name"].lower()
    for private in ("Gina", "Gone", gone.email, "555 010 2030"):
        assert private not in kept.text
    asked = {"customer_id": gone.id, "VIN": "1HGCM82633A004352", "service_date": "2025-01-01"}
    new = mike.post("/service_tickets/", asked | {"service_desc": "More work"})
    assert new.status in (400, 404), "nobody opens a ticket for one who is gone"

    again = world.registers("customers", "Gina Again", gone.email)
    assert again.id != gone.id
    assert again.get("/customers/my-tickets").body["tickets"] == []


def test_top(world: World, mike: Person, nobody: Caller) -> None:
    second = world.customer("Bea Busy")
    for _ in range(3):
        world.ticket(mike, second.id)
    first = nobody.get("/customers/top").body[0]
    world.ticket(mike, first["id"])

    public = nobody.get("/customers/top").body
    shop = mike.get("/customers/top").body

    assert isinstance(public, list)
    assert 1 <= len(public) <= 3
    assert all(set(row) == {"id", "name", "ticket_count"} for row in public)
    assert public[0]["ticket_count"] == first["ticket_count"] + 1
    busiest = mike.get("/customers/?ordering=-ticket_count&per_page=3").body["customers"]
    counts = [row["ticket_count"] for row in busiest]
    assert [row["ticket_count"] for row in public] == counts == sorted(counts, reverse=True)
    for shown, whole in zip(public, shop, strict=True):
        assert (shown["id"], shown["ticket_count"]) == (whole["id"], whole["ticket_count"])
        tickets = mike.get(f"/service_tickets/?customer_id={shown['id']}").body
        assert tickets["pagination"]["total_items"] == shown["ticket_count"]
        given, family = whole["name"].split()
        assert shown["name"] == f"{given} {family[0]}."
