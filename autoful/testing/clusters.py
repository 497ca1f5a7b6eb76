"""More than one machine, on this one: a replica, a Galera cluster, a proxy in front of servers.

    with galera() as nodes, before_nodes(nodes) as database_url: ...

Everything listens on 127.0.0.1 and is thrown away at the end, as in `servers`.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from autoful.testing.processes import Program, Server, ServerDidNotStart, free_port, running
from autoful.testing.servers import (
    database_version,
    find_program,
    mariadb_command,
    mariadb_server,
    new_data_folder,
    program,
    sql,
)
from autoful.unwinding import unwinding_on_signals

GALERA = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
PRIMARY = ("--log-bin", "--server-id=1")
REPLICA = ("--server-id=2", "--read-only=1")


def missing_programs() -> list[str]:
    """Debian's names of what a cluster needs and is not here."""
    missing = [] if any(Path(library).exists() for library in GALERA) else ["galera-4"]
    return missing + [name for name in ("haproxy", "rsync") if not find_program(name)]


# --- A database and its replica -------------------------------------------------------------------


@dataclass(frozen=True)
class Replica:
    """A database that follows another one."""

    server: Server

    def follow(self, primary: Server) -> None:
        """From the start of `primary`'s log."""
        where = urlsplit(primary.url)
        sql(
            self.server.url,
            f"CHANGE MASTER TO master_host='127.0.0.1', master_port={where.port}, "
            "master_user='root', master_use_gtid=slave_pos",
        )
        sql(self.server.url, "START SLAVE")

    def be_late(self, seconds: int) -> None:
        """Do everything so many seconds after the primary did."""
        sql(self.server.url, "STOP SLAVE")
        sql(self.server.url, f"CHANGE MASTER TO master_delay={seconds}")
        sql(self.server.url, "START SLAVE")

    def fall_behind(self) -> None:
        sql(self.server.url, "STOP SLAVE SQL_THREAD")

    def catch_up(self) -> None:
        sql(self.server.url, "START SLAVE SQL_THREAD")

    def reads(self) -> int:
        """How many SELECTs it has answered."""
        found = sql(self.server.url, "SHOW GLOBAL STATUS LIKE 'Com_select'")
        return int(found[0][1])


@contextmanager
def replicated() -> Iterator[tuple[Server, Replica]]:
    """A MariaDB and one that follows it."""
    with mariadb_server(options=PRIMARY) as primary, mariadb_server(options=REPLICA) as copy:
        replica = Replica(copy)
        replica.follow(primary)
        yield primary, replica


# --- Galera ---------------------------------------------------------------------------------------


@contextmanager
def galera(database: str = "autoful") -> Iterator[list[Server]]:
    """Three nodes of one cluster, every commit on the disk; the first is meant to be written to.

    A node that was killed may be started again: it gets what it missed from the others.
    """
    library = next((library for library in GALERA if Path(library).exists()), None)
    if library is None:
        raise ServerDidNotStart("Galera's library is not on this machine: galera-4")
    with ExitStack() as stack:
        stack.enter_context(unwinding_on_signals())
        temporary = tempfile.TemporaryDirectory(prefix="autoful-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        (folder / "0").mkdir()
        new_data_folder(folder / "0")
        for number in (1, 2):
            shutil.copytree(folder / "0", folder / str(number))
        ports = [(free_port(), free_port(), free_port(), free_port()) for _ in range(3)]
        peers = ",".join(f"127.0.0.1:{group}" for _, group, _, _ in ports)
        nodes: list[Server] = []
        for number, (port, group, incremental, whole) in enumerate(ports):
            home = folder / str(number)
            command = [
                *mariadb_command(home, port, user="mysql"),
                "--innodb-flush-log-at-trx-commit=1",
                "--binlog-format=ROW",
                "--innodb-autoinc-lock-mode=2",
                "--wsrep-on=ON",
                f"--wsrep-provider={library}",
                f"--wsrep-cluster-address=gcomm://{peers}",
                f"--wsrep-node-address=127.0.0.1:{group}",
                f"--wsrep-node-name=node{number}",
                "--wsrep-sst-method=rsync",
                f"--wsrep-sst-receive-address=127.0.0.1:{whole}",
                "--wsrep-provider-options="
                f"gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{incremental};"
                # How long the others wait for one that went away without a word.
                "evs.suspect_timeout=PT3S;evs.inactive_timeout=PT6S;gcache.size=64M",
            ]
            if os.geteuid() == 0:
                # Not as root: the rsync with which a node gets its copy would give up its rights.
                _give_to_mysql(folder, home)
            first = ["--wsrep-new-cluster"] if number == 0 else []
            node = Program([*command, *first], log=home / "log")
            url = f"mysql://root@127.0.0.1:{port}/{database}"
            stack.enter_context(running(node))
            server = Server(url, node, lambda url=url: _is_synced(url))  # type: ignore[misc]
            server.await_ready()
            node.command = command  # a second start joins the cluster, whoever began it
            nodes.append(server)
        sql(nodes[0].url, f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        yield nodes


def _give_to_mysql(folder: Path, home: Path) -> None:
    shutil.chown(folder, "mysql")
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "mysql")


def _is_synced(url: str) -> bool:
    database_version(url)
    found = sql(url, "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'")
    return bool(found) and found[0][1] == "Synced"


# --- A proxy --------------------------------------------------------------------------------------

DEFAULTS = """
defaults
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    default-server inter 500ms fall 2 rise 2
"""
BEFORE_SERVERS = """
listen shop
    mode http
    bind 127.0.0.1:{port}
    option httpchk GET /health/ready
    option forwardfor
    # What reached nobody may go to the next server; what may have been done, not.
    option redispatch
    retries 3
    retry-on conn-failure
    # When no server is ready, as while the database changes places: in the words of the API.
    http-error status 503 content-type application/json string '{{"code": "unavailable", "message": "Try again soon."}}' hdr Retry-After 1
"""
BEFORE_NODES = """
listen database
    mode tcp
    bind 127.0.0.1:{port}
    # One writer: whoever speaks with a node that is down, or with another one once the first is
    # back, is cut off and comes again.
    default-server on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions
"""


@contextmanager
def before_servers(urls: list[str]) -> Iterator[str]:
    """HAProxy in front of web servers: requests in turn to those that are ready; yields its URL."""
    places = [f"    server web{n} {urlsplit(url).netloc} check" for n, url in enumerate(urls)]
    with _haproxy(BEFORE_SERVERS, places, lambda port: bool(http_answers(port))) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def before_nodes(nodes: list[Server]) -> Iterator[str]:
    """HAProxy in front of a cluster's nodes: to the first that is there; yields a mysql:// URL."""
    ports = [urlsplit(node.url).port for node in nodes]
    places = [
        f"    server node{n} 127.0.0.1:{port} check{' backup' if n else ''}"
        for n, port in enumerate(ports)
    ]
    with _haproxy(BEFORE_NODES, places, lambda port: bool(database_version(f"//:{port}"))) as port:
        yield urlsplit(nodes[0].url)._replace(netloc=f"root@127.0.0.1:{port}").geturl()


@contextmanager
def _haproxy(what: str, places: list[str], answers: Callable[[int], bool]) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="autoful-") as name:
        folder, port = Path(name), free_port()
        configuration = folder / "haproxy.cfg"
        words = [DEFAULTS, what.format(port=port), *places, ""]
        configuration.write_text("\n".join(words), encoding="ascii")
        command = [program("haproxy"), "-f", str(configuration)]
        with running(Program(command, log=folder / "log")) as haproxy:
            Server("", haproxy, lambda: answers(port)).await_ready()
            yield port


def http_answers(port: int) -> bool:
    return requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == 200
