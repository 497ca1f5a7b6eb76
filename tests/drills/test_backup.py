"""Backups taken while many write are one moment's truth, and a shop can be had as of any moment.

Each writer does one thing after the other. So a backup that is one moment's holds, of each writer,
everything up to some point and nothing after it; all that was acknowledged before the backup began
is in it; and no transaction is in it by half, which `tests/soundness.py` would see.
"""

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from autoful.testing import servers
from autoful.testing.http import Caller
from autoful.testing.processes import Server, seconds_until
from autoful.testing.shops import Shop, shop
from tests.contract.world import World
from tests.drills import control, scaled

IN_PRODUCTION = bool(os.environ.get("DATABASE_URL"))
Databases = Callable[..., AbstractContextManager[Server]]
BACKUPS = scaled(full=6, small=1)
WRITERS = 4
BEFORE_EACH = scaled(full=40, small=12)  # tickets that are opened before the next backup
CONTROLS = 6  # naive copies of which one must be torn

# What a ticket was described with, and in which order its writer wrote.
FOUND = """
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from tickets.models import PartLine, ServiceTicket, StatusChange
from tests.soundness import faults
wrong = faults()
for model in (ServiceTicket, PartLine):
    kind = ContentType.objects.get_for_model(model)
    entries = LogEntry.objects.filter(content_type=kind)
    made = set(entries.filter(action=0).values_list("object_id", flat=True))
    gone = set(entries.filter(action=2).values_list("object_id", flat=True))
    there = set(model.objects.values_list("pk", flat=True))
    if made - gone != there:
        wrong.append(f"{model.__name__}: the trail has {sorted(made - gone ^ there)} else")
bare = ServiceTicket.objects.filter(status_changes=None).count()
if bare:
    wrong.append(f"{bare} tickets without their first status")
answer = {
    "wrong": wrong,
    "tickets": list(ServiceTicket.objects.values_list("service_desc", flat=True)),
    "lines": sorted(PartLine.objects.values_list("ticket__service_desc", flat=True)),
}
"""


class Writer(threading.Thread):
    """A mechanic who opens tickets, puts parts on each, and takes some off again."""

    def __init__(self, name: str, caller: Caller, customer: int, parts: list[int]) -> None:
        super().__init__(daemon=True)
        self.called, self.caller, self.customer, self.parts = name, caller, customer, parts
        self.acknowledged = 0  # how many tickets, with all that belongs to them
        self.enough = threading.Event()
        self.broke: Exception | None = None

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self._one(self.acknowledged)
                self.acknowledged += 1
        except Exception as error:
            self.broke = error

    def _one(self, number: int) -> None:
        body = {
            "customer_id": self.customer,
            "VIN": "1HGCM82633A004352",
            "service_desc": f"{self.called}/{number}",
            "service_date": "2026-11-22",
        }
        ticket = self._ask("POST", "/service_tickets/", 201, body)["id"]
        for part in self.parts:
            used = {"inventory_id": part, "quantity_used": 1 + number % 3}
            line = self._ask("POST", f"/service_tickets/{ticket}/add-inventory", 201, used)
        if number % 2:
            line = line["service_inventory_id"]
            self._ask("PUT", f"/service_tickets/{ticket}/remove-inventory/{line}", 200)

    def _ask(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.caller.call(method, path, body)
        assert answer.status == status, answer.text
        return answer.body


@contextmanager
def working(world: World) -> Iterator[list[Writer]]:
    """Writers who write until the block ends."""
    customer = world.customer("Sarah Johnson")
    first = world.mechanic("Mike Chen")
    # Two parts that everybody uses: their rows change with every ticket.
    parts = [world.part(first, quantity_in_stock=900_000)["id"] for _ in range(2)]
    writers = [
        Writer(f"writer-{n}", world.mechanic(f"Mechanic {n}"), customer.id, parts)
        for n in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.enough.set()
        for writer in writers:
            writer.join(60)
    assert [w.broke for w in writers] == [None] * WRITERS


def at_work(writers: list[Writer]) -> dict[str, int]:
    """Wait until some more is done; how much each has been told is done."""
    begun = sum(w.acknowledged for w in writers)

    def has_got_on() -> bool:
        assert not any(w.broke for w in writers), [w.broke for w in writers]
        return sum(w.acknowledged for w in writers) >= begun + BEFORE_EACH

    seconds_until(has_got_on, within=120, otherwise="the writers do not get on")
    return {w.called: w.acknowledged for w in writers}


def faults(found: dict[str, Any], acknowledged: dict[str, int]) -> list[str]:
    """What keeps the shop from being one moment at or after `acknowledged`."""
    wrong = list(found["wrong"])
    for name, number in acknowledged.items():
        numbers = sorted(
            int(text.partition("/")[2]) for text in found["tickets"] if text.startswith(name)
        )
        if numbers != list(range(len(numbers))):
            wrong.append(f"{name}: a hole in {numbers[-5:]}")
        if len(numbers) < number:
            wrong.append(f"{name}: {number} acknowledged, {len(numbers)} there")
        for done in range(max(len(numbers) - 1, number)):
            lines = found["lines"].count(f"{name}/{done}")
            if lines != (1 if done % 2 else 2):
                wrong.append(f"{name}/{done}: {lines} parts")
    return wrong


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        shop(tmp_path_factory.mktemp("shop")) as ours,
        ours.serve(AUTOFUL_RATE_LIMITS="off") as url,
    ):
        yield World(ours, url)


def test_what_comes_back_is_one_moments_truth(world: World, tmp_path: Path) -> None:
    taken: list[tuple[Path, dict[str, int]]] = []
    with working(world) as writers:
        for number in range(BACKUPS):
            acknowledged = at_work(writers)
            path = tmp_path / f"{number}.zip"
            world.shop.manage("backup", str(path))
            taken.append((path, acknowledged))
        during = at_work(writers)
    assert sum(during.values()) > sum(taken[-1][1].values()), "nobody wrote during the backups"
    for path, acknowledged in taken:
        with shop(tmp_path / path.stem) as another:
            another.manage("restore", str(path))
            found = another.ask(FOUND)
            assert faults(found, acknowledged) == []
            assert len(found["tickets"]) < sum(during.values())
            another.manage("check_stock")


# --- The control: what a backup without one transaction brings back -------------------------------

# Dumps one table after the other, as somebody's script would.
TABLE_BY_TABLE = """#!/bin/sh
for last; do :; done
case "$1" in --version) exec {real} --version;; esac
config=$1; shift
kept=""
for word; do case "$word" in --single-transaction|"$last") ;; *) kept="$kept $word";; esac; done
tables=$({client} "$config" -N -e "SHOW TABLES" "$last") || exit 1
for table in $tables; do {real} "$config" $kept "$last" "$table" || exit 1; done
"""


@control
def test_control_a_naive_copy_is_torn(world: World, tmp_path: Path) -> None:
    naive = _copied_by_hand if not IN_PRODUCTION else _dumped_table_by_table
    with working(world) as writers:
        for number in range(CONTROLS):
            if naive(world.shop, tmp_path / str(number), at_work(writers)):
                return
    pytest.fail(f"None of {CONTROLS} naive copies was torn: this drill could not tell.")


def _copied_by_hand(ours: Shop, folder: Path, acknowledged: dict[str, int]) -> list[str]:
    """The file alone, without the log beside it."""
    with shop(folder) as another:
        another.close()
        for old in folder.glob("autoful.sqlite3*"):
            old.unlink()
        shutil.copy(ours.folder / "autoful.sqlite3", folder / "autoful.sqlite3")
        with closing(sqlite3.connect(folder / "autoful.sqlite3")) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return ["torn pages"]
        return faults(another.ask(FOUND), acknowledged)


def _dumped_table_by_table(ours: Shop, folder: Path, acknowledged: dict[str, int]) -> list[str]:
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name, client in (("mariadb-dump", "mariadb"), ("mysqldump", "mysql")):
        real = shutil.which(name)
        if real:
            script = TABLE_BY_TABLE.format(real=real, client=shutil.which(client))
            (programs / name).write_text(script)
            (programs / name).chmod(0o755)
    path = folder / "naive.zip"
    ours.manage("backup", str(path), PATH=f"{programs}:{os.environ['PATH']}")
    with shop(folder / "shop") as another:
        try:
            another.manage("restore", str(path))
        except AssertionError as refused:  # a reference to a row that was not there yet
            return [str(refused)]
        return faults(another.ask(FOUND), acknowledged)


# --- A point in time ------------------------------------------------------------------------------


# Whether MySQL gives each change a number: its default has been both. What has a number the server
# has seen is passed over, unless the numbers are left out.
NUMBERED = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")
BARE = ("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
ROWS = ("--binlog-format=ROW",)  # MySQL's default


# Whether they are here, with clients of their own: others do not tell the log's position.
MARIADB = all(map(servers.find_program, ("mariadbd", "mariadb-dump", "mariadb-binlog")))
MYSQL = all(map(servers.find_mysql, ("mysqld", "mysqldump", "mysqlbinlog")))


@pytest.mark.skipif(not IN_PRODUCTION, reason="SQLite keeps no log of past changes")
@pytest.mark.parametrize(
    ("found", "server", "options"),
    [
        pytest.param(MARIADB, servers.mariadb_server, ROWS, id="mariadb"),
        pytest.param(MYSQL, servers.mysql_server, NUMBERED, id="mysql-numbered"),
        pytest.param(MYSQL, servers.mysql_server, BARE, id="mysql-bare"),
    ],
)
def test_the_moment_before_an_accident(
    found: bool,
    server: Databases,
    options: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not found:
        pytest.skip("its server, or a client of its own, is not on this machine")
    with server(options=("--log-bin=shop", *options)) as database:
        monkeypatch.setenv("DATABASE_URL", database.url)
        path = tmp_path / "nightly.zip"
        with shop(tmp_path / "shop") as ours:
            with ours.serve(AUTOFUL_RATE_LIMITS="off") as url, working(World(ours, url)) as writers:
                at_work(writers)
                said = ours.manage("backup", str(path))
                assert "The binary log goes on from shop.0" in said
                nightly = at_work(writers)
            acknowledged = {w.called: w.acknowledged for w in writers}
            assert sum(acknowledged.values()) > sum(nightly.values()) - WRITERS
            time.sleep(1.1)  # the log knows whole seconds
            accident = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            time.sleep(1.1)
            ours.ask(
                "from tickets.models import *\n"
                "for model in (PartLine, Assignment, StatusChange, ServiceTicket):\n"
                "    model.objects.all().delete()\n"
                "answer = ServiceTicket.objects.count()"
            )
            ours.close()

            said = ours.manage("restore", str(path), "--replace", "--keep-closed")
            _, _, told = said.partition("play the binary log into it, from ")
            file, position = told.split(", to just")[0].split(", ")
            with pytest.raises(AssertionError, match="has not finished"):
                ours.manage("check_stock")
            _play_log(ours.environment["DATABASE_URL"], file, position, accident)
            assert "The shop is back" in ours.manage("restore", "--finish")

            found = ours.ask(FOUND)
            assert faults(found, acknowledged) == []
            assert len(found["tickets"]) == sum(acknowledged.values())
            ours.manage("check_stock")


def _play_log(url: str, file: str, position: str, until: str) -> None:
    """As the README has it."""
    where = urlsplit(url)
    server = [f"--host={where.hostname}", f"--port={where.port}", f"--user={where.username}"]
    database = unquote(where.path.strip("/"))
    if servers.database_version(url).startswith("MySQL"):
        reader, client = ["mysqlbinlog", "--skip-gtids"], "mysql"
    else:
        reader, client = ["mariadb-binlog"], "mariadb"
    read = [*reader, *server, "--read-from-remote-server", "--to-last-log", position]
    read += [f"--stop-datetime={until}", f"--database={database}", file]
    environment = os.environ | {"TZ": "UTC"}
    with subprocess.Popen(read, stdout=subprocess.PIPE, env=environment) as log:
        subprocess.run([client, *server, database], stdin=log.stdout, check=True)
    assert log.returncode == 0
