"""Cursors through the API: every list, every kind of wrong one, and what they give away."""

import base64
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.db import connection

from autoful.api import caching, cursors
from autoful.api.caching import Page
from autoful.api.cursors import Cursor, order_of, write
from autoful.api.pagination import Pages
from autoful.api.shelf import Shelf
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.filters import PublicCustomerFilter
from customers.tests.factories import CustomerFactory
from inventory.filters import PublicPartFilter
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tests.test_ugly_queries import RAW
from tickets.filters import PublicTicketFilter
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

LISTS = {
    "/customers": "customers",
    "/mechanics": "mechanics",
    "/inventory": "inventory",
    "/service_tickets": "service_tickets",
    "/inventory/search?part_name=part": "parts",
    "/inventory/low-stock?threshold=100": "parts",
    "/inventory/low-stock": "parts",
    "/customers/my-tickets": "tickets",
}
PUBLIC = {
    "/customers": PublicCustomerFilter,
    "/inventory": PublicPartFilter,
    "/service_tickets": PublicTicketFilter,
}


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def people(db: None, nobody: Persona, sarah: Persona, mike: Persona) -> dict[str, Persona]:
    """Who reads the lists, each of which has several pages of three."""
    for n in range(7):
        PartFactory.create(quantity_in_stock=n % 3, cost=None if n % 3 else Decimal(n))
        ServiceTicketFactory.create(customer=sarah.profile)
        CustomerFactory.create()
        MechanicFactory.create()
    return {"nobody": nobody, "sarah": sarah, "mike": mike}


def plus(path: str, **query: Any) -> str:
    more = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return path + ("&" if "?" in path else "?") + more


def said(person: Persona, path: str, **query: Any) -> dict[str, Any]:
    answer = person.get(plus(path, **query))
    assert answer.status_code == 200, answer.content
    pagination: dict[str, Any] = answer.json()["pagination"]
    return pagination


def refused(person: Persona, path: str, **query: Any) -> str:
    answer = person.get(plus(path, **query))
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == "invalid"
    [[message]] = answer.json()["fields"].values()
    assert list(answer.json()["fields"]) == ["cursor"]
    return str(message)


@pytest.mark.parametrize("path", LISTS)
def test_every_list_can_be_walked(path: str, people: dict[str, Persona]) -> None:
    caller, key = people["sarah" if "my-tickets" in path else "mike"], LISTS[path]
    whole = caller.get(plus(path, per_page=100)).json()
    pages, cursor = [], ""
    while cursor is not None:
        page = caller.get(plus(path, per_page=3, cursor=cursor)).json()
        assert set(page["pagination"]) == {
            *("per_page", "total_pages", "total_items", "next_cursor", "previous_cursor")
        }
        assert page["pagination"]["total_items"] == len(whole[key]) > 3
        assert set(page) == set(whole)
        pages += page[key]
        cursor = page["pagination"]["next_cursor"]
    assert pages == whole[key]
    before = page["pagination"]["previous_cursor"]
    assert (
        caller.get(plus(path, per_page=3, cursor=before)).json()[key]
        == (whole[key][-len(page[key]) - 3 : -len(page[key])])
    )


@pytest.mark.parametrize("path", LISTS)
def test_wrong_cursors_of_every_list(path: str, people: dict[str, Persona]) -> None:
    caller = people["sarah" if "my-tickets" in path else "mike"]
    cursor = said(caller, path, per_page=3, cursor="")["next_cursor"]
    for name, raw in RAW.items():
        if name != "nothing":
            answer = caller.get(f"{path}{'&' if '?' in path else '?'}cursor={raw}")
            assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"]), name
    for damaged in (
        *(cursor[:-1], cursor[1:], cursor + "=", cursor * 2, cursor.upper(), f" {cursor}"),
        *(cursor.replace(".", ":"), cursor.partition(".")[0], "x" * 5_000, f"{cursor}\n"),
    ):
        assert refused(caller, path, cursor=damaged) == cursors.UNKNOWN
    for page in ("1", "2", "", "x"):
        message = refused(caller, path, cursor=cursor, page=page)
        assert message == refused(caller, path, cursor="", page=page)
        assert "not by both" in message
    assert caller.get(plus(path, cursor=cursor, per_page="x")).status_code == 400


def test_a_cursor_of_another_ordering_says_so(people: dict[str, Persona]) -> None:
    mike = people["mike"]
    by_cost = said(mike, "/inventory", per_page=3, cursor="", ordering="-cost")["next_cursor"]
    message = refused(mike, "/inventory", cursor=by_cost, ordering="cost")
    assert message == "This cursor belongs to the ordering -cost,-id, not to cost,id."
    assert "not to part_name,id" in refused(mike, "/inventory", cursor=by_cost)
    assert said(mike, "/inventory", cursor=by_cost, ordering="-cost,-id,price")
    tickets = said(mike, "/service_tickets", per_page=3, cursor="", ordering="id")["next_cursor"]
    assert refused(mike, "/customers", cursor=tickets, ordering="id") == cursors.UNKNOWN


def test_filters_may_change_on_the_way(people: dict[str, Persona]) -> None:
    mike = people["mike"]
    cursor = said(mike, "/inventory", per_page=3, cursor="", ordering="id")["next_cursor"]
    last = Part.objects.latest("id")
    name = last.part_name
    found = mike.get(plus("/inventory", cursor=cursor, ordering="id", part_name=name)).json()
    assert [row["id"] for row in found["inventory"]] == [last.pk]


@pytest.mark.parametrize("query", [{"page": 1}, {"cursor": ""}])
def test_a_row_that_goes_after_its_key_was_read_is_not_there(
    query: dict[str, Any], people: dict[str, Persona], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_keys = Pages.paginate_queryset

    def and_then(self: Pages, *args: Any, **more: Any) -> list[Any]:
        keys = read_keys(self, *args, **more)
        Part.objects.filter(pk=keys[1]["pk"]).delete()
        return keys

    monkeypatch.setattr(Pages, "paginate_queryset", and_then)
    before = list(Part.objects.order_by("part_name", "id").values_list("pk", flat=True))
    # Narrowed, or the rows come along with their keys.
    path = plus("/inventory", per_page=3, part_name="a", **query)
    rows = people["nobody"].get(path).json()["inventory"]
    assert [row["id"] for row in rows] == [before[0], before[2]]


# --- What a cursor gives away ---------------------------------------------------------------------


def test_the_public_cannot_go_on_from_what_it_cannot_order_by(people: dict[str, Persona]) -> None:
    for path, ordering in (("/inventory", "cost"), ("/customers", "email")):
        cursor = said(people["mike"], path, per_page=3, cursor="", ordering=ordering)["next_cursor"]
        for name in ("nobody", "sarah"):
            answer = people[name].get(plus(path, cursor=cursor, ordering=ordering))
            assert answer.status_code == 403
            refused(people[name], path, cursor=cursor)


def shown(cursor: str) -> Any:
    packed = cursor.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(packed + "=="))


def test_a_cursor_says_no_more_than_the_page_it_came_with(people: dict[str, Persona]) -> None:
    """To the public, whatever it may order by; a member of the shop is shown every column anyway."""
    for path, filters in PUBLIC.items():
        for ordering, _ in filters.base_filters["ordering"].extra["choices"]:
            query = {"per_page": 3, "cursor": "", "ordering": ordering}
            answer = people["nobody"].get(plus(path, **query)).json()
            row = answer[LISTS[path]][-1]
            side, order, values = shown(answer["pagination"]["next_cursor"])
            assert (side, len(values)) == (">", len(order.split(",")))
            for column, value in zip(order.split(","), values, strict=True):
                there = row[column.lstrip("-")]
                assert (float(value) if isinstance(there, float) else value) == there


# --- The cache, and the pages of the browsable API ------------------------------------------------


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The keys of the pages that are kept."""
    keys: list[Any] = []

    class Recorder(Shelf[Page]):
        def put(self, key: Any, thing: Page, size: int) -> None:
            keys.append(key)
            super().put(key, thing, size)

    monkeypatch.setattr(caching, "_pages", Recorder(caching.MOST_BYTES))
    return keys


def test_pages_by_cursor_are_cached_and_wrong_cursors_fill_nothing(
    people: dict[str, Persona], kept: list[Any]
) -> None:
    nobody = people["nobody"]
    cursor = said(nobody, "/inventory", per_page=3, cursor="")["next_cursor"]
    first = nobody.get(plus("/inventory", per_page=3, cursor=cursor))
    assert len(set(kept)) == 2
    with Statements(connection) as queries:
        again = nobody.get(plus("/inventory", cursor=cursor, per_page="03", utm_source="x"))
    assert (again.content, len(queries)) == (first.content, 0)
    order = order_of(Part.objects.order_by("part_name", "id"))
    other = [Cursor(">", (f"Part {n}", n)) for n in range(5)]
    for text in (
        *("x", cursor[:-1], cursor.swapcase(), cursor + "A"),
        *(write(place, order)[:-43] + cursor[-43:] for place in other),
        *(write(place, order_of(Part.objects.order_by("-id"))) for place in [Cursor(">", (1,))]),
    ):
        refused(nobody, "/inventory", cursor=text)
    assert len(kept) == 2


def test_the_browsable_api_has_links_to_the_pages_beside(people: dict[str, Persona]) -> None:
    def links(path: str) -> dict[str, dict[str, list[str]]]:
        html = people["nobody"].get(path, HTTP_ACCEPT="text/html").content.decode()
        pager = html[html.index('class="pager"') :]
        found = re.findall(r'href="([^"#]+)"[^>]*>(.*?)</a>', pager[: pager.index("</ul>")], re.S)
        return {
            "next" if "Next" in text or "&rarr;" in text else "previous": parse_qs(
                urlsplit(href.replace("&amp;", "&")).query, keep_blank_values=True
            )
            for href, text in found
        }

    assert links("/inventory?per_page=3&page=2") == {
        "previous": {"per_page": ["3"], "page": ["1"]},
        "next": {"per_page": ["3"], "page": ["3"]},
    }
    start = said(people["nobody"], "/inventory", per_page=3, cursor="")
    [onward] = links("/inventory?per_page=3&cursor=").items()
    assert onward == ("next", {"per_page": ["3"], "cursor": [start["next_cursor"]]})
    middle = links(plus("/inventory", per_page=3, cursor=start["next_cursor"]))
    assert set(middle) == {"previous", "next"}
    back = links(plus("/inventory", per_page=3, cursor=middle["previous"]["cursor"][0]))
    assert set(back) == {"next"}
