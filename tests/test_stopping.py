"""SIGTERM: what is under way gets its answer, nothing new is begun, and the end is a clean one.

SIGHUP, in production: what is under way gets its answer too, from the worker that goes.
"""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from autoful import serving
from autoful.renewal import RenewingServer
from autoful.testing.processes import free_port, seconds_until
from autoful.testing.shops import ROOT, Shop, shop
from autoful.tests.programs import running

SHOP = """
from autoful.accounts.tokens import issue
from autoful.testing import personas
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory
mike = personas.mike()
answer = {
    "token": str(issue(mike.actor.role, mike.profile, mike.user)),
    "ticket": ServiceTicketFactory.create().pk,
    "part": PartFactory.create(quantity_in_stock=50).pk,
}
"""

# Long enough to be told to stop in the middle, shorter than a request waits for a row.
HOLD = """
import time
from pathlib import Path
from django.db import transaction
from django.db.models import F
from inventory.models import Part
with transaction.atomic():
    Part.objects.filter(pk={part}).update(version=F("version") + 1)
    Path({marker!r}).touch()
    time.sleep(2)
answer = "let go"
"""


def test_what_is_under_way_is_finished_and_nothing_new_is_begun(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as ours:
        known = ours.ask(SHOP)
        port = free_port()
        command, ready = ("serve", "Started worker-2") if ours.in_production else ("run", "Ctrl-C")
        env = ours.environment | {"PORT": str(port), "AUTOFUL_DATA": str(tmp_path / "shop")}
        if ours.in_production:
            env |= {"WEB_WORKERS": "2"}
        with running(env, command, log=tmp_path / "log") as server:
            server.says(ready)
            url = f"http://127.0.0.1:{port}/service_tickets/{known['ticket']}/add-inventory"
            answers: list[requests.Response] = []
            held = _elsewhere(lambda: _hold(ours, known["part"], tmp_path / "held"))
            seconds_until((tmp_path / "held").exists, within=20)
            asking = _elsewhere(lambda: answers.append(_add(url, known)))
            time.sleep(0.5)  # until it waits for the row

            server.send(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/health/live", timeout=20)
            assert server.runs(), "it did not wait for what was under way"
            assert server.wait(20) == 0
            asking.join()
            held.join()
            assert [answer.status_code for answer in answers] == [201], server.said()
            assert "refused to gracefully stop" not in server.said()
        assert ours.ask("answer = Part.objects.get().quantity_in_stock") == 48


# The first process of a server, which is killed while its worker is still loading.
FIRST = """
import multiprocessing, os, sys, time
from pathlib import Path
from tests.test_stopping import late
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    multiprocessing.get_context("spawn").Process(target=late, args=(folder,)).start()
    while not (folder / "begun").exists():
        time.sleep(0.01)
    os._exit(0)
"""


def late(folder: Path) -> None:
    """A worker that has loaded when the first process is gone."""
    first = os.getppid()
    (folder / "pid").write_text(str(os.getpid()))
    (folder / "begun").touch()
    while os.getppid() == first:
        time.sleep(0.01)
    serving._end_with_the_first_process()
    (folder / "serves").touch()


@pytest.mark.skipif(sys.platform != "linux", reason="the system has to tell the workers")
def test_a_worker_that_is_late_does_not_outlive_the_first_process(tmp_path: Path) -> None:
    script = tmp_path / "first.py"
    script.write_text(FIRST)
    own = os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "autoful.settings"}
    subprocess.run([sys.executable, script, tmp_path], env=own, timeout=60, check=True)
    worker = int((tmp_path / "pid").read_text())
    seconds_until(lambda: not Path(f"/proc/{worker}").exists(), within=20)
    assert not (tmp_path / "serves").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the system has to tell the workers")
def test_a_server_that_is_killed_leaves_nobody_at_its_port(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as ours:
        port = free_port()
        command, ready = ("serve", "Started worker-1") if ours.in_production else ("run", "Ctrl-C")
        env = ours.environment | {"PORT": str(port), "AUTOFUL_DATA": str(tmp_path / "shop")}
        with running(env, command, log=tmp_path / "log") as server:
            server.says(ready)
            alive = f"http://127.0.0.1:{port}/health/live"
            assert requests.get(alive, timeout=20).status_code == 200
            server.send(signal.SIGKILL)  # to the first process alone
            deadline = time.monotonic() + 20
            with pytest.raises(requests.ConnectionError):
                while time.monotonic() < deadline:
                    requests.get(alive, timeout=20)


@pytest.mark.skipif(not settings.PRODUCTION, reason="SIGHUP ends the embedded set-up")
def test_what_is_under_way_is_finished_when_workers_are_renewed(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as ours:
        known = ours.ask(SHOP)
        port = free_port()
        env = ours.environment | {"PORT": str(port), "WEB_WORKERS": "1"}
        body = json.dumps({"inventory_id": known["part"], "quantity_used": 2}).encode()
        head = (
            f"POST /service_tickets/{known['ticket']}/add-inventory HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {known['token']}\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with running(env, "serve", log=tmp_path / "log") as server:
            server.says("Started worker-1")
            with socket.create_connection(("127.0.0.1", port), timeout=60) as slow:
                slow.sendall(head.encode() + body[:10])  # a phone at the edge of the yard
                time.sleep(0.5)
                server.send(signal.SIGHUP)
                server.says("Stopping worker-1")
                time.sleep(2)
                assert "the workers are renewed" not in server.said(), "it did not wait"
                slow.sendall(body[10:])
                assert slow.makefile("rb").readline().startswith(b"HTTP/1.1 201")
            server.says("the workers are renewed")
            assert "is killed" not in server.said()
        assert ours.ask("answer = Part.objects.get().quantity_in_stock") == 48


def test_a_worker_that_has_ended_is_not_taken_for_a_living_one() -> None:
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    worker.start()
    assert worker.pid
    os.waitpid(worker.pid, 0)  # as another thread does that has not noted it down yet
    assert worker.is_alive(), "the control: asked like this, it lives"
    assert not RenewingServer._runs(worker)


def _add(url: str, known: dict[str, Any]) -> requests.Response:
    return requests.post(
        url,
        json={"inventory_id": known["part"], "quantity_used": 2},
        headers={"Authorization": f"Bearer {known['token']}"},
        timeout=20,
    )


def _hold(ours: Shop, part: int, marker: Path) -> None:
    ours.ask(HOLD.format(part=part, marker=str(marker)))


def _elsewhere(move: Any) -> threading.Thread:
    thread = threading.Thread(target=move)
    thread.start()
    return thread
