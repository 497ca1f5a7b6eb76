"""Cached lists with Redis, across processes; autoful/tests/test_outage.py has it away."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from autoful.testing.personas import Persona
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
