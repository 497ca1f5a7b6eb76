"""/mechanics: signing up, reading, changing, leaving."""

from typing import Any

import pytest

from autoful.testing.http import Caller
from tests.contract.world import PASSWORD, Person, World, fresh

WHOLE = {"id", "name", "email", "phone"}


def body(**fields: Any) -> dict[str, Any]:
    made = {
        "name": "Max Motor",
        "email": f"{fresh('max')}@example.com",
        "phone": "+1 555 010 3333",
        "salary": 48000.25,
        "password": PASSWORD,
    }
    return {name: value for name, value in (made | fields).items() if value is not ...}


def test_signing_up_where_it_is_open(world: World, nobody: Caller) -> None:
    sent = body()
    answer = nobody.post("/mechanics/", sent)
    assert answer.status == 201
    assert set(answer.body) >= WHOLE
    assert answer.body["name"] == "Max Motor"
    assert answer.body.get("approved", True) is True
    assert world.signed_in("mechanics", sent["email"]).get("/mechanics/").status == 200


def test_signing_up_where_the_back_office_approves(world: World, approving: str) -> None:
    sent = body()
    anyone = Caller(approving)
    login = {"email": sent["email"], "password": PASSWORD}

    made = anyone.post("/mechanics/", sent)
    assert made.status == 201
    assert made.body["approved"] is False

    waiting = anyone.post("/mechanics/login", login)
    assert waiting.status == 403
    assert "awaiting approval" in waiting.body["message"]
    assert "token" not in waiting.body
    wrong = anyone.post("/mechanics/login", login | {"password": "wrong horse battery"})
    assert (wrong.status, wrong.body["message"]) == (401, "Invalid email or password.")

    world.ask(
        "from autoful.actor import COMMAND\n"
        "from mechanics.models import Mechanic\n"
        "from mechanics.registration import approve\n"
        f"approve(mechanic=Mechanic.objects.get(pk={made.body['id']}), actor=COMMAND)\n"
        "answer = None"
    )
    assert anyone.post("/mechanics/login", login).status == 200


def test_nobody_approves_themselves(world: World, approving: str) -> None:
    sent = body(approved=True)
    made = Caller(approving).post("/mechanics/", sent)
    assert made.status == 400 or made.body["approved"] is False
    if made.status == 201:
        assert world.login("mechanics", sent["email"]).status == 403


def test_signing_up_where_it_is_closed(world: World, private: str) -> None:
    sent = body()
    assert Caller(private).post("/mechanics/", sent).status == 403
    assert world.login("mechanics", sent["email"]).status == 401


def test_the_default_is_open_at_home_and_approval_in_production(world: World) -> None:
    code = "from django.conf import settings; print('mode:', settings.AUTOFUL_MECHANIC_SIGNUP)"
    printed = world.shop.manage("shell", "-c", code, AUTOFUL_MECHANIC_SIGNUP="")
    assert printed.endswith(f"mode: {'approval' if world.shop.in_production else 'open'}\n")


def test_open_signup_in_production_is_reported(world: World) -> None:
    if not world.shop.in_production:
        pytest.skip("the embedded set-up is open by default")
    for mode, reported in (("open", True), ("approval", False)):
        said = world.shop.manage("check", "--deploy", AUTOFUL_MECHANIC_SIGNUP=mode)
        assert ("AUTOFUL_MECHANIC_SIGNUP" in said) is reported, said


@pytest.mark.parametrize("field", ["name", "email", "phone", "salary", "password"])
def test_signing_up_without_a_field(nobody: Caller, field: str) -> None:
    answer = nobody.post("/mechanics/", body(**{field: ...}))
    assert answer.status == 400
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [("salary", -1), ("salary", "much"), ("salary", 1e30), ("email", "x"), ("password", "short")],
)
def test_signing_up_with_a_bad_field(nobody: Caller, field: str, value: Any) -> None:
    answer = nobody.post("/mechanics/", body(**{field: value}))
    assert answer.status == 400
    assert set(answer.body["fields"]) == {field}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_salary_is_a_number(nobody: Caller, text: str) -> None:
    raw = str(body()).replace("'", '"').replace("48000.25", text)
    headers = {"Content-Type": "application/json"}
    assert nobody.post("/mechanics/", data=raw.encode(), headers=headers).status == 400


def test_a_salary_is_shown_to_the_mechanic_and_the_back_office_alone(
    mike: Person, lisa: Person, boss: Caller
) -> None:
    assert mike.get(f"/mechanics/{mike.id}").body["salary"] == 61500.5
    assert boss.get(f"/mechanics/{mike.id}").body["salary"] == 61500.5
    assert "salary" not in lisa.get(f"/mechanics/{mike.id}").body
    for caller, shown in ((mike, {mike.id}), (lisa, {lisa.id}), (mike, {mike.id})):
        rows = caller.get("/mechanics/?per_page=100").body["mechanics"]
        assert {row["id"] for row in rows if "salary" in row} == shown
        assert {mike.id, lisa.id} <= {row["id"] for row in rows}
    rows = boss.get("/mechanics/?per_page=100").body["mechanics"]
    assert all("salary" in row for row in rows)


def test_no_salary_anywhere_else(world: World, mike: Person, sarah: Person) -> None:
    ticket = world.ticket(mike, sarah.id)["id"]
    mike.put(f"/service_tickets/{ticket}/assign-mechanic/{mike.id}")
    for caller in (mike, sarah):
        for path in (f"/service_tickets/{ticket}", "/service_tickets/", "/mechanics/top"):
            assert "salary" not in caller.get(path).text
    assert "61500" not in mike.get(f"/service_tickets/{ticket}").text


def test_one_with_nested_tickets(world: World, mike: Person, lisa: Person, sarah: Person) -> None:
    ticket = world.ticket(mike, sarah.id)["id"]
    mike.put(f"/service_tickets/{ticket}/assign-mechanic/{lisa.id}")
    shown = mike.get(f"/mechanics/{lisa.id}").body
    assert set(shown) >= WHOLE | {"service_tickets"}
    assert ticket in [nested["id"] for nested in shown["service_tickets"]]


def test_one_that_is_not_there(mike: Person, boss: Caller) -> None:
    for answer in (
        mike.get("/mechanics/999999"),
        boss.put("/mechanics/999999", {"name": "Who"}),
        boss.delete("/mechanics/999999"),
    ):
        assert (answer.status, answer.body["message"]) == (404, "Mechanic not found.")


def test_changing_any_subset(world: World, boss: Caller) -> None:
    max_ = world.mechanic("Max Motor")
    email = f"{fresh('max')}@example.com"
    changes: list[dict[str, Any]] = [
        {"name": "Max Moto"},
        {"phone": "+1 555 010 4444"},
        {"salary": 50000.75},
        {"email": email},
    ]
    for change in changes:
        answer = max_.put(f"/mechanics/{max_.id}", change)
        assert answer.status == 200
        assert {name: answer.body[name] for name in change} == change
    by_office = boss.put(f"/mechanics/{max_.id}", {"salary": 51000})
    assert (by_office.status, by_office.body["salary"]) == (200, 51000)
    shown = max_.get(f"/mechanics/{max_.id}").body
    assert (shown["name"], shown["salary"], shown["email"]) == ("Max Moto", 51000, email)


def test_what_nobody_may_set_is_not_set(world: World, mike: Person) -> None:
    max_ = world.mechanic("Max Motor")
    extra = {"id": mike.id, "user": 1, "approved": False, "version": 99, "ticket_count": 9}
    changed = max_.put(f"/mechanics/{max_.id}", {"name": "Max Moto", "is_staff": True} | extra)
    assert changed.status in (200, 400)
    assert max_.get(f"/mechanics/{max_.id}").status == 200, "still approved"
    assert mike.get(f"/mechanics/{mike.id}").body["name"] == "Mike Chen"
    assert world.anyone().post("/mechanics/", body(id=mike.id)).body.get("id") != mike.id


def test_leaving(world: World, mike: Person, sarah: Person) -> None:
    gone = world.mechanic("Gus Gone")
    open_, past = world.ticket(mike, sarah.id)["id"], world.ticket(mike, sarah.id)["id"]
    for ticket in (open_, past):
        assert mike.put(f"/service_tickets/{ticket}/assign-mechanic/{gone.id}").status == 200
    world.move(mike, past, "in_progress", "completed")

    answer = gone.delete(f"/mechanics/{gone.id}")

    assert answer.status == 200
    assert answer.body == {"message": "Mechanic deleted successfully"}
    missing = mike.get(f"/mechanics/{gone.id}")
    assert (missing.status, missing.body["message"]) == (404, "Mechanic not found.")
    assert gone.get("/mechanics/").status == 401
    assert gone.id not in [
        row["id"] for row in mike.get("/mechanics/?per_page=100").body["mechanics"]
    ]
    assert mike.get(f"/service_tickets/{open_}").body["mechanics"] == []
    team = mike.get(f"/service_tickets/{past}").body["mechanics"]
    assert [mechanic["name"] for mechanic in team] == ["Gus Gone"]
    assert gone.email not in str(team)
    assert "555 010 4050" not in str(team)
    refused = mike.put(f"/service_tickets/{open_}/assign-mechanic/{gone.id}")
    assert (refused.status, refused.body["message"]) == (404, "Mechanic not found.")
    assert world.registers("mechanics", "Gus Again", gone.email).id != gone.id


def test_top(world: World, mike: Person, sarah: Person, nobody: Caller) -> None:
    busy = world.mechanic("Bert Busy")
    most = nobody.get("/mechanics/top").body
    wanted = most[0]["ticket_count"] + 1 if most else 1
    for _ in range(wanted):
        ticket = world.ticket(mike, sarah.id)["id"]
        mike.put(f"/service_tickets/{ticket}/assign-mechanic/{busy.id}")
    for caller in (nobody, sarah, mike):
        top = caller.get("/mechanics/top").body
        assert isinstance(top, list)
        assert 1 <= len(top) <= 3
        assert all(set(row) == {"id", "name", "ticket_count"} for row in top)
        counts = [row["ticket_count"] for row in top]
        assert counts == sorted(counts, reverse=True)
        assert (top[0]["id"], top[0]["ticket_count"]) == (busy.id, wanted)
