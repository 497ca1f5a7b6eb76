"""Errors, and what every answer carries; closed public routes; the documentation's pages.

That every answer has an X-Request-ID, that errors have one shape, that numbers are numbers and
times have an offset is checked on each answer of all these tests: autoful/testing/http.py.
"""

import re
from datetime import datetime
from typing import Any

import pytest
import requests
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from autoful.testing.http import Caller
from tests.contract.world import Person, World, fresh

JSON = {"Content-Type": "application/json"}


def test_the_shape_of_a_bad_body(mike: Person) -> None:
    answer = mike.post("/inventory/", {"price": "free", "quantity_in_stock": -1})
    assert answer.status == 400
    assert set(answer.body) == {"code", "message", "fields"}
    assert answer.body["code"] == "invalid"
    assert set(answer.body["fields"]) == {"part_name", "price", "quantity_in_stock"}
    for texts in answer.body["fields"].values():
        assert texts
        assert all(isinstance(text, str) for text in texts)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{", id="half"),
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"5", id="number"),
        pytest.param(b"\xff\xfe", id="bytes"),
        pytest.param(b'{"email": "\xff"}', id="latin"),
        pytest.param(b'{"email": "\\ud800", "password": "\\ud800"}', id="half a sign"),
        pytest.param(b"[" * 100_000, id="deep list"),
        pytest.param(b'{"a":' * 100_000, id="deep object"),
    ],
)
@pytest.mark.parametrize("path", ["/customers/login", "/customers/", "/inventory/"])
def test_a_body_that_is_no_object(mike: Person, path: str, raw: bytes) -> None:
    answer = mike.call("POST", path, data=raw, headers=JSON)
    assert answer.status in ((400, 401) if path.endswith("login") else (400,))


def test_413(mike: Person, nobody: Caller) -> None:
    huge = {"part_name": "x" * 5_000_000, "price": 1.5, "quantity_in_stock": 1}
    for caller, path in ((mike, "/inventory/"), (nobody, "/customers/login")):
        answer = caller.post(path, huge)
        assert answer.status == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "text/csv", "nonsense"])
def test_415(mike: Person, kind: str) -> None:
    answer = mike.call("POST", "/inventory/", data=b"{}", headers={"Content-Type": kind})
    assert answer.status == 415


@pytest.mark.parametrize("path", ["/customers/", "/service_tickets/1", "/nothing", "/mechanics/"])
def test_json_whatever_is_accepted(nobody: Caller, path: str) -> None:
    for accept in ("application/json", "*/*", "image/png", "application/xml"):
        answer = nobody.get(path, headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith("application/json"), accept


def test_every_request_has_an_id_of_its_own(nobody: Caller) -> None:
    ids = {
        nobody.get(path).headers["X-Request-ID"] for path in ("/customers/", "/no", "/mechanics/")
    }
    assert len(ids) == 3


def test_times_have_an_offset_and_numbers_are_numbers(
    world: World, mike: Person, sarah: Person
) -> None:
    ticket = mike.get(f"/service_tickets/{world.ticket(mike, sarah.id)['id']}").body
    for name in ("created_at", "updated_at"):
        at = datetime.fromisoformat(ticket[name])
        assert at.utcoffset() is not None
        assert abs((datetime.now(at.tzinfo) - at).total_seconds()) < 300
    part = world.part(mike, price=45.99, cost=20)
    raw = mike.get(f"/inventory/{part['id']}").text
    assert re.search(r'"price":\s*45\.99[,}]', raw)
    assert re.search(r'"cost":\s*20(\.0+)?[,}]', raw)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/customers/%00", {}),
        ("/customers/1%0a", {}),
        ("/customers/9999999999999999999999999", {}),
        ("/customers/?name=%00", {}),
        ("/customers/?name=%ff", {}),
        ("/customers/?page=%F0%9F%98%80", {}),
        ("/inventory/search?part_name=%00", {}),
        ("/inventory/search", {}),
        ("/service_tickets/?service_date=9999999-01-01", {}),
        ("/service_tickets/?customer_id=1e400", {}),
        ("/inventory/?ordering=%27%3B--", {}),
        ("/customers/?format=xml", {}),
        ("/customers/", {"headers": {"If-None-Match": '"\xe9'.encode("latin-1")}}),
        ("/customers/", {"headers": {"Accept": ";;;"}}),
        ("/customers/", {"headers": {"Range": "bytes=0-1"}}),
    ],
)
def test_nothing_a_client_sends_is_a_500(mike: Person, path: str, options: dict[str, Any]) -> None:
    mike.get(path, **options)  # `keeps` looks at the answer


def test_another_hosts_name_is_refused_in_json(nobody: Caller) -> None:
    assert nobody.get("/customers/", headers={"Host": "evil.example"}).status == 400


PUBLIC = [
    "/customers/",
    "/customers/1",
    "/customers/top",
    "/mechanics/top",
    "/service_tickets/",
    "/service_tickets/1",
    "/inventory/",
    "/inventory/1",
]


def test_public_reads_can_be_closed(
    world: World, private: str, mike: Person, sarah: Person
) -> None:
    world.ticket(mike, sarah.id)
    world.part(mike)
    anyone, signed_in = Caller(private), world.at(private, mike)
    for path in PUBLIC:
        assert anyone.get(path).status == 401, path
        assert anyone.get(f"/api/v1{path}").status == 401, path
        assert signed_in.get(path).status == 200, path
    assert world.at(private, sarah).get(f"/customers/{sarah.id}").body["email"] == sarah.email
    login = {"email": sarah.email, "password": "correct horse battery"}
    assert anyone.post("/customers/login", login).status == 200
    new = {"name": "New", "email": f"{fresh('new')}@example.com", "phone": "+1 555 010 2030"}
    assert anyone.post("/customers/", new | {"password": login["password"]}).status == 201


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs", "/api/redoc/", "/api/redoc"])
def test_the_pages_load_nothing_from_outside(world: World, path: str) -> None:
    page = requests.get(world.url + path, timeout=30)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)
    assert loaded
    for address in loaded:
        assert not re.match(r"(https?:)?//", address), f"{address} is outside"
        if not address.startswith("data:"):
            found = requests.get(requests.compat.urljoin(page.url, address), timeout=30)
            assert found.status_code == 200, address
    assert not re.findall(r"url\(['\"]?(?:https?:)?//", page.text)
    # What a library asks its maker for while it runs, a policy has to stop.
    scripts = [address for address in loaded if address.endswith(".js")]
    assert scripts
    texts = [
        requests.get(requests.compat.urljoin(page.url, one), timeout=30).text for one in scripts
    ]
    if any("https://cdn." in text for text in texts):
        policy = page.headers.get("Content-Security-Policy", "") + page.text
        assert "default-src 'self'" in policy
        assert "https:" not in policy.partition("img-src")[2].partition(";")[0]


def test_the_schema(nobody: Caller) -> None:
    answer = nobody.get("/api/schema/?format=json")
    assert answer.status == 200
    assert answer.body["openapi"].startswith("3.")
    paths = {path.replace("/api/v1", "").rstrip("/") for path in answer.body["paths"]}
    for path in ("/customers", "/mechanics/login", "/inventory/low-stock", "/customers/my-tickets"):
        assert path in paths


@pytest.mark.django_db
@pytest.mark.parametrize("error", [(2006, "gone away"), (2013, "lost"), ("database is locked",)])
@pytest.mark.parametrize("path", ["/inventory/1", "/customers/", "/mechanics/top"])
def test_503_when_the_database_cannot_answer(path: str, error: tuple[Any, ...]) -> None:
    """In this process: there is no polite way to take a running server's database away."""

    def fail(*_: Any) -> None:
        raise OperationalError(*error)

    client = APIClient(raise_request_exception=False)
    with connection.execute_wrapper(fail):
        answer = client.get(path)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) >= 1
    assert set(answer.json()) >= {"code", "message"}
    assert answer["X-Request-ID"]
