"""How many rows a list has: counted once for its pages, and never remembered past a change."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection, transaction

from autoful import outage, tally
from autoful.actor import COMMAND
from autoful.api import caching, replica
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.tests.factories import CustomerFactory
from inventory import stock
from inventory.models import Part
from inventory.querysets import PartQuerySet
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = [
    "/inventory?category=brakes",
    "/inventory/search?part_name=part",
    "/inventory/low-stock?threshold=9",
    "/inventory/low-stock",
    "/service_tickets?status=pending",
    "/customers?name=e",
]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def reader(mike: Persona) -> Persona:
    """Who reads the lists; each of them has rows."""
    for _ in range(5):
        PartFactory.create(category="brakes", quantity_in_stock=3)
        ServiceTicketFactory.create()
    return mike


def plus(path: str, **query: Any) -> str:
    more = "&".join(f"{name}={value}" for name, value in query.items())
    return path + ("&" if "?" in path else "?") + more


def counts(person: Persona, path: str, **query: Any) -> tuple[int, int]:
    """What the answer says there are, and how many times they were counted for it."""
    with Statements(connection) as queries:
        answer = person.get(plus(path, per_page=2, **query))
    assert answer.status_code == 200, answer.content
    total: int = answer.json()["pagination"]["total_items"]
    return total, sum("COUNT(*)" in query["sql"] for query in queries)


@pytest.mark.parametrize("path", LISTS)
def test_turning_pages_counts_once(path: str, reader: Persona) -> None:
    total, counted = counts(reader, path)
    assert (total >= 5, counted) == (True, 1)
    for query in ({"page": 2}, {"page": 3}, {"cursor": ""}, {"page": 99}):
        assert counts(reader, path, **query) == (total, 0)


@pytest.mark.parametrize("path", LISTS)
def test_a_change_has_them_counted_again(path: str, reader: Persona) -> None:
    total, _ = counts(reader, path)
    PartFactory.create(category="brakes", quantity_in_stock=3)
    ServiceTicketFactory.create(customer=CustomerFactory.create(name="Eve"))
    assert counts(reader, path, page=2) == (total + 1, 1)


def test_each_filter_has_a_total_of_its_own(reader: Persona) -> None:
    for n in range(2):
        PartFactory.create(category="tyres", part_name=f"Tyre {n}")
    asked = ["category=brakes", "category=tyres", "category=none", "part_name=tyre", ""]
    for _ in range(2):
        seen = [counts(reader, f"/inventory?{query}")[0] for query in asked]
        assert seen == [5, 2, 0, 2, 7]


def test_the_cache_holds_no_class_of_ours_which_another_release_may_not_have(
    reader: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return getattr(caches["lists"], name)

        def set(self, key: str, value: Any, timeout: float | None = None) -> None:
            kept.append((key, value))
            caches["lists"].set(key, value, timeout=timeout)

    monkeypatch.setattr(caching, "_lists", Recorder)
    assert counts(reader, "/inventory/low-stock") == (5, 1)
    [(slot, value)] = [(key, value) for key, value in kept if "version:" not in key]
    assert not slot.startswith("total:")  # where an earlier release keeps something else
    assert [type(value), *map(type, value)] == [tuple, str, float, int]
    caching._totals.clear()  # as in another process
    assert counts(reader, "/inventory/low-stock") == (5, 0)


def test_what_a_transaction_sees_is_not_remembered(reader: Persona) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Part.objects.all().delete()
        caching.drop("inventory")
        assert counts(reader, "/inventory/low-stock")[0] == 0
        1 / 0  # noqa: B018
    assert counts(reader, "/inventory/low-stock") == (5, 1)


def test_a_reader_in_the_middle_of_a_change(reader: Persona) -> None:
    """It counts before the commit and stores after it: under the version that the commit ended."""
    part = Part.objects.earliest("id")

    class Slow(PartQuerySet):
        def count(self) -> int:
            number = super().count()
            stock.receive(part=part, quantity=100, actor=COMMAND)
            return number

    caching.cached_total("inventory", Slow(Part).order_by("part_name", "id").low, "default")
    assert counts(reader, "/inventory/low-stock") == (4, 1)


def test_two_searches_have_two_totals_in_the_order_of_names(reader: Persona) -> None:
    for name in ("Zebra belt", "Alpha belt", "Alpha hose"):
        PartFactory.create(part_name=name)
    for text, names in {
        "belt": ["Alpha belt", "Zebra belt"],
        "alpha": ["Alpha belt", "Alpha hose"],
        "zebra": ["Zebra belt"],
    }.items():
        for _ in range(2):
            said = reader.get(f"/inventory/search?part_name={text}").json()
            assert [part["part_name"] for part in said["parts"]] == names
            assert said["pagination"]["total_items"] == len(names)


def remembered(question: str, total: int) -> int:
    """The total of a list that has so many rows, if nobody remembers another."""
    rows: Any = SimpleNamespace(count=lambda: total)
    return caching.cached_total("inventory", lambda: rows, "default", question)


@pytest.mark.parametrize("behind", [True, False])
def test_what_a_replica_counted_just_after_a_change_is_not_kept(
    behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if behind:
        monkeypatch.setattr(replica, "REPLICA", "default")
    caching.drop("inventory")
    assert remembered("all", 4) == 4
    assert remembered("all", 5) == (5 if behind else 4)


def test_a_total_is_kept_for_its_question() -> None:
    caching.drop("inventory")
    assert [remembered(*asked) for asked in (("named a", 4), ("named b", 5), ("named a", 6))] == [
        *(4, 5, 4)
    ]
    caching.drop("inventory")
    assert remembered("named a", 6) == 6


def test_of_what_can_have_no_rows_there_are_none() -> None:
    for rows in (Part.objects.none, lambda: Part.objects.filter(pk__in=[])):
        assert caching.cached_total("inventory", rows, "default") == 0


def test_while_redis_is_away_they_are_counted(
    reader: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "ask", lambda question: None)
    assert (
        counts(reader, "/inventory/low-stock") == counts(reader, "/inventory/low-stock") == (5, 1)
    )


def test_a_customers_own_are_kept(sarah: Persona) -> None:
    for n in range(3):
        assert counts(sarah, "/customers/my-tickets") == (n, 0)
        ServiceTicketFactory.create(customer=sarah.profile)


def test_a_kept_total_is_of_the_whole_list_alone(
    reader: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "summed", lambda slots: 1_234)
    for whole in ("", "?ordering=-price", "?category=", "?ordering="):
        assert counts(reader, f"/inventory{whole}") == (1_234, 0), whole
    assert counts(reader, "/inventory", cursor="") == (1_234, 0)
    caches["lists"].clear()
    for part in ("?category=brakes", "/search?part_name=part", "/low-stock?threshold=5"):
        assert counts(reader, f"/inventory{part}") == (5, 1), part
