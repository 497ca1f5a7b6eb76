"""`manage.py serve`: what it refuses, by one line each, and how it serves and stops."""

import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.test import override_settings

from autoful import checks, renewal, serving
from autoful.management.commands import serve
from autoful.renewal import RenewingServer
from autoful.testing.processes import free_port, seconds_until
from autoful.testing.shops import Shop, shop
from autoful.tests.programs import environment, manage, refusal, running

UNREACHABLE = "mysql://shopkeeper:very-private@127.0.0.1:1/autoful"
REDIS = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({}, ["DATABASE_URL", "REDIS_URL"]),
        ({"REDIS_URL": REDIS}, ["DATABASE_URL"]),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, own: dict[str, str], named: list[str]) -> None:
    line = refusal(environment(tmp_path, **own), "serve")
    assert [name for name in ("DATABASE_URL", "REDIS_URL") if name in line] == named


def test_redis_is_demanded(tmp_path: Path) -> None:
    pytest.importorskip("MySQLdb")
    line = refusal(environment(tmp_path, DATABASE_URL=UNREACHABLE), "serve")
    assert line.startswith("REDIS_URL must be set")


def test_the_secret_key_is_demanded(tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=UNREACHABLE, REDIS_URL=REDIS, SECRET_KEY="")
    assert refusal(env, "serve").startswith("SECRET_KEY is required")


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    pytest.importorskip("MySQLdb")
    env = environment(tmp_path, DATABASE_URL=UNREACHABLE, REDIS_URL=REDIS)
    line = refusal(env, "serve")
    assert line.startswith("the database 127.0.0.1:1/autoful cannot be used: ")
    assert "very-private" not in line


def test_a_port_in_use_is_found_before_the_database_is_asked(tmp_path: Path) -> None:
    pytest.importorskip("MySQLdb")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = environment(tmp_path, DATABASE_URL=UNREACHABLE, REDIS_URL=REDIS, PORT=str(port))
        line = refusal(env, "serve")
    assert line.startswith(f"port {port} is in use.")
    assert line.endswith(f"PORT={port + 1} make serve")


def test_a_port_whose_server_shares_it_is_in_use_too() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(serving.CannotStart, match="is in use"):
            serving.demand_free_port(host="127.0.0.1", port=port, instead="")
    serving.demand_free_port(host="127.0.0.1", port=port, instead="")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(serving.CannotStart, match="is not an address of this machine"):
        serving.demand_free_port(host=host, port=free_port(), instead="")


# --- New code that hangs ------------------------------------------------------------------------


def rehearsing() -> RenewingServer:
    hangs = [sys.executable, "-c", "import time; time.sleep(60)"]
    return RenewingServer("autoful.wsgi:application", rehearsal=hangs)


def test_a_rehearsal_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "LOADED_WITHIN", 0.3)
    began = time.monotonic()
    assert not rehearsing()._is_fit()
    assert time.monotonic() - began < 30


def test_a_rehearsal_ends_when_the_server_shall_end() -> None:
    server, began = rehearsing(), time.monotonic()
    threading.Timer(0.3, server.signal_handler_interrupt).start()
    assert not server._is_fit()
    assert time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_one_at_a_time_has_a_lock_and_each_port_its_own(tmp_path: Path) -> None:
    data = {"AUTOFUL_DATA": str(tmp_path / "new")}
    with override_settings(**data), serving.holding(serve._lock(8000), otherwise="taken"):
        with pytest.raises(serving.CannotStart, match="taken"):
            serving.holding(serve._lock(8000), otherwise="taken").__enter__()
        with serving.holding(serve._lock(8001), otherwise="taken"):
            pass
    with override_settings(**data), serving.holding(serve._lock(8000), otherwise="taken"):
        pass


def test_an_image_with_nowhere_to_write_needs_no_lock(tmp_path: Path) -> None:
    with override_settings(AUTOFUL_DATA=str(tmp_path / "none")):
        assert not serve._can_hold_port(static_collected=True)
        assert serve._can_hold_port(static_collected=False), "and it will say that it cannot"
    with override_settings(AUTOFUL_DATA=str(tmp_path)):
        assert serve._can_hold_port(static_collected=True)


# --- On the production set-up -------------------------------------------------------------------

production = pytest.mark.skipif(not settings.PRODUCTION, reason="needs MySQL or MariaDB")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("serve")) as made:
        yield made


@production
def test_an_unmigrated_database(ours: Shop, tmp_path: Path) -> None:
    ours.manage("migrate", "tickets", "zero", "-v0")
    try:
        line = refusal(ours.environment | {"PORT": str(free_port())}, "serve")
    finally:
        ours.manage("migrate", "-v0")
    assert "migration(s)" in line
    assert line.endswith("manage.py migrate")


@production
@pytest.mark.django_db
def test_a_database_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST", {"MySQL": (99, 0), "MariaDB": (99, 0)})
    with pytest.raises(serving.CannotStart, match=r"is not fit: (MySQL|MariaDB) 99\.0 or newer"):
        serve._demand_database()


@production
def test_static_files_that_were_never_collected(ours: Shop, tmp_path: Path) -> None:
    env = ours.environment | {"PORT": str(free_port()), "AUTOFUL_DATA": str(tmp_path)}
    assert refusal(env, "serve", "--static-collected").endswith("manage.py collectstatic")


@production
def test_a_folder_for_static_files_that_is_none(ours: Shop, tmp_path: Path) -> None:
    (tmp_path / "static").write_text("in the way")
    env = ours.environment | {"PORT": str(free_port()), "AUTOFUL_DATA": str(tmp_path)}
    code, _, complaint = manage(env, "serve")
    started, refused = complaint.splitlines()
    assert code == 1
    assert json.loads(started)["message"] == "collecting static files"
    assert refused.startswith("Autoful cannot start: the static files cannot be written to ")


@production
def test_of_two_that_start_at_once_one_serves(ours: Shop, tmp_path: Path) -> None:
    port = free_port()
    env = ours.environment | {"PORT": str(port), "WEB_WORKERS": "1", "AUTOFUL_DATA": str(tmp_path)}
    with (
        running(env, "serve", log=tmp_path / "one") as one,
        running(env, "serve", log=tmp_path / "two") as two,
    ):
        seconds_until(lambda: not (one.runs() and two.runs()), 60, otherwise="both of them serve")
        serves, refused = (one, two) if one.runs() else (two, one)
        line = f"Autoful cannot start: port {port} is in use. Stop what uses it, or choose another "
        assert refused.said() == f"{line}one: PORT={port + 1} make serve\n"
        assert refused.wait() == 1
        serves.says("Started worker-1")
        answer = requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=10)
        assert answer.status_code == 200
        assert serves.stop(signal.SIGTERM) == 0


@production
def test_it_serves_hashed_files_logs_json_and_finishes_what_is_under_way(
    ours: Shop, tmp_path: Path
) -> None:
    ours.manage("demo")
    port = free_port()
    env = ours.environment | {"PORT": str(port), "WEB_WORKERS": "2"}
    env |= {"AUTOFUL_DATA": str(tmp_path), "AUTOFUL_METRICS_TOKEN": "for-tests-only-0123456789"}
    site = f"http://127.0.0.1:{port}"
    with running(env, "serve", log=tmp_path / "log") as server:
        server.says("Started worker-2")
        assert requests.get(f"{site}/health/ready", timeout=10).status_code == 200

        bearer = {"Authorization": "Bearer for-tests-only-0123456789"}
        figures = requests.get(f"{site}/metrics", headers=bearer, timeout=10).text
        assert "autoful_requests_in_flight 1.0" in figures
        (folder,) = (tmp_path / "metrics").iterdir()  # one for both workers
        # One for each worker, as soon as it has loaded.
        seconds_until(lambda: len(list(folder.glob("counter_*.db"))) == 2, within=60)

        page = requests.get(f"{site}/admin/login/", timeout=10).text
        style = next(part for part in page.split('"') if part.endswith(".css"))
        kept = requests.get(f"{site}{style}", timeout=10)
        assert kept.status_code == 200
        assert "immutable" in kept.headers["Cache-Control"]

        answers = []
        body = {"email": "mechanic@autoful.example", "password": "autoful-demo"}

        def sign_in() -> None:  # the hash takes its time
            answer = requests.post(f"{site}/mechanics/login", json=body, timeout=20)
            answers.append(answer.status_code)

        under_way = threading.Thread(target=sign_in)
        under_way.start()
        time.sleep(0.1)
        assert server.stop(signal.SIGTERM) == 0
        under_way.join()
        assert answers == [200]

        lines = [json.loads(line) for line in server.said().splitlines()]
        assert {line["level"] for line in lines} == {"INFO"}
        assert any(line["message"] == "collecting static files" for line in lines)
        assert [line["pid"] for line in lines if line["message"] == "starting"] == [server.pid]
        asked = [line for line in lines if line["logger"] == "autoful.access"]
        assert asked and all(line["request_id"] for line in asked)


@production
def test_what_the_version_before_did_not_count_is_counted_at_the_start_and_after_a_reload(
    ours: Shop, tmp_path: Path
) -> None:
    wrong = "from autoful.models import Tally; Tally.objects.update(total=3); answer = 0"
    right = (
        "from autoful import tally; answer = tally.total('inventory') + tally.total('mechanics')"
    )
    there = "from inventory.models import Part; from mechanics.models import Mechanic; "
    there += "answer = Part.objects.count() + Mechanic.objects.existing().count()"
    env = ours.environment | {"PORT": str(free_port()), "WEB_WORKERS": "1"}
    ours.ask(wrong)
    assert ours.ask(right) != ours.ask(there)
    with running(env | {"AUTOFUL_DATA": str(tmp_path)}, "serve", log=tmp_path / "log") as server:
        server.says("put right.")
        assert ours.ask(right) == ours.ask(there)
        ours.ask(wrong)
        server.send(signal.SIGHUP)
        server.says("the workers are renewed")
        deadline = time.monotonic() + 60
        while ours.ask(right) != ours.ask(there):
            assert time.monotonic() < deadline, server.said()
        assert server.stop(signal.SIGTERM) == 0
        lines = [json.loads(line) for line in server.said().splitlines()]
        assert {line["level"] for line in lines} == {"INFO"}
