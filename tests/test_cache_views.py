"""Cached lists are for whom they were made: nobody is ever served another's view."""

import itertools
import time
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.db import connection

from autoful.actor import COMMAND
from autoful.api import caching
from autoful.api.caching import Page
from autoful.api.shelf import Shelf
from autoful.testing import personas
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from inventory import stock
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)

PATHS = ["customers", "mechanics", "inventory", "service_tickets"]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def people(db: None) -> dict[str, Persona]:
    """Everybody who can ask, and something of each in every list."""
    made = {
        name: getattr(personas, name)()
        for name in ("nobody", "sarah", "tom", "mike", "lisa", "boss", "clerk")
    }
    made["viewer"] = personas.back_office(
        personas.UserFactory.create(email="viewer@example.com", is_staff=True)
    )
    made["viewer"].user.user_permissions.set(Permission.objects.filter(codename="view_part"))
    pads = PartFactory.create(part_name="Brake pads")
    for name, mechanic in (("sarah", "mike"), ("tom", "lisa")):
        ServiceTicketFactory.create(
            customer=made[name].profile, mechanics=[made[mechanic].profile], parts=[(pads, 1)]
        )
    return made


def ask(person: Persona, path: str) -> Any:
    answer = person.get(f"/{path}")
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("path", "alike"),
    [
        # Who is expected to see the same; everybody else sees something of their own.
        ("customers", [["nobody", "clerk", "viewer"], ["mike", "lisa", "boss"]]),
        ("mechanics", [["nobody"], ["sarah", "tom", "clerk", "viewer"]]),
        ("inventory", [["nobody", "sarah", "tom", "clerk"], ["mike", "lisa", "boss"]]),
        ("service_tickets", [["nobody", "clerk", "viewer"], ["mike", "lisa", "boss"]]),
    ],
)
def test_views_never_mix_whoever_reads_first(
    path: str, alike: list[list[str]], people: dict[str, Persona]
) -> None:
    expected = {}
    for name, person in people.items():
        caches["lists"].clear()
        expected[name] = ask(person, path)
    for group in alike:
        assert all(expected[name] == expected[group[0]] for name in group)
    alone = [[name] for name in people if not any(name in group for group in alike)]
    for one, other in itertools.combinations([*alike, *alone], 2):
        assert expected[one[0]] != expected[other[0]]

    for first in people:
        others = [name for name in people if name != first]
        caches["lists"].clear()
        order = [first, *others, first]
        for name in order:
            assert ask(people[name], path) == expected[name], f"{name}, in the order {order}"


def test_every_order_of_first_and_second_reader(people: dict[str, Persona]) -> None:
    expected = {}
    for name, person in people.items():
        caches["lists"].clear()
        expected[name] = ask(person, "service_tickets")
    for first, second in itertools.permutations(people, 2):
        caches["lists"].clear()
        assert ask(people[first], "service_tickets") == expected[first]
        assert ask(people[second], "service_tickets") == expected[second], f"after {first}"


def test_control_one_audience_for_all_would_be_noticed(
    people: dict[str, Persona], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoful.api.viewsets.ShopViewSet.audience", lambda self: "all")
    theirs = ask(people["mike"], "customers")
    assert ask(people["nobody"], "customers") == theirs


# --- What a cached list costs ---------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("nobody", []),
        ("sarah", ["customers_customer"]),
        ("mike", ["mechanics_mechanic"]),
    ],
)
def test_a_cached_list_touches_no_table_but_the_callers_own(
    path: str, name: str, tables: list[str], people: dict[str, Persona]
) -> None:
    if path == "mechanics" and name != "mike":
        pytest.skip("not theirs to read")
    first = ask(people[name], path)
    with Statements(connection) as queries:
        assert ask(people[name], path) == first
    asked = [q["sql"] for q in queries]
    assert len(asked) == len(tables), asked
    assert all(table in sql for table, sql in zip(tables, asked, strict=True))


class Recorder(Shelf[Page]):
    """The pages that are kept in this process, and for how many seconds."""

    def __init__(self) -> None:
        super().__init__(caching.MOST_BYTES)
        self.pages: list[tuple[Any, float]] = []

    def put(self, key: Any, thing: Page, size: int) -> None:
        self.pages.append((key, round(thing.until - time.time())))
        super().put(key, thing, size)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(caching, "_pages", recorder)
    return recorder


def test_pages_are_kept_for_sixty_seconds(people: dict[str, Persona], recorder: Recorder) -> None:
    for path in PATHS:
        ask(people["mike"], path)
    assert [seconds for _, seconds in recorder.pages] == [60] * 4


def test_each_query_is_a_page_of_its_own(people: dict[str, Persona], recorder: Recorder) -> None:
    for query in ("", "?per_page=1", "?per_page=1&page=2", "?status=pending", "?ordering=id"):
        people["nobody"].get(f"/service_tickets{query}")
    people["nobody"].get("/service_tickets?page=2&per_page=1")  # the same, otherwise written
    assert len({key for key, _ in recorder.pages}) == len(recorder.pages) == 5


@pytest.mark.parametrize(
    "query", ["?x=1", "?x=1&x=2", "?_=1700000000", "?page_size=7", "?utm_source=a", "?per__page=3"]
)
def test_what_a_client_makes_up_fills_no_cache(
    query: str, people: dict[str, Persona], recorder: Recorder
) -> None:
    plain = people["nobody"].get("/inventory")
    assert people["nobody"].get(f"/inventory{query}").content == plain.content
    assert len(recorder.pages) == 1


@pytest.mark.parametrize("query", ["?per_page=x", "?page=0", "?page=-1", "?ordering=secret"])
def test_what_is_refused_fills_no_cache(
    query: str, people: dict[str, Persona], recorder: Recorder
) -> None:
    assert people["nobody"].get(f"/inventory{query}").status_code == 400
    assert recorder.pages == []


def test_sizes_that_are_cut_to_one_hundred_are_one_page(
    people: dict[str, Persona], recorder: Recorder
) -> None:
    for size in ("100", "101", "5000", "0100", "999999"):
        assert people["nobody"].get(f"/inventory?per_page={size}").status_code == 200
    for page in ("1", "01"):
        assert people["nobody"].get(f"/inventory?per_page=100&page={page}").status_code == 200
    assert len(recorder.pages) == 1


# --- ETag -----------------------------------------------------------------------------------------


@committing
@pytest.mark.parametrize("name", ["nobody", "sarah", "mike", "boss"])
def test_an_unchanged_list_is_a_304(name: str, people: dict[str, Persona]) -> None:
    caller = people[name]
    first = caller.get("/inventory")
    etag = first["ETag"]
    assert {part.strip() for part in first["Cache-Control"].split(",")} == {"private", "no-cache"}
    assert {"Authorization", "Cookie"} <= {part.strip() for part in first["Vary"].split(",")}
    again = caller.get("/inventory", HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content) == (304, b"")
    stock.receive(part=Part.objects.get(), quantity=1, actor=COMMAND)
    changed = caller.get("/inventory", HTTP_IF_NONE_MATCH=etag)
    assert (changed.status_code, changed["ETag"] != etag) == (200, True)


def test_anothers_etag_is_no_304(people: dict[str, Persona]) -> None:
    etags = {name: people[name].get("/customers")["ETag"] for name in ("nobody", "sarah", "mike")}
    for name, other in itertools.permutations(etags, 2):
        answer = people[name].get("/customers", HTTP_IF_NONE_MATCH=etags[other])
        assert (answer.status_code, answer["ETag"]) == (200, etags[name])
