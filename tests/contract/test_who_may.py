"""The caller column of the contract's table: 401 for nobody, 403 for the wrong one."""

import pytest
from django.conf import settings

from autoful.testing.http import Caller
from tests.contract.table import TABLE, Route, ready
from tests.contract.world import Person, World

pytestmark = pytest.mark.skipif(
    settings.PRODUCTION, reason="who may what is the same on both set-ups"
)

People = dict[str, Caller]

EVERYBODY = {"nobody", "sarah", "tom", "mike", "lisa", "boss", "clerk", "keeper"}
MAY = {
    "anyone": EVERYBODY,
    "customer": {"sarah", "tom"},
    "that customer": {"owner", "boss"},
    "mechanic": {"mike", "lisa", "boss"},
    "that mechanic": {"owner", "boss"},
}
# The back office may what its Django permissions allow; the keeper's are view_part and add_part.
KEEPER_MAY = {
    "POST /inventory/",
    "GET /inventory/search?part_name=brake",
    "GET /inventory/low-stock?threshold=5",
}


@pytest.fixture(scope="module")
def people(
    nobody: Caller,
    sarah: Person,
    tom: Person,
    mike: Person,
    lisa: Person,
    boss: Caller,
    clerk: Caller,
    keeper: Caller,
) -> People:
    names = ("nobody", "sarah", "tom", "mike", "lisa", "boss", "clerk", "keeper")
    return dict(zip(names, (nobody, sarah, tom, mike, lisa, boss, clerk, keeper), strict=True))


# Whoever signs up or in, it takes a fifth of a second: these stand for all.
FEW = {"nobody", "sarah", "mike", "boss"}


def allowed(route: Route) -> set[str]:
    return MAY[route.caller] | ({"keeper"} if str(route) in KEEPER_MAY else set())


@pytest.mark.parametrize("route", TABLE, ids=str)
def test_whoever_may_can(world: World, people: People, route: Route) -> None:
    takes_a_password = route.caller == "anyone" and route.method == "POST"
    for name in sorted(allowed(route) & FEW if takes_a_password else allowed(route)):
        call = ready(route, world, people)
        caller = call.owner if name == "owner" else people[name]
        answer = caller.call(route.method, call.path, call.body)
        assert answer.status == route.status, f"{name}: {answer.status} {answer.text}"


@pytest.mark.parametrize("route", [route for route in TABLE if route.caller != "anyone"], ids=str)
def test_whoever_may_not_is_told_so_and_changes_nothing(
    world: World, people: People, route: Route
) -> None:
    call = ready(route, world, people)
    boss = people["boss"]
    before = boss.get(call.shown_at).body if call.shown_at else None
    others = {name for name in EVERYBODY if people[name] is not call.owner}
    for name in sorted(others - allowed(route)):
        answer = people[name].call(route.method, call.path, call.body)
        expected = 401 if name == "nobody" else 403
        assert answer.status == expected, f"{name}: {answer.status} {answer.text}"
        if expected == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if call.shown_at:
        assert boss.get(call.shown_at).body == before


def test_a_refused_creation_creates_nothing(
    people: People, sarah: Person, tom: Person, clerk: Caller, nobody: Caller
) -> None:
    body = {"part_name": "Never entered", "price": 1.0, "quantity_in_stock": 1}
    ticket = {"customer_id": tom.id, "VIN": "1HGCM82633A004352", "service_date": "2025-01-01"}
    ticket["service_desc"] = "Never opened"
    for caller in (nobody, sarah, clerk):
        assert caller.post("/inventory/", body).status in (401, 403)
        assert caller.post("/service_tickets/", ticket).status in (401, 403)
    assert people["mike"].get("/inventory/search?part_name=Never entered").body["parts"] == []
    assert "Never opened" not in people["tom"].get("/customers/my-tickets?per_page=100").text


def test_customer_3_and_mechanic_3_are_two_people(sarah: Person, mike: Person) -> None:
    assert sarah.id == mike.id, "both are the first of their kind"
    assert mike.put(f"/customers/{sarah.id}", {"name": "Mike's now"}).status == 403
    assert mike.delete(f"/customers/{sarah.id}").status == 403
    assert sarah.put(f"/mechanics/{mike.id}", {"salary": 1}).status == 403
    assert sarah.delete(f"/mechanics/{mike.id}").status == 403
    assert sarah.get(f"/customers/{sarah.id}").body["name"] == "Sarah Johnson"
    assert mike.get(f"/mechanics/{mike.id}").body["salary"] == 61500.5


def test_a_session_without_its_csrf_token_changes_nothing(world: World, boss: Caller) -> None:
    forger = world.anyone()
    forger.session = boss.session
    body = {"part_name": "Forged", "price": 1.0, "quantity_in_stock": 1}
    assert forger.get("/mechanics/").status == 200, "the session is good"
    assert forger.post("/inventory/", body).status == 403
    assert boss.get("/inventory/search?part_name=Forged").body["parts"] == []


def test_a_bad_token_is_401_even_where_none_is_needed(world: World) -> None:
    for header in (
        "bearer nonsense",
        "BEARER a.b.c",
        "Bearer nonsense",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer é",
    ):
        headers = {"Authorization": header.encode()}
        answer = world.anyone().get("/mechanics/", headers=headers)
        assert answer.status == 401, header
    assert (
        world.anyone().get("/customers/", headers={"Authorization": "Bearer x.y.z"}).status == 401
    )
