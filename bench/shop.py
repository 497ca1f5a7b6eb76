"""The servers of a run: MariaDB, Redis, the shop as it is in production, and the limit beside it."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autoful.testing.processes import Program, Server, free_port, running
from autoful.testing.shops import ROOT, SECRET_KEY
from bench.asking import Request, ask

WORKERS, THREADS = 2, 4
LIMIT = "bench.limit.application:application"


@dataclass(frozen=True)
class Place:
    """Where a shop's data are."""

    folder: Path
    database_url: str
    redis_url: str

    def environment(self, **more: str) -> dict[str, str]:
        """A shop's, with nothing of the caller's own set-up."""
        names = {"DATABASE_URL", "REDIS_URL", "DEBUG", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "PORT"}
        names |= {"DATABASE_REPLICA_URL", "DJANGO_SETTINGS_MODULE", "MAKEFLAGS", "MAKELEVEL"}
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AUTOFUL_") and name not in names
        }
        return own | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": SECRET_KEY,
            "AUTOFUL_ENV_FILE": "",
            "AUTOFUL_DATA": str(self.folder),
            "AUTOFUL_HTTPS": "off",
            "AUTOFUL_RATE_LIMITS": "off",
            "WEB_WORKERS": str(WORKERS),
            "WEB_THREADS": str(THREADS),
            **more,
        }


@contextmanager
def ours(place: Place, **environment: str) -> Iterator[Server]:
    """`manage.py serve`, with its access log in a file."""
    port = free_port()
    program = Program(
        [sys.executable, "manage.py", "serve"],
        log=place.folder / "ours.log",
        environment=place.environment(PORT=str(port), **environment),
        cwd=ROOT,
    )
    with serving(program, port) as server:
        await_recounted(server)
        yield server


@contextmanager
def limit(place: Place) -> Iterator[Server]:
    """The application by hand, under the same server with the same options."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS)]
    command += ["--blocking-threads", str(THREADS), "--backpressure", "512", LIMIT]
    program = Program(
        command, log=place.folder / "limit.log", environment=place.environment(), cwd=ROOT
    )
    with serving(program, port) as server:
        yield server


@contextmanager
def serving(program: Program, port: int) -> Iterator[Server]:
    """The server that `program` is, from when it answers."""
    url = f"http://127.0.0.1:{port}"
    server = Server(url, program, lambda: ask(url, Request("/health/ready")).status == 200)
    with running(program, patience=10):
        server.await_ready()
        yield server


def workers(server: Server) -> list[int]:
    """The numbers of its worker processes."""
    others = re.compile("resource_tracker|recount|^$")  # an empty one has ended
    return [number for number, command in _children(server) if not others.search(command)]


def await_recounted(server: Server) -> None:
    """Until what the server counts again at its start is counted."""
    while any("recount" in command for _, command in _children(server)):
        time.sleep(0.2)


def _children(server: Server) -> list[tuple[int, str]]:
    children = Path(f"/proc/{server.program.pid}/task/{server.program.pid}/children")
    found = [int(number) for number in children.read_text(encoding="ascii").split()]
    return [(number, _command(number)) for number in found]


def megabytes(process: int) -> float:
    """The memory that a process holds, RSS."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(process)


def processor_time(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _command(process: int) -> str:
    with suppress(ProcessLookupError, FileNotFoundError):  # it has ended since
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""
