"""`manage.py run`: the first start, the ones after it, and what it refuses by one line each."""

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings

from autoful.tests.programs import environment, manage, refusal, running
from embedded import demo

# Each test makes the set-up it starts, so once is enough.
pytestmark = pytest.mark.skipif(settings.PRODUCTION, reason="runs with the embedded set-up's tests")

READY = "Ctrl-C stops the server."


class Home:
    """A shop's folder, with the environment to start it and its database to look into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder, SECRET_KEY="")
        self.site = f"http://127.0.0.1:{self.env['PORT']}"

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.folder / "autoful.sqlite3") as database:
            found = database.execute(question).fetchall()
        database.close()
        return found

    def tickets(self) -> int:
        return int(str(self.ask("SELECT count(*) FROM tickets_serviceticket")[0][0]))

    def sign_in(self, who: demo.SignIn) -> requests.Response:
        plural = {"mechanic": "mechanics", "customer": "customers"}[who.role]
        body = {"email": who.email, "password": demo.DEMO_PASSWORD}
        return requests.post(f"{self.site}/{plural}/login", json=body, timeout=10)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str, float]]:
    """A shop after its first start, what was said, and the seconds until it was ready."""
    home = Home(tmp_path_factory.mktemp("shop") / "data")
    log = home.folder.parent / "log"
    began = time.monotonic()
    with running(home.env, "run", log=log) as server:
        server.says(READY)
        seconds = time.monotonic() - began
        assert server.stop() == 0
        yield home, server.said(), seconds


def test_the_first_start_says_what_it_does_and_where_to_go(
    first: tuple[Home, str, float],
) -> None:
    home, said, seconds = first
    steps = ["Preparing the database", "Filling the demo shop", "Starting the server", "is ready"]
    assert [said.index(step) for step in steps] == sorted(said.index(step) for step in steps)
    assert said.count("Filling the demo shop") == 4
    for place in ("/admin/", "/api/docs/"):
        assert f"{home.site}{place}\n" in said
    for who in (demo.OWNER, demo.MECHANIC, demo.CUSTOMER):
        assert f"{who.email} " in said
    assert demo.DEMO_PASSWORD in said
    assert "public" in said
    # Nor a worker that had to be killed, because Ctrl-C reaches it at the same time.
    for unwanted in ("Traceback", "Warning", "WARNING", "ERROR"):
        assert unwanted not in said
    assert said.rstrip().endswith("Autoful has stopped.")
    assert seconds < 60
    assert home.tickets() == 300


def test_the_ledger_of_the_first_shop_adds_up(first: tuple[Home, str, float]) -> None:
    code, said, _ = manage(first[0].env, "check_stock")
    assert (code, said) == (0, "All 150 parts agree with their ledger.\n")


def test_data_survives_a_restart_and_is_never_overwritten(
    first: tuple[Home, str, float], tmp_path: Path
) -> None:
    home = first[0]
    with running(home.env, "run", log=tmp_path / "log") as server:
        server.says(READY)
        token = home.sign_in(demo.MECHANIC).json()["token"]
        assert home.sign_in(demo.CUSTOMER).status_code == 200
        mine = {"Authorization": f"Bearer {token}"}
        gone = requests.delete(f"{home.site}/service_tickets/300", headers=mine, timeout=10)
        assert gone.status_code == 200
        assert server.stop(signal.SIGTERM) == 0

    began = time.monotonic()
    with running(home.env, "run", log=tmp_path / "log") as server:
        said = server.says(READY)
        seconds = time.monotonic() - began
        # The key was kept too: who was signed in still is.
        known = requests.get(f"{home.site}/mechanics/", headers=mine, timeout=10)
        assert known.status_code == 200
        assert server.stop(signal.SIGHUP) == 0  # the terminal was closed
    assert home.tickets() == 299
    assert "Filling" not in said
    assert "Preparing" not in said
    assert seconds < 20  # under one on an idle machine; this one may be busy with other tests


def test_only_sign_ins_that_still_work_are_shown(
    first: tuple[Home, str, float], tmp_path: Path
) -> None:
    home = first[0]
    database = sqlite3.connect(home.folder / "autoful.sqlite3")
    with database:
        database.execute(
            "UPDATE accounts_user SET password = 'another' WHERE email = ?", [demo.OWNER.email]
        )
    database.close()
    with running(home.env, "run", log=tmp_path / "log") as server:
        said = server.says(READY)
        server.stop()
    assert demo.OWNER.email not in said
    assert demo.MECHANIC.email in said


def test_two_servers_never_share_a_shop(first: tuple[Home, str, float], tmp_path: Path) -> None:
    home = first[0]
    with running(home.env, "run", log=tmp_path / "log") as server:
        server.says(READY)
        assert "is in use" in refusal(home.env, "run")
        other = environment(home.folder, SECRET_KEY="")
        assert "is running already" in refusal(other, "run")
        server.stop()


def test_an_interrupted_filling_starts_anew(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    with running(home.env, "run", log=tmp_path / "log") as server:
        server.says("75 of 300")
        assert server.stop() == 130
        assert "Traceback" not in server.said()
    assert home.tickets() == 0
    assert home.ask("SELECT count(*) FROM accounts_user") == [(0,)]


def test_a_killed_filling_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    with running(home.env, "run", log=tmp_path / "log") as server:
        server.says("75 of 300")
        server.stop(signal.SIGKILL)
    assert home.tickets() == 0
    assert home.ask("SELECT count(*) FROM accounts_user") == [(0,)]


def test_a_port_in_use_is_found_before_a_shop_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal(environment(folder, PORT=str(port)), "run")
    assert line.startswith(f"port {port} is in use.")
    assert line.endswith(f"PORT={port + 1} make run")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("key", ["", "a" * 60])
def test_a_folder_that_cannot_be_written(tmp_path: Path, key: str) -> None:
    """A file stands where the folder should; root may write everywhere else."""
    (tmp_path / "data").write_text("in the way")
    line = refusal(environment(tmp_path / "data", SECRET_KEY=key), "run")
    assert line.startswith(f"the folder {tmp_path / 'data'} cannot be written")
    assert "AUTOFUL_DATA" in line


def test_a_broken_database(tmp_path: Path) -> None:
    (tmp_path / "autoful.sqlite3").write_text("this is no database" * 100)
    line = refusal(environment(tmp_path), "run")
    assert line.startswith(f"the database {tmp_path / 'autoful.sqlite3'} cannot be used")


def test_a_production_set_up_is_started_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("MySQLdb")
    env = environment(tmp_path, DATABASE_URL="mysql://u:very-private@127.0.0.1:1/autoful")
    line = refusal(env, "run")
    assert "make serve" in line
    assert "very-private" not in line
