"""Paths: both spellings, both slashes, under /api/v1 too, no redirect, whatever the method."""

import pytest
from django.conf import settings

from autoful.testing.http import Caller
from tests.contract.table import TABLE, Route, ready
from tests.contract.world import Person, World

pytestmark = pytest.mark.skipif(
    settings.PRODUCTION, reason="where what stands is the same on both set-ups"
)

ANYWHERE = [
    (route, prefix, spelling, slash)
    for route in TABLE
    for prefix in ("", "/api/v1")
    for spelling in (["service_tickets", "service-tickets"] if "_tickets" in route.path else [""])
    for slash in ("", "/")
]


def spelled(path: str, prefix: str, spelling: str, slash: str) -> str:
    path, _, query = path.partition("?")
    path = path.replace("service_tickets", spelling or "service_tickets").rstrip("/")
    return prefix + path + slash + (f"?{query}" if query else "")


@pytest.mark.parametrize(
    ("route", "prefix", "spelling", "slash"),
    ANYWHERE,
    ids=[f"{r.method} {spelled(r.path, *how)}" for r, *how in ANYWHERE],
)
def test_every_route_answers_wherever_it_stands(
    world: World,
    sarah: Person,
    mike: Person,
    lisa: Person,
    route: Route,
    prefix: str,
    spelling: str,
    slash: str,
) -> None:
    call = ready(route, world, {"sarah": sarah, "mike": mike, "lisa": lisa})
    path = spelled(call.path, prefix, spelling, slash)

    answer = call.owner.call(route.method, path, call.body)

    assert answer.status == route.status, answer.text
    assert "Location" not in answer.headers or answer.status == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/customers/"),
        ("PUT", "/customers"),
        ("POST", "/customers/1"),
        ("GET", "/customers/login"),
        ("POST", "/customers/top"),
        ("DELETE", "/mechanics/"),
        ("GET", "/mechanics/login"),
        ("PUT", "/service_tickets/"),
        ("POST", "/service_tickets/1"),
        ("GET", "/service_tickets/1/add-inventory"),
        ("POST", "/service_tickets/1/edit-mechanics"),
        ("POST", "/service_tickets/1/assign-mechanic/1"),
        ("DELETE", "/inventory/"),
        ("POST", "/inventory/search"),
        ("POST", "/inventory/1"),
    ],
)
def test_another_method_is_405(mike: Person, method: str, path: str) -> None:
    assert mike.call(method, path).status == 405
    assert mike.call(method, f"/api/v1{path}").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/nothing/",
        "/api/v1/nothing/",
        "/customers/1/cars",
        "/customers/abc",
        "/api/v2/",
    ],
)
def test_an_unknown_path_is_404_in_json(nobody: Caller, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = nobody.call(method, path)
        assert answer.status == 404
        assert set(answer.body) >= {"code", "message"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health(nobody: Caller, path: str) -> None:
    assert nobody.get(path).status == 200
