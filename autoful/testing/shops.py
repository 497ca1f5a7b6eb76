"""A shop of its own for tests over HTTP, and the real server on it, in processes of its own.

    with shop(folder) as ours, ours.serve(AUTOFUL_RATE_LIMITS="off") as url: ...

The shop is on the set-up that the environment names: a SQLite file, or a database on the server of
DATABASE_URL, made here and dropped afterwards, and this worker's second database of REDIS_URL.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from autoful.testing.processes import Program, Server, free_port, running
from autoful.testing.servers import copy_tables, sql

ROOT = Path(__file__).resolve().parents[2]
REDIS_DATABASES = 16
SECRET_KEY = "only-for-the-servers-of-tests-and-never-for-a-shop-0123456789abcdef"


def worker() -> int:
    """The number of this pytest process among its fellows."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def redis_database(url: str, use: str) -> str:
    """This worker's database of the Redis at `url`, for "tests" or for the "servers" it starts.

    Two, because clearing the caches between tests must not empty what a running server counts.
    """
    number = 2 * worker() + ("tests", "servers").index(use)
    if number >= REDIS_DATABASES:
        raise RuntimeError(
            f"Each worker needs two of Redis's {REDIS_DATABASES} databases: "
            f"run with at most -n {REDIS_DATABASES // 2}."
        )
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


# Runs what it is told and answers: a process is started once and not for each question.
SHELL = """
import json, sys
import django
django.setup()
from django.db import close_old_connections
names = {}
for line in sys.stdin:
    close_old_connections()
    exec(json.loads(line), names)
    print(json.dumps(names.pop("answer")), flush=True)
"""


class Shop:
    """A migrated database with nobody in it; several servers may stand on it at once."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self._shell: subprocess.Popen[str] | None = None

    @property
    def in_production(self) -> bool:
        return "DATABASE_URL" in self.environment

    def ask(self, code: str) -> Any:
        """Run Python in the shop; `code` sets `answer` to something JSON can say."""
        if self._shell is None:
            self._shell = subprocess.Popen(
                [sys.executable, "-c", SHELL],
                cwd=ROOT,
                env=self.environment | {"DJANGO_SETTINGS_MODULE": "autoful.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(json.dumps(code) + "\n")
        self._shell.stdin.flush()
        answer = self._shell.stdout.readline()
        assert answer, f"It failed, as its process says above: {code}"
        return json.loads(answer)

    def close(self) -> None:
        """End the process that answers; the next question starts another one."""
        if self._shell is not None:
            self._shell.communicate()
            self._shell = None

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command; returns what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments[0]} failed:\n{done.stdout}"
        return done.stdout

    @contextmanager
    def serve(
        self, application: str = "autoful.wsgi:application", **environment: str
    ) -> Iterator[str]:
        """A running server, as many processes as the set-up has; yields its URL."""
        with self.server(environment, application=application) as server:
            yield server.url

    @contextmanager
    def server(
        self,
        environment: dict[str, str] | None = None,
        *,
        workers: int | None = None,
        application: str = "autoful.wsgi:application",
    ) -> Iterator[Server]:
        """The same, to be killed and started again.

        `workers` processes with four threads each; `application` may be a wrapper around ours.
        """
        port = free_port()
        workers = workers or (2 if self.in_production else 1)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
        command += ["--blocking-threads", "4", application]
        program = Program(
            command,
            log=self.folder / f"server-{port}.log",
            environment=self.environment | (environment or {}),
            cwd=ROOT,
        )
        url = f"http://127.0.0.1:{port}"
        server = Server(url, program, lambda: _is_ready(url))
        with running(program, patience=10):
            server.await_ready()
            yield server


def _is_ready(url: str) -> bool:
    return requests.get(f"{url}/health/ready", timeout=5).status_code == 200


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """A new shop in `folder` or on the servers that the environment names."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AUTOFUL_") and name not in ("DATABASE_URL", "REDIS_URL", "DEBUG")
    }
    environment |= {
        "SECRET_KEY": SECRET_KEY,
        "AUTOFUL_ENV_FILE": "",
        "AUTOFUL_DATA": str(folder),
        "AUTOFUL_HTTPS": "off",
        "AUTOFUL_MECHANIC_SIGNUP": "open",
    }
    if os.environ.get("REDIS_URL"):
        environment["REDIS_URL"] = redis_database(os.environ["REDIS_URL"], "servers")
        _empty_redis(environment["REDIS_URL"])
    database = os.environ.get("DATABASE_URL")
    made = Shop(environment, folder)
    with closing(made):
        if not database:
            _furnish(made)
            yield made
            return
        name = f"autoful_http_{uuid.uuid4().hex[:12]}"
        environment["DATABASE_URL"] = _of(database, name)
        sql(database, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            _furnish(made)
            yield made
        finally:
            made.close()
            sql(database, f"DROP DATABASE `{name}`")


def _of(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


def _furnish(made: Shop) -> None:
    """Give it its tables and its pages' files, which are every shop's: made once in each process, of
    which the tests start dozens of shops, and copied.
    """
    server = os.environ.get("DATABASE_URL", "")
    here = urlsplit(server).netloc  # a drill has servers of its own
    if here not in _first:
        _first[here] = _made_first(made, server)
    first = _first[here]
    shutil.copytree(first.folder, made.folder, dirs_exist_ok=True)
    if server:
        copy_tables(first.environment["DATABASE_URL"], made.environment["DATABASE_URL"])


_first: dict[str, Shop] = {}


def _made_first(like: Shop, server: str) -> Shop:
    folder = tempfile.TemporaryDirectory(prefix="autoful-shop-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    first = Shop(like.environment | {"AUTOFUL_DATA": folder.name}, Path(folder.name))
    if server:
        name = f"autoful_first_{uuid.uuid4().hex[:12]}"
        first.environment["DATABASE_URL"] = _of(server, name)
        sql(server, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        atexit.register(_drop, server, name)
    first.manage("migrate", "-v0")
    if server:
        first.manage("collectstatic", "--noinput", "-v0")
    return first


def _drop(server: str, name: str) -> None:
    with suppress(Exception):  # a private server has gone by now
        sql(server, f"DROP DATABASE `{name}`")


def _empty_redis(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as connection:
        connection.flushdb()
