"""The OpenAPI schema says what the server does, and the server does what the schema says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from openapi_schema_validator import (
    OAS30ReadValidator,
    OAS30WriteValidator,
    oas30_format_checker,
)

from autoful.testing.http import Caller
from autoful.testing.shops import ROOT, Shop, shop
from tests.schema_hooks import close

ROUTES = """
    POST   /customers/login
    POST   /customers
    GET    /customers
    GET    /customers/{id}
    GET    /customers/my-tickets
    PUT    /customers/{id}
    DELETE /customers/{id}
    GET    /customers/top
    POST   /mechanics/login
    POST   /mechanics
    GET    /mechanics
    GET    /mechanics/{id}
    GET    /mechanics/top
    PUT    /mechanics/{id}
    DELETE /mechanics/{id}
    POST   /service_tickets
    GET    /service_tickets
    GET    /service_tickets/{id}
    PATCH  /service_tickets/{id}
    PUT    /service_tickets/{id}/assign-mechanic/{mechanic_id}
    PUT    /service_tickets/{id}/remove-mechanic/{mechanic_id}
    PUT    /service_tickets/{id}/edit-mechanics
    POST   /service_tickets/{id}/add-inventory
    PUT    /service_tickets/{id}/remove-inventory/{line_id}
    DELETE /service_tickets/{id}
    POST   /inventory
    GET    /inventory
    GET    /inventory/{id}
    GET    /inventory/search
    GET    /inventory/low-stock
    PUT    /inventory/{id}
    DELETE /inventory/{id}
"""
PUBLIC = {
    *("POST /customers/login", "POST /customers", "GET /customers", "GET /customers/{id}"),
    *("GET /customers/top", "POST /mechanics/login", "POST /mechanics", "GET /mechanics/top"),
    *("GET /service_tickets", "GET /service_tickets/{id}", "GET /inventory", "GET /inventory/{id}"),
}
ROWS = 6
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Made without a warning and valid OpenAPI, or there is none."""
    made = tmp_path_factory.mktemp("schema") / "schema.json"
    command = ["spectacular", "--format=openapi-json", "--validate", "--fail-on-warn"]
    call_command(*command, "--file", str(made))
    read: dict[str, Any] = json.loads(made.read_text())
    close(read)
    return read


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def examples_of(content: dict[str, Any]) -> list[Any]:
    media = content["application/json"]
    single = [media["example"]] if "example" in media else []
    return single + [example["value"] for example in media.get("examples", {}).values()]


def errors_in(
    example: Any, content: dict[str, Any], schema: dict[str, Any], kind: Any
) -> list[str]:
    shape = content["application/json"]["schema"] | {"components": schema["components"]}
    validator = kind(shape, format_checker=oas30_format_checker)
    return [error.message for error in validator.iter_errors(example)]


def test_every_route_of_the_contract_and_no_other(schema: dict[str, Any]) -> None:
    promised = [" ".join(line.split()) for line in ROUTES.strip().splitlines()]
    assert sorted(name for name, _ in operations(schema)) == sorted(promised)


def test_the_routes_that_need_no_sign_in(schema: dict[str, Any]) -> None:
    open_to_all = {name for name, op in operations(schema) if {} in op.get("security", [{}])}
    assert open_to_all == PUBLIC


def test_every_route_is_described(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        assert operation["summary"], name
        assert len(operation["description"].split()) >= 2, name
        assert operation["description"] != operation["summary"], name
    said = [operation["summary"] for _, operation in operations(schema)]
    assert len(set(said)) == len(said)


def test_a_409_says_when_to_ask_again_where_the_same_request_may_be_under_way(
    schema: dict[str, Any],
) -> None:
    for name, operation in operations(schema):
        conflict = operation["responses"].get("409")
        if conflict is not None:
            keyed = any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", []))
            header = conflict["headers"].get("Retry-After")
            assert (header is not None) == keyed, name
            # Somebody who was faster is a 409 too, and asking again does not help.
            assert header is None or header["required"] is False, name


def test_every_route_has_examples_that_fit_their_schemas(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        if body := operation.get("requestBody"):
            assert list(body["content"]) == ["application/json"], name
            assert examples_of(body["content"]), f"{name}: no example of a request"
            for example in examples_of(body["content"]):
                wrong = errors_in(example, body["content"], schema, OAS30WriteValidator)
                assert not wrong, f"{name}: {wrong}"
        answers = operation["responses"]
        assert [code for code in answers if code.startswith("2")], name
        for code, response in answers.items():
            assert response["description"], f"{name} {code}"
            examples = examples_of(response["content"]) if "content" in response else []
            assert examples or not code.startswith("2"), f"{name} {code}: no example"
            for example in examples:
                wrong = errors_in(example, response["content"], schema, OAS30ReadValidator)
                assert not wrong, f"{name} {code}: {wrong}"


def test_an_example_that_does_not_fit_would_be_seen(schema: dict[str, Any]) -> None:
    """The control of the test above."""
    answer = schema["paths"]["/inventory/{id}"]["get"]["responses"]["200"]["content"]
    [good] = examples_of(answer)
    assert not errors_in(good, answer, schema, OAS30ReadValidator)
    for bad in (good | {"price": "45.99"}, good | {"supplier": "us"}, {"id": 7}):
        assert errors_in(bad, answer, schema, OAS30ReadValidator), bad


def enter_rows(url: str) -> dict[str, str]:
    """Six rows of everything; returns the tokens of customer 1 and mechanic 1."""
    anyone = Caller(url)
    tokens = {}
    for role, more in (("customer", {}), ("mechanic", {"salary": 52000})):
        for n in range(1, ROWS + 1):
            email = f"{role}{n}@example.com"
            person = {
                "name": f"{role} {n}",
                "email": email,
                "phone": "+1 555 010 2030",
                "password": PASSWORD,
                **more,
            }
            entered = anyone.post(f"/{role}s/", person)
            assert (entered.status, entered.body["id"]) == (201, n), entered.text
        signed_in = anyone.post(
            f"/{role}s/login", {"email": f"{role}1@example.com", "password": PASSWORD}
        )
        tokens[role] = signed_in.body["token"]
    mechanic = Caller(url, token=tokens["mechanic"])
    for n in range(1, ROWS + 1):
        part = {"part_name": f"Part {n}", "price": n, "cost": 0.5, "quantity_in_stock": 100_000}
        assert mechanic.post("/inventory/", part).body["id"] == n
        ticket = {
            "customer_id": n,
            "VIN": f"1HGCM82633A00435{n}",
            "service_desc": "Brakes squeal",
            "service_date": "2026-03-14",
        }
        assert mechanic.post("/service_tickets/", ticket).body["id"] == n
        used = {"inventory_id": n, "quantity_used": 2}
        assert mechanic.post(f"/service_tickets/{n}/add-inventory", used).status == 201
        assert mechanic.put(f"/service_tickets/{n}/assign-mechanic/{n}").status == 200
    return tokens


def as_owner(ours: Shop, url: str, tokens: dict[str, str]) -> dict[str, str]:
    ours.manage(
        "createsuperuser",
        "--noinput",
        "--email=owner@example.com",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    owner = Caller(url)
    owner.sign_in_to_admin("owner@example.com", PASSWORD)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in owner.session.cookies)
    return {"Cookie": cookies, **owner.headers}


def as_bearer(role: str) -> Callable[[Shop, str, dict[str, str]], dict[str, str]]:
    return lambda ours, url, tokens: {"Authorization": f"Bearer {tokens[role]}"}


CALLERS = {
    "owner": as_owner,
    "mechanic": as_bearer("mechanic"),
    "customer": as_bearer("customer"),
    "nobody": lambda ours, url, tokens: {},
}


# It takes a minute for each caller, so each set-up is asked by one of the four, and by all when it is
# told how hard to look, as every week.
OF_EMBEDDED, OF_PRODUCTION = "owner", "mechanic"


@pytest.mark.parametrize("caller", CALLERS)
def test_the_server_does_what_the_schema_says(caller: str, tmp_path: Path) -> None:
    """Every check of schemathesis on every route, with data that is right and that is wrong.

    AUTOFUL_FUZZ_EXAMPLES makes it look harder; the seed makes it look at the same things again.
    """
    embedded = not os.environ.get("DATABASE_URL")
    asks = OF_EMBEDDED if embedded else OF_PRODUCTION
    if "AUTOFUL_FUZZ_EXAMPLES" not in os.environ and caller != asks:
        pytest.skip("AUTOFUL_FUZZ_EXAMPLES=5 lets every caller ask, on both set-ups")
    examples = os.environ.get("AUTOFUL_FUZZ_EXAMPLES", "5")
    seed = os.environ.get("AUTOFUL_FUZZ_SEED", "20260314")
    server = {
        "AUTOFUL_RATE_LIMITS": "off",
        "DJANGO_SETTINGS_MODULE": "tests.schema_settings",
    }
    with shop(tmp_path) as ours, ours.serve(**server) as url:
        tokens = enter_rows(url)
        headers = CALLERS[caller](ours, url, tokens)
        command = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{url}/api/schema/?format=json",
        ]
        command += ["--checks=all", "--mode=all", f"--max-examples={examples}", f"--seed={seed}"]
        command += ["--generation-database=none", "--suppress-health-check=all", "--no-color"]
        command += ["--warnings=off", "--request-timeout=30", "--continue-on-failure"]
        if caller == "owner":
            # A made-up Authorization header of another scheme beside a good session is none of
            # ours to refuse. Made-up tokens are nobody's case; every caller's are taken away.
            command += ["--generation-with-security-parameters=false"]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        more = {
            "SCHEMATHESIS_HOOKS": "tests.schema_hooks",
            "FUZZ_CALLER": caller,
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | more,
            capture_output=True,
            text=True,
            check=False,
        )
        (tmp_path / "schemathesis.txt").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-2000:]}"
