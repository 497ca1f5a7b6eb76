"""Filters, pages, paths, headers and the back office's pages with values nobody should send.

Which filters there are comes from the viewsets, which pages of the back office from its site.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import django_filters
import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.api.filters import IdFilter, TextFilter
from autoful.testing.pages import fields_of
from autoful.testing.personas import Persona
from customers.tests.factories import CustomerFactory
from customers.views import CustomerViewSet
from inventory.models import Part
from inventory.tests.factories import PartFactory
from inventory.views import PartViewSet
from mechanics.views import MechanicViewSet
from tests import ugly
from tests.soundness import everything
from tests.ugly import TEXTS, chosen
from tickets.tests.factories import ServiceTicketFactory
from tickets.views import ServiceTicketViewSet

pytestmark = pytest.mark.django_db

VIEWSETS = {
    "/customers": CustomerViewSet,
    "/mechanics": MechanicViewSet,
    "/inventory": PartViewSet,
    "/service_tickets": ServiceTicketViewSet,
}

# As they stand in the query string.
RAW = {name: quote(text) for name, text in TEXTS.items()} | {
    "NUL": "a%00b",
    "no UTF-8": "%ff%fe",
    "half an escape": "%",
    "an escape of nothing": "%zz",
    "a surrogate": "%ed%a0%80",
    "long": "x" * 3_000,
    "nothing": "",
    "spaces": "%20%20",
    "plus": "+",
    "minus one": "-1",
    "zero": "0",
    "a fraction": "1.0",
    "a billion": "1e9",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "5,000 digits": "9" * 5_000,
    "past 64 bits": "18446744073709551616",
    "digits of another script": quote("\u0661\u0662"),
    "wide digits": quote("\uff11"),
    "underscore": "1_0",
    "a date": "2026-02-30",
    "a year": "99999-01-01",
    "a list": "1,2,,3",
    "true": "true",
    "semicolon": "1;page=2",
    "ampersand": "%26page=2",
}

NOTHING = {"nothing"}  # no filter at all
BLANK = NOTHING | {"spaces", "plus"}  # what is nothing once it is trimmed
# Digits of any script are a number, as Python reads them.
IDS = {"a number as text", "a fraction", "digits of another script", "wide digits", "underscore"}


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


def expected(kind: Any, value: str) -> set[int]:
    """The status that a filter of this kind answers with."""
    if isinstance(kind, TextFilter):
        sent = unquote(RAW[value])
        return {400 if "\0" in sent or len(sent) > kind.extra["max_length"] else 200}
    if isinstance(kind, IdFilter):
        return {200 if value in IDS | NOTHING else 400}
    known = django_filters.OrderingFilter | django_filters.ChoiceFilter | django_filters.DateFilter
    assert isinstance(kind, known), f"a filter that nobody thought of: {kind}"
    return {200 if value in NOTHING else 400}


def kept_to(answer: Any, statuses: set[int], at: str) -> list[str]:
    if answer.status_code not in statuses:
        return [f"{at}: {answer.status_code} {answer.content[:160]!r}, not {statuses}"]
    if answer.status_code >= 400 and not {"code", "message"} <= {*answer.json()}:
        return [f"{at}: {answer.json()}"]
    return []


@pytest.mark.parametrize("who", ["mike", "nobody"])
def test_every_filter_with_every_value(who: str, request: pytest.FixtureRequest) -> None:
    """As one of the shop, and as nobody: what is the shop's own to ask for is refused unread."""
    person: Persona = request.getfixturevalue(who)
    ServiceTicketFactory.create()
    PartFactory.create()
    before = everything()
    wrong = []
    for path, viewset in VIEWSETS.items():
        filters = viewset.filterset_class.base_filters
        public = viewset.public_filterset_class.base_filters
        for place, (name, kind) in enumerate(filters.items()):
            for number, (value, raw) in enumerate(RAW.items()):
                if not chosen(place, number):
                    continue
                statuses = expected(kind, value)
                if who == "nobody" and viewset is MechanicViewSet:
                    statuses = {401}  # it has no public view
                elif who == "nobody" and name not in public:
                    statuses = {403}
                at = f"{who}: {path}?{name}={value}"
                answer = person.get(f"{path}?{name}={raw}")
                wrong += kept_to(answer, statuses, at)
                if answer.status_code == 200 and value in TEXTS and isinstance(kind, TextFilter):
                    rows = answer.json()[viewset.list_name]
                    wrong += [f"{at}: finds {rows}"] if rows else []
    assert not wrong, "\n".join(wrong)
    assert everything() == before


TAKEN = ("1", "100", "1000000000", "999999999999999")
REFUSED = ("9999999999999999", "0", "-1", "1e9", "1.0", "+1", "%201", "", "x", "%00", "%ff", "NaN")
PAGES = dict.fromkeys(TAKEN, 200) | dict.fromkeys(REFUSED, 400)
PAGES |= {quote("\uff11"): 400, "9" * 5_000: 400, "1_0": 400}


def test_pages_of_every_list(mike: Persona, sarah: Persona) -> None:
    PartFactory.create_batch(3)
    lists = dict.fromkeys(
        (*VIEWSETS, "/inventory/search?part_name=x", "/inventory/low-stock"), mike
    ) | {"/customers/my-tickets": sarah}
    for path, person in lists.items():
        for raw, status in PAGES.items():
            for name in ("page", "per_page"):
                answer = person.get(f"{path}{'&' if '?' in path else '?'}{name}={raw}")
                assert answer.status_code == status, (path, name, raw, answer.content[:200])
                if status == 200:
                    said = answer.json()["pagination"]
                    assert said["per_page"] <= 100
    beyond = mike.get("/inventory?page=999999999999999&per_page=1000000000").json()
    assert beyond["inventory"] == []
    assert (beyond["pagination"]["per_page"], beyond["pagination"]["total_items"]) == (100, 3)


THRESHOLDS = {"0": 200, "9999999": 200, "10000000": 400, "-1": 400, "1.5": 400, "": 200}
THRESHOLDS |= {"%00": 400, "NaN": 400, quote("\uff11"): 400, "9" * 5_000: 400, "5%0a": 200}


def test_the_search_and_the_low_stock(mike: Persona) -> None:
    part = PartFactory.create()
    for raw, status in THRESHOLDS.items():
        answer = mike.get(f"/inventory/low-stock?threshold={raw}")
        assert answer.status_code == status, (raw, answer.content[:200])
    assert mike.get("/inventory/search").status_code == 400
    for value, raw in RAW.items():
        answer = mike.get(f"/inventory/search?part_name={raw}")
        status = 400 if value in BLANK | {"NUL", "long", "5,000 digits"} else 200
        assert answer.status_code == status, (value, answer.content[:200])
    for text in TEXTS.values():
        Part.objects.filter(pk=part.pk).update(part_name=f"A {text} part")
        found = mike.get(f"/inventory/search?part_name={quote(text)}").json()["parts"]
        assert [row["id"] for row in found] == [part.pk], text


PATHS = ["0", "9" * 18, "9" * 19, "-1", "1.0", "1e3", "%00", "%2e%2e", "..", "%ff", "a", "%20"]
PATHS += [
    quote("\uff11"),
    quote("\u0661"),
    quote("🔧"),
    "1%00",
    "1%0a",
    "%27%20OR%201=1",
    "x" * 3000,
]


def test_no_number_in_a_path_is_a_row_that_is_not_there(mike: Persona, sarah: Persona) -> None:
    ticket = ServiceTicketFactory.create()
    before = everything()
    for number in PATHS:
        for method, path in (
            *(("get", f"{path}/{number}") for path in VIEWSETS),
            ("patch", f"/service_tickets/{number}"),
            ("put", f"/inventory/{number}"),
            ("delete", f"/inventory/{number}"),
            ("put", f"/service_tickets/{number}/edit-mechanics"),
            ("post", f"/service_tickets/{number}/add-inventory"),
            ("put", f"/service_tickets/{ticket.pk}/assign-mechanic/{number}"),
            ("put", f"/service_tickets/{ticket.pk}/remove-mechanic/{number}"),
            ("put", f"/service_tickets/{ticket.pk}/remove-inventory/{number}"),
        ):
            answer = getattr(mike, method)(path)
            wrong = kept_to(answer, {400, 404, 405}, f"{method} {path[:60]}")
            assert not wrong, wrong
    assert everything() == before


HEADERS = [
    *("HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE"),
    *("HTTP_COOKIE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH"),
    *("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"),
    *("HTTP_RANGE", "HTTP_X_CSRFTOKEN", "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_ACCEPT_ENCODING"),
    *("CONTENT_TYPE", "HTTP_IDEMPOTENCY_KEY", "HTTP_USER_AGENT", "HTTP_EXPECT"),
]


def test_no_header_breaks_anything(nobody: Persona, boss: Persona) -> None:
    PartFactory.create()
    # A server hands headers over as Latin-1.
    values = [text.encode().decode("latin-1") for text in TEXTS.values()]
    values += ["", "\x00", "x" * 9_000, "Bearer", "Bearer a.b.c", "sessionid=\x00; csrftoken=x"]
    values += ["*/*;q=x", ";;;", "=?utf-8?q?x?=", "9" * 5_000, "text/html, */*;q=0.1, nonsense/"]
    paths = ("/inventory", "/service_tickets/1", "/nowhere")
    for place, header in enumerate(HEADERS):
        for number, value in enumerate(values):
            if chosen(place, number):
                path = paths[number % len(paths)]
                answer = nobody.get(path, **{header: value})
                assert answer.status_code < 500, (header, value, path)
                assert answer.headers["X-Request-ID"]


# --- The back office ------------------------------------------------------------------------------


def lists() -> Iterator[tuple[str, Any]]:
    for model, page in admin.site._registry.items():
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), page


def test_no_list_of_the_back_office_breaks(boss: Persona) -> None:
    ServiceTicketFactory.create()
    CustomerFactory.create()
    PartFactory.create()
    boss.put(f"/inventory/{Part.objects.first().pk}", {"price": 2})
    tried = 0
    for place, (url, _) in enumerate(lists()):
        for value, raw in enumerate(RAW.values()):
            queries = (f"q={raw}", f"p={raw}", f"o={raw}", f"{raw}={raw}", f"id__exact={raw}")
            for ask, query in enumerate(queries):
                if (place + value + 7 * ask) % ugly.EVERY**2 == 0:  # a page costs ten calls
                    answer = boss.get(f"{url}?{query}", HTTP_ACCEPT="text/html")
                    assert answer.status_code in (200, 302, 400), (url, query[:80])
                    tried += 1
        for number in PATHS[place % ugly.EVERY : -1 : ugly.EVERY]:
            answer = boss.get(f"{url}{number}/change/", HTTP_ACCEPT="text/html")
            assert answer.status_code in (200, 302, 400, 404), (url, number)
    assert tried > 30


def test_no_form_of_the_back_office_breaks(boss: Persona) -> None:
    """Each box of each form, filled in with one value after the other."""
    texts = [
        *TEXTS.values(),
        "a\0b",
        "x" * 5_000,
        "",
        "   ",
        "-1",
        "1e400",
        "NaN",
        "9" * 5_000,
        "0",
    ]
    texts += ["18446744073709551616", "2026-02-30", "99999-01-01"]
    tried = 0
    for url, page in lists():
        opened: Any = boss.get(f"{url}add/", HTTP_ACCEPT="text/html")
        if opened.status_code == 403:
            continue
        form = fields_of(opened, f"{page.opts.model_name}_form")
        boxes = [name for name in form if name not in ("csrfmiddlewaretoken", "_save")]
        assert boxes, url
        for place in range(0, len(texts), ugly.EVERY):
            # Every box has another value, and in the course of it each has all.
            filled = {box: texts[(place + n) % len(texts)] for n, box in enumerate(boxes)}
            management = {k: v for k, v in form.items() if k.endswith(("_FORMS",))}
            answer = boss.post(f"{url}add/", filled | management, format="multipart")
            assert answer.status_code in (200, 302, 400), (url, filled)
            tried += 1
    assert tried > 10
    assert Permission.objects.exists()


# --- Twins ----------------------------------------------------------------------------------------

TWINS = ["Cafe Filter", "cafe filter", "Café Filter", "CAFÉ FILTER"]


def test_twins_by_case_or_accent_are_parts_of_their_own(mike: Persona) -> None:
    body = {"price": 1, "quantity_in_stock": 1}
    for number, twin in enumerate(TWINS):
        fields = {"part_name": twin, "part_number": twin, "category": twin}
        assert mike.post("/inventory", body | fields).status_code == 201, twin
        again = mike.post("/inventory", body | fields)
        assert (again.status_code, list(again.json()["fields"])) == (400, ["part_number"])
        [found] = mike.get(f"/inventory?part_number={quote(twin)}").json()["inventory"]
        assert found["part_number"] == twin
        assert Part.objects.count() == number + 1


def found_by(client: Persona, query: str) -> set[str]:
    path, key = ("/inventory/search", "parts") if "search" in query else ("/inventory", "inventory")
    answer = client.get(f"{path}?{query.removeprefix('search ')}")
    return {row["part_name"] for row in answer.json()[key]}


def test_searching_minds_neither_case_nor_accent_and_tells_pictures_apart(mike: Persona) -> None:
    for name in [*TWINS, "🔧 set", "🚗 set", "Straße", "100% cotton", "1000 cotton"]:
        PartFactory.create(part_name=name, category=name)
    for text in ("cafe", "CAFÉ", "é f", "E F"):
        assert found_by(mike, f"search part_name={quote(text)}") == {*TWINS}, text
        assert found_by(mike, f"part_name={quote(text)}") == {*TWINS}, text
    for text in TWINS:
        assert found_by(mike, f"category={quote(text)}") == {*TWINS}, text
    assert found_by(mike, "category=cafe") == set()
    assert found_by(mike, f"part_name={quote('🔧')}") == {"🔧 set"}
    assert found_by(mike, f"category={quote('🚗 set')}") == {"🚗 set"}
    assert found_by(mike, f"part_name={quote('0%')}") == {"100% cotton"}
    assert found_by(mike, "part_name=STRA") == {"Straße"}


# An address that may have an account, and those that are the same one or none at all.
ADDRESSES = {
    "ada@example.com": ["ADA@Example.com", " ada@example.com ", "adá@example.com"],
    "ada@example.net": [],
    "jose@example.com": ["josé@example.com", "jose\u0301@example.com", "JOSÉ@EXAMPLE.COM"],
    "ada@exämple.com": ["ADA@EXÄMPLE.COM", "adä@exämple.com"],
}


def test_twins_of_an_address(nobody: Persona, mike: Persona, settings: Any) -> None:
    """What the database could take for one is one account, or two that are told apart."""
    settings.PASSWORD_HASHERS = ["tests.schema_settings.QuickHasher"]
    body = {"phone": "555 0100", "password": "a fine one 1"}
    for address, twins in ADDRESSES.items():
        taken = nobody.post("/customers", body | {"name": address, "email": address})
        assert taken.status_code == 201, (address, taken.content)
        for twin in twins:
            answer = nobody.post("/customers", body | {"name": twin, "email": twin})
            assert answer.status_code in (400, 409), (twin, answer.content)
    for address in ADDRESSES:
        found = mike.get(f"/customers?email={quote(address)}").json()["customers"]
        assert [(row["name"], row["email"]) for row in found] == [(address, address)]
        signed_in = nobody.post("/customers/login", {"email": address, "password": "a fine one 1"})
        assert signed_in.status_code == 200, address
