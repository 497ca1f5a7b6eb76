"""Cached lists with Redis: across processes, and when it is away."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connection

from autoful import outage
from autoful.testing.personas import Persona
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


def ask(person: Persona, path: str) -> Any:
    answer = person.get(f"/{path}")
    return answer.status_code, answer.json()


OTHER_PROCESS = """
import django; django.setup()
from autoful.actor import COMMAND
from inventory.models import Part
from inventory.stock import receive
receive(part=Part.objects.get(), quantity=7, actor=COMMAND)
"""


@pytest.mark.skipif(
    not (django_settings.REDIS_URL and django_settings.PRODUCTION), reason="needs MySQL and Redis"
)
def test_what_another_process_changes_is_seen_here(nobody: Persona) -> None:
    PartFactory.create(quantity_in_stock=5)
    assert ask(nobody, "inventory")[1]["inventory"][0]["quantity_in_stock"] == 5
    name = connection.settings_dict["NAME"]
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    environment = os.environ | {
        "DATABASE_URL": url,
        "REDIS_URL": django_settings.CACHES["default"]["LOCATION"],  # this worker's own
        "DJANGO_SETTINGS_MODULE": "autoful.settings",
    }
    subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS],
        env=environment,
        cwd=Path(__file__).parent.parent,
        check=True,
        timeout=60,
    )
    assert ask(nobody, "inventory")[1]["inventory"][0]["quantity_in_stock"] == 12


@pytest.fixture
def dead_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The production set-up's caches, with nobody at the port."""
    monkeypatch.setattr(outage, "paused_until", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    redis: dict[str, Any] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{port}/0",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    }
    lists = redis | {"OPTIONS": redis["OPTIONS"] | {"IGNORE_EXCEPTIONS": True}}
    settings.CACHES = django_settings.CACHES | {"default": lists, "lists": redis, "limits": redis}
    with pytest.raises(Exception, match=str(port)):
        caches["limits"].get("x")
    yield


def test_a_dead_redis_is_a_slow_day(
    dead_redis: None, settings: Any, nobody: Persona, mike: Persona, boss: Persona
) -> None:
    settings.RATE_LIMITS = {"default": ["50/hour"]}
    began = time.monotonic()
    customer = CustomerFactory.create()
    PartFactory.create(quantity_in_stock=5)
    body = {"service_desc": "Oil", "service_date": "2025-06-01", "VIN": "1HGCM82633A004352"}
    opened = mike.post("/service_tickets", body | {"customer_id": customer.pk})
    assert opened.status_code == 201
    part = Part.objects.get()
    for left in (4, 3):
        added = mike.post(
            f"/service_tickets/{opened.json()['id']}/add-inventory",
            {"inventory_id": part.pk, "quantity_used": 1},
        )
        assert added.json()["stock_remaining"] == left
        for caller in (nobody, mike, boss):
            status, rows = ask(caller, "inventory")
            assert (status, rows["inventory"][0]["quantity_in_stock"]) == (200, left)
    assert nobody.get("/inventory")["RateLimit-Remaining"] == "47"
    assert time.monotonic() - began < 10
