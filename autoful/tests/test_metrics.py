"""What is counted where, and where the figures of dead processes go."""

import logging
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import DEFAULT, patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client

from autoful import audit, db, environment, metrics, outage
from autoful.accounts.models import User
from autoful.actor import COMMAND
from autoful.errors import Busy
from autoful.testing.personas import Persona
from autoful.testing.rivals import outcome
from autoful.testing.shops import ROOT
from inventory import parts
from inventory.models import Part
from inventory.tests.factories import PartFactory


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """This process measures, as the embedded set-up's does."""
    settings.AUTOFUL_METRICS_TOKEN = "x" * 24
    monkeypatch.setattr(metrics, "_figures", metrics._Figures(None))
    value = metrics._figures.registry.get_sample_value
    return lambda name, **labels: value(f"autoful_{name}", labels) or 0


LOST = OperationalError(1213, "Deadlock found")
MOVE = "admin.part"


@pytest.mark.django_db(transaction=True)
def test_races_retried_and_given_up(figures: Any) -> None:
    losses = [2]

    def lose() -> None:
        losses[0] -= 1
        if losses[0] >= 0:
            raise LOST

    move = db.retrying(lose, MOVE)
    move()
    assert figures("lost_races_total", verb=MOVE, outcome="retried") == 2
    assert figures("lost_races_total", verb=MOVE, outcome="given up") == 0
    losses[0] = 99
    assert isinstance(outcome(move), Busy)
    assert figures("lost_races_total", verb=MOVE, outcome="retried") == 2 + db.RETRIES
    assert figures("lost_races_total", verb=MOVE, outcome="given up") == 1


@pytest.mark.django_db(transaction=True)
def test_a_race_is_told_by_route_page_or_verb(
    figures: Any, mike: Persona, boss: Persona, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.RATE_LIMITS = None
    doors: dict[str, Callable[[Part], Any]] = {
        "inventory.destroy": lambda part: mike.delete(f"/inventory/{part.pk}"),
        "admin.part": lambda part: boss.post(
            f"/admin/inventory/part/{part.pk}/delete/", {"post": "yes"}, format="multipart"
        ),
        "inventory.parts.delete_part": lambda part: parts.delete_part(part=part, actor=COMMAND),
    }
    for door, delete in doors.items():
        caplog.clear()
        races = patch.object(parts, "lock", wraps=parts.lock, side_effect=[LOST, DEFAULT])
        with caplog.at_level(logging.INFO, logger="autoful.db"), races:
            delete(PartFactory.create())
        assert not Part.objects.exists(), door
        told = [getattr(line, "verb", None) for line in caplog.records if line.name == "autoful.db"]
        assert told == [door]
        assert figures("lost_races_total", verb=door, outcome="retried") == 1


def test_redis_away_and_back(figures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "ASK_EVERY", 0.01)
    gone, breaker = [True], outage.Breaker()

    def ask_again() -> None:
        if gone:
            raise OSError

    for _ in range(3):
        breaker.open(OSError(), ask_again)
    assert (figures("redis_away"), figures("redis_failures_total")) == (1, 1)
    gone.clear()
    while breaker.is_open:
        pass
    assert (figures("redis_away"), figures("redis_failures_total")) == (0, 1)


@pytest.mark.django_db
def test_the_database_away(
    figures: Any, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError(2002, "Can't connect")

    settings.RATE_LIMITS = None
    monkeypatch.setattr("autoful.api.reading.ask", gone)
    assert client.get("/inventory/1").status_code == 503
    assert figures("database_unavailable_total") == 1


@pytest.mark.django_db
def test_sign_ins(figures: Any) -> None:
    audit.record_event(User(), "sign-in refused", hat="customer")
    assert figures("events_total", event="sign-in refused", role="customer") == 1


def test_off_is_off(client: Client, settings: Any) -> None:
    settings.AUTOFUL_METRICS_TOKEN = ""
    metrics.start()
    assert metrics._figures is None
    metrics.count("redis_failures")
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("token", ["short", "x" * 23, "with a space in its middle", "ümläut" * 5])
def test_a_weak_token_is_refused_by_name(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFUL_METRICS_TOKEN", token)
    with pytest.raises(ImproperlyConfigured, match="AUTOFUL_METRICS_TOKEN") as refused:
        environment.token("AUTOFUL_METRICS_TOKEN")
    assert token not in str(refused.value)


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> Path:
    settings.AUTOFUL_METRICS_TOKEN, settings.PRODUCTION = "x" * 24, True
    settings.AUTOFUL_DATA = tmp_path
    return tmp_path / "metrics"


@pytest.fixture
def dead() -> int:
    """The number of a process that is no more."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_only_figures_of_servers_that_run_are_kept(kept: Path, dead: int) -> None:
    here = platform.node()
    mine, gone, lives, elsewhere = (
        kept / name for name in (f"{here}-{os.getpid()}", f"{here}-{dead}", f"{here}-1", "x-7")
    )
    for folder in (mine, gone, lives, elsewhere):
        folder.mkdir(parents=True)
    metrics.clear()
    assert [f.exists() for f in (mine, gone, lives, elsewhere)] == [False, False, True, True]


def test_figures_of_a_host_whose_name_begins_like_ours_are_kept(
    kept: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "web")
    gone, others = kept / f"web-{dead}", [kept / f"web-2-{dead}", kept / "web-old", kept / "web-²"]
    for folder in (gone, *others):
        folder.mkdir(parents=True)
    metrics.clear()
    assert not gone.exists()
    assert [f for f in others if not f.exists()] == []


WORKER = """
import os, sys
from pathlib import Path
import django; django.setup()
from autoful import metrics
metrics._figures = metrics._Figures(Path(sys.argv[1]))
with metrics.in_flight():
    metrics.count("redis_failures")
    metrics.redis_is_away(True)
    if sys.argv[2] == "dies":
        os._exit(9)
    print(metrics._figures.page().decode())
"""


def test_a_process_that_was_killed_keeps_its_counts_and_loses_its_gauges(tmp_path: Path) -> None:
    def run(end: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", WORKER, str(tmp_path), end],
            cwd=ROOT,
            env=dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "autoful.settings"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == (9 if end == "dies" else 0), done.stderr
        return done.stdout

    run("dies")
    said = run("asks")
    assert "autoful_redis_failures_total 2.0" in said
    assert "autoful_redis_away 1.0" in said
    assert "autoful_requests_in_flight 1.0" in said
