"""What a client sends on purpose is answered in the one shape, and tells or costs nothing."""

import logging
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.test import RequestFactory
from drf_spectacular.renderers import OpenApiJsonRenderer

from autoful.actor import COMMAND
from autoful.api import caching, documentation
from autoful.middleware import client_address
from autoful.testing.personas import Persona
from autoful.testing.rivals import at_once
from customers.tests.factories import CustomerFactory
from inventory import stock
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


def test_a_body_without_its_length_is_refused_and_changes_nothing(sarah: Persona) -> None:
    path = f"/customers/{sarah.id}"
    answer = sarah.generic("PUT", path, HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_an_email_is_measured_as_it_is_stored(nobody: Persona) -> None:
    body = {"name": "Ada", "phone": "555 0100", "password": "a fine one 1"}
    answer = nobody.post("/customers", body | {"email": "İ" * 240 + "@x.com"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["email"])


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_half_a_surrogate_is_no_text(accept: str, mike: Persona) -> None:
    path = f"/service_tickets/{ServiceTicketFactory.create().pk}"
    for body in (r'{"status": "\ud800"}', r'{"\uDFFF": 1}', r'{"notes": ["\udc00\ud800"]}'):
        answer = mike.generic("PATCH", path, body, "application/json", HTTP_ACCEPT=accept)
        assert (answer.status_code, b"not valid JSON" in answer.content) == (400, True)
    whole = r'{"notes": "\ud83d\udd27"}'
    assert mike.generic("PATCH", path, whole, "application/json").json()["notes"] == "🔧"


def test_a_password_that_was_typed_does_not_come_back_in_the_page(nobody: Persona) -> None:
    body = {"email": "no address", "password": "SECRETPW1"}
    for path in ("/customers/login", "/customers"):
        answer = nobody.post(path, body, HTTP_ACCEPT="text/html")
        assert answer.status_code == 400
        assert b'name="password"' in answer.content
        assert b"SECRETPW1" not in answer.content


def test_a_list_of_too_many_is_refused_before_its_members_are_looked_at(mike: Persona) -> None:
    path = f"/service_tickets/{ServiceTicketFactory.create().pk}/edit-mechanics"
    answer = mike.put(path, {"mechanic_ids": [[]] * 100_000})
    assert answer.status_code == 400
    assert len(answer.content) < 500


@pytest.mark.parametrize("path", ["/customers", "/mechanics", "/inventory", "/service_tickets"])
@pytest.mark.parametrize("ordering", [",", ",,", ", "])
def test_an_ordering_that_names_nothing(path: str, ordering: str, mike: Persona) -> None:
    assert mike.get(f"{path}?ordering={ordering}").status_code in (200, 400)


def test_nobody_takes_the_place_of_a_closed_account(nobody: Persona, sarah: Persona) -> None:
    squatter = {"name": "A T", "phone": "+1 555 0100", "password": "correct horse battery"}
    for address in (f"closed-{sarah.user.pk}@account.invalid", "closed-1@account.invalid"):
        nobody.post("/customers", squatter | {"email": address})
    assert sarah.delete(f"/customers/{sarah.id}").status_code == 200


def test_options_does_not_tell_who_is_there(nobody: Persona) -> None:
    answers = [nobody.options(f"/mechanics/{number}") for number in (1, 999_999)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "fe80::1%" + "a" * 200, "fe80::1"),
        ("10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9, nonsense", "10.0.0.1"),
        ("8.8.8.8", "1.2.3.4", "8.8.8.8"),
    ],
)
def test_the_address_that_counts(peer: str, forwarded: str, address: str, settings: Any) -> None:
    from ipaddress import ip_network

    settings.TRUSTED_PROXIES = [ip_network("10.0.0.1")]
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request.META) == address


@pytest.mark.parametrize("query", ["name__regex=(", "created_at__year=99999", "id__exact=x"])
def test_a_typed_lookup_is_no_error_of_ours(boss: Persona, query: str) -> None:
    CustomerFactory.create()
    answer = boss.get(f"/admin/customers/customer/?{query}", HTTP_ACCEPT="text/html")
    assert answer.status_code in (302, 400)


def test_a_list_is_dropped_once_however_much_changed() -> None:
    part = PartFactory.create(quantity_in_stock=9)
    with transaction.atomic():
        for _ in range(5):
            stock.take(part_id=part.pk, quantity=1, reference="", actor=COMMAND)
        waiting = transaction.get_connection().run_on_commit
        calls = [f for _, f, *_ in waiting if getattr(f, "function", None) is caching.drop]
        with patch.object(calls[0], "function") as drop:
            calls[0]()
    assert len(calls) == 1
    (names,) = (call.args for call in drop.call_args_list)
    assert "inventory" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/admin/login/", "/nowhere", "/customers/", "/api/docs/"])
def test_nothing_is_read_of_a_body_larger_than_any_form(path: str, nobody: Persona) -> None:
    """Django would write a file of any size to the disk before it asks who sends it."""
    nobody.cookies["csrftoken"] = "a" * 32
    answer = nobody.generic("POST", path, b"", CONTENT_LENGTH="120000000")
    assert answer.status_code == 413
    assert answer["X-Request-ID"]


@pytest.mark.parametrize("length", ["abc", "-1", "+5", "1_0", "٣", "5 ", "9" * 5000])
@pytest.mark.parametrize("path", ["/customers/", "/admin/login/"])
def test_a_length_that_is_none_is_a_bad_request(path: str, length: str, nobody: Persona) -> None:
    nobody.cookies["csrftoken"] = "a" * 32
    answer = nobody.generic("POST", path, b"", CONTENT_LENGTH=length)
    assert answer.status_code == 400
    assert path != "/customers/" or answer.json()["code"] == "bad_request"
    assert answer["X-Request-ID"]


def test_the_schema_is_one_whatever_is_asked_of_it(nobody: Persona) -> None:
    """Or whoever asks for ?x=1, ?x=2 … fills the cache in which calls are counted."""
    documentation._generated.cache_clear()
    for n in range(5):
        assert nobody.get(f"/api/schema/?x={n}", HTTP_ACCEPT="application/json").status_code == 200
    assert documentation._generated.cache_info().misses == 1


def test_of_many_who_ask_for_the_schema_first_one_has_it_made(nobody: Persona) -> None:
    """drf-spectacular writes on the views what it finds: two at once end in a 500."""
    documentation._generated.cache_clear()
    renderer = OpenApiJsonRenderer
    made = at_once(*[partial(documentation._rendered, renderer)] * 6)
    assert len(set(made)) == 1
    assert documentation._generated.cache_info().misses == 1


def test_a_name_that_is_not_ours_is_told_so(nobody: Persona) -> None:
    answer = nobody.get("/customers/", HTTP_HOST="evil.example")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "ALLOWED_HOSTS" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_probe_may_ask_by_any_name(path: str, nobody: Persona) -> None:
    """The image's own does by 127.0.0.1, and so does whoever waits for a server to be ready."""
    assert nobody.get(path, HTTP_HOST="evil.example").status_code == 200


def test_a_method_that_nobody_knows_is_not_repeated(
    nobody: Persona, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="autoful.access"):
        nobody.generic("SARAH-AT-EXAMPLE", "/customers/")
    assert [record.method for record in caplog.records] == ["other"]


def test_no_list_is_filtered_by_an_expression_that_never_ends(boss: Persona) -> None:
    PartFactory.create(part_name="a" * 40)
    answer = boss.get("/admin/inventory/part/", {"part_name__regex": "^(a+)+!$"})
    assert answer.status_code in (302, 400)
