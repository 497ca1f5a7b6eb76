"""New code under load: `manage.py serve` renews its workers at a SIGHUP, and nobody is turned away.

Every client opens a connection for each call: those are what a worker that goes may lose, having
accepted them or not. The new code is a copy of the source tree that is changed while it serves.
"""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import settings

from autoful.management.commands.serve import PATIENCE
from autoful.testing.processes import seconds_until
from autoful.testing.shops import Shop, shop
from tests.drills import control, scaled
from tests.drills.versions import Version

pytestmark = pytest.mark.skipif(not settings.PRODUCTION, reason="SIGHUP ends the embedded set-up")

CLIENTS = scaled(full=32, small=8)
RENEWALS = scaled(full=5, small=1)
LOADED_WITHIN = 150.0  # seconds, on a loaded machine

PROBE = "autoful/health.py"
ALIVE = 'return JsonResponse({"status": "ok"})'
BROKEN = "raise RuntimeError('this version cannot be loaded')\n"
HANGS = """
import pathlib, sys, time
if {here!r} == ("rehearsal" if "--prepare" in sys.argv else "worker"):
    pathlib.Path({marker!r}).touch()
    time.sleep(600)
"""


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


class Crowd:
    """Clients that ask again and again, each time over a new connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ended = threading.Event()
        self.versions: Counter[str] = Counter()
        self.faults: list[str] = []

    def one(self, number: int) -> None:
        path = "/health/live" if number % 2 else "/inventory/?per_page=5"
        while not self.ended.is_set():
            try:
                answer = requests.get(self.url + path, headers={"Connection": "close"}, timeout=60)
            except requests.RequestException as broken:
                self.faults.append(repr(broken))
                continue
            if answer.status_code != 200:
                self.faults.append(f"{answer.status_code} {answer.text[:200]}")
            elif number % 2:
                self.versions[answer.json()["status"]] += 1

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.one, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            for thread in threads:
                thread.join(90)


def renames_itself(tree: Version, name: str) -> None:
    """Another version: it answers the probe with its name."""
    path = tree.folder / PROBE
    start, _, rest = path.read_text().partition('JsonResponse({"status": "')
    path.write_text(start + 'JsonResponse({"status": "' + name + rest[rest.index('"') :])


def test_the_workers_are_renewed_under_load(ours: Shop, tmp_path: Path) -> None:
    tree = Version.of_now(tmp_path / "tree")
    with tree.serving(ours, workers=2) as (url, server):
        crowd = Crowd(url)
        with crowd.asking():
            seconds_until(lambda: crowd.versions["ok"] > 20, LOADED_WITHIN, "nobody is answered")
            for number in range(1, RENEWALS + 1):
                renames_itself(tree, f"version {number}")
                server.send(signal.SIGHUP)
                server.says("the workers are renewed", times=number, within=LOADED_WITHIN)
            newest = f"version {RENEWALS}"
            seconds_until(
                lambda: crowd.versions[newest] > 20, LOADED_WITHIN, "the new code never answers"
            )
            before = sum(crowd.versions.values()) - crowd.versions[newest]

            # Code that cannot be loaded, or finds no migrated database, takes nobody's place.
            health = tree.folder / PROBE
            good = health.read_text()
            health.write_text(BROKEN)
            server.send(signal.SIGHUP)
            server.says("the old workers go on", within=LOADED_WITHIN)
            health.write_text(good)
            assert sum(crowd.versions.values()) - crowd.versions[newest] == before
        assert crowd.faults == []


@pytest.mark.skipif(scaled(full=False, small=True), reason="loads the shop twice; full size")
@pytest.mark.parametrize("where", ["rehearsal", "worker"])
def test_it_ends_when_told_to_while_new_code_hangs(ours: Shop, tmp_path: Path, where: str) -> None:
    """An orchestrator waits for PATIENCE and then kills, with it what the workers had under way."""
    tree = Version.of_now(tmp_path / "tree")
    with tree.serving(ours, workers=1) as (_, server):
        health, hangs = tree.folder / PROBE, tmp_path / "hangs"
        health.write_text(health.read_text() + HANGS.format(here=where, marker=str(hangs)))
        server.send(signal.SIGHUP)
        seconds_until(hangs.exists, LOADED_WITHIN, "the new code is never loaded")
        server.send(signal.SIGTERM)
        assert server.wait(PATIENCE - 5) == 0, server.said()
        assert "refused to gracefully stop" not in server.said()


@control
def test_granian_alone_turns_some_away(ours: Shop, tmp_path: Path) -> None:
    """The control: the same load on granian's own way to renew its workers."""
    tree = Version.of_now(tmp_path / "tree")
    with tree.serving(ours, workers=2, by_itself=True) as (url, server):
        crowd = Crowd(url)
        with crowd.asking():
            seconds_until(lambda: crowd.versions["ok"] > 20, LOADED_WITHIN, "nobody is answered")
            for number in range(1, 10):
                server.send(signal.SIGHUP)
                server.says("Stopped old worker-2", times=number, within=LOADED_WITHIN)
                if crowd.faults:
                    break
        assert crowd.faults
