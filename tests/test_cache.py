"""Cached lists are right: dropped by every change of a row in them, on commit and never before."""

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import caches
from django.db import transaction
from django.db.models.signals import pre_save

from autoful.actor import COMMAND
from autoful.api import caching
from autoful.api.viewsets import ShopViewSet
from autoful.testing.personas import Persona, boss
from autoful.testing.queries import Statements
from customers.tests.factories import CustomerFactory
from inventory import stock
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tests.changes import CHANGES, EVERY_CHANGE, Shop
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = ["customers", "mechanics", "inventory", "service_tickets"]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def reader(db: None) -> Persona:
    """Sees everything, so that every change shows."""
    return boss()


def read(reader: Persona, path: str) -> Any:
    answer = reader.get(f"/{path}")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(("path", "name"), EVERY_CHANGE)
def test_a_change_drops_the_list(path: str, name: str, reader: Persona) -> None:
    shop = Shop()
    change = CHANGES[path][name]
    before = read(reader, path)
    change(shop)
    after = read(reader, path)
    caches["lists"].clear()
    assert after == read(reader, path)
    assert after != before, "the change does not show, so this proves nothing"


@pytest.mark.parametrize("path", PATHS)
def test_dropped_on_commit_and_not_before(path: str, reader: Persona) -> None:
    shop = Shop()
    before = read(reader, path)
    with transaction.atomic():
        next(iter(CHANGES[path].values()))(shop)
        assert read(reader, path) == before
    assert read(reader, path) != before


@pytest.mark.parametrize("path", PATHS)
def test_not_dropped_on_rollback(path: str, reader: Persona) -> None:
    shop = Shop()
    before = read(reader, path)
    version = caches["lists"].get(f"version:{path}")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        next(iter(CHANGES[path].values()))(shop)
        1 / 0  # noqa: B018
    assert caches["lists"].get(f"version:{path}") == version
    assert read(reader, path) == before


def test_a_list_that_shows_nothing_of_it_stays(reader: Persona) -> None:
    shop = Shop()
    for path in PATHS:
        read(reader, path)
    versions = {path: caches["lists"].get(f"version:{path}") for path in PATHS}
    shop.save(shop.other, "phone", "+1 555 0000")
    dropped = {path for path in PATHS if caches["lists"].get(f"version:{path}") != versions[path]}
    assert dropped == {"mechanics", "service_tickets"}


# --- A change that nobody told the cache of -------------------------------------------------------


def sold_by_one_who_is_killed(part: Part) -> None:
    """A sale whose process ends between its commit and the drop of the lists."""
    with patch.object(caching, "drop", lambda name: None):
        stock.take(part_id=part.pk, quantity=1, reference="", actor=COMMAND)


def test_a_drop_that_was_missed_is_seen_after_a_minute(reader: Persona, settings: Any) -> None:
    assert settings.LIST_CACHE_SECONDS == 60
    settings.LIST_CACHE_SECONDS = 1  # a minute that goes by quickly
    part = PartFactory.create(quantity_in_stock=50)
    assert stocked(reader) == 50
    sold_by_one_who_is_killed(part)
    time.sleep(1.1)
    assert stocked(reader) == 49


def test_control_until_then_it_is_not(reader: Persona) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    assert stocked(reader) == 50
    sold_by_one_who_is_killed(part)
    assert stocked(reader) == 50


# --- A writer between a reader's reading and storing ----------------------------------------------


def read_while(change: Callable[[], Any], reader: Persona) -> Any:
    """Read the parts; `change` commits after the rows were read and before they are stored."""
    original = ShopViewSet.rows
    waiting = [change]

    def reading(self: ShopViewSet, *args: Any, **kwargs: Any) -> Any:
        rows = original(self, *args, **kwargs)
        if waiting:
            waiting.pop()()
        return rows

    with patch.object(ShopViewSet, "rows", reading):
        return read(reader, "inventory")["inventory"][0]["quantity_in_stock"]


def stocked(reader: Persona) -> Any:
    return read(reader, "inventory")["inventory"][0]["quantity_in_stock"]


@pytest.mark.parametrize("warm", [False, True], ids=["first reader", "list known before"])
def test_what_was_read_before_a_commit_is_not_served_after_it(warm: bool, reader: Persona) -> None:
    part = PartFactory.create(quantity_in_stock=50)
    if warm:
        stocked(reader)
        caching.drop("inventory")

    def sale() -> Any:
        return stock.take(part_id=part.pk, quantity=1, reference="", actor=COMMAND)

    assert read_while(sale, reader) == 50
    assert stocked(reader) == 49
    with Statements(transaction.get_connection()) as queries:
        assert stocked(reader) == 49
    assert not [q for q in queries if "inventory_part" in q["sql"]]


def test_control_a_naive_cache_serves_what_is_gone(
    reader: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    def naive(name: str, audience: str, asked: Any, build: Any, **more: Any) -> bytes:
        page = caches["lists"].get(f"{name}:{audience}")
        if page is None:
            page = build()
            caches["lists"].set(f"{name}:{audience}", page, 60)
        return bytes(page)

    monkeypatch.setattr(caching, "cached_page", naive)
    monkeypatch.setattr(caching, "drop", lambda name: caches["lists"].delete(f"{name}:shop"))
    part = PartFactory.create(quantity_in_stock=50)
    read_while(lambda: stock.take(part_id=part.pk, quantity=1, reference="", actor=COMMAND), reader)
    assert stocked(reader) == 50  # for a minute, though 49 are there
    assert Part.objects.get().quantity_in_stock == 49


@pytest.mark.parametrize(
    ("path", "make", "field", "value"),
    [
        ("customers", CustomerFactory, "phone", "+1 555 0000"),
        ("mechanics", MechanicFactory, "phone", "+1 555 0000"),
        ("inventory", PartFactory, "location", "elsewhere"),
        ("service_tickets", ServiceTicketFactory, "notes", "Changed"),
    ],
)
def test_a_reader_in_the_middle_of_a_plain_save(
    path: str, make: Any, field: str, value: str, reader: Persona
) -> None:
    """The row is about to be written: the reader stores what it was."""
    row = make()
    setattr(row, field, value)

    def come(sender: Any, **kwargs: Any) -> None:
        read(reader, path)

    pre_save.connect(come, sender=type(row))
    try:
        row.save()
    finally:
        pre_save.disconnect(come, sender=type(row))
    assert read(reader, path)[path][0][field] == value


def test_a_hook_that_fails_does_not_undo_the_write(
    mike: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = PartFactory.create(quantity_in_stock=5)
    monkeypatch.setattr(caching, "secrets", None)  # a failure nobody foresaw
    assert mike.put(f"/inventory/{part.pk}", {"quantity_in_stock": 4}).status_code == 200
    part.refresh_from_db()
    assert part.quantity_in_stock == 4
