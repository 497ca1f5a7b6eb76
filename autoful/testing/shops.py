"""A shop of its own for tests over HTTP, and the real server on it, in processes of its own.

    with shop(folder) as ours, ours.serve(AUTOFUL_RATE_LIMITS="off") as url: ...

The shop is on the set-up that the environment names: a SQLite file, or a database on the server of
DATABASE_URL, made here and dropped afterwards, and this worker's second database of REDIS_URL.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests

ROOT = Path(__file__).resolve().parents[2]
REDIS_DATABASES = 16
READY_WITHIN = 60.0
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
        if self._shell is not None:
            self._shell.communicate()

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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        workers = "2" if self.in_production else "1"
        command = [sys.executable, "-m", "granian", "--interface", "wsgi"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--workers", workers]
        command += ["--blocking-threads", "8", application]
        log = self.folder / f"server-{port}.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(server, f"{url}/health/ready", log)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(url, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")


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
    if not database:
        made = Shop(environment, folder)
        made.manage("migrate", "-v0")
        with closing(made):
            yield made
        return
    name = f"autoful_http_{uuid.uuid4().hex[:12]}"
    environment["DATABASE_URL"] = urlunsplit(urlsplit(database)._replace(path=f"/{name}"))
    _sql(database, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    try:
        made = Shop(environment, folder)
        made.manage("migrate", "-v0")
        made.manage("collectstatic", "--noinput", "-v0")
        with closing(made):
            yield made
    finally:
        _sql(database, f"DROP DATABASE `{name}`")


def _sql(url: str, statement: str) -> None:
    import MySQLdb  # type: ignore[import-untyped]  # the embedded set-up does without

    where = urlsplit(url)
    connection = MySQLdb.connect(
        host=where.hostname or "127.0.0.1",
        port=where.port or 3306,
        user=unquote(where.username or ""),
        password=unquote(where.password or ""),
    )
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _empty_redis(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as connection:
        connection.flushdb()
