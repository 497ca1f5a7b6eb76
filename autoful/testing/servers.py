"""Private database and Redis servers for tests.

    with mariadb() as database_url, redis() as redis_url: ...

Each server listens on a free port of 127.0.0.1 and keeps its files in a new temporary folder.
Leaving the block ends the server and deletes the folder, on an exception, Ctrl-C or SIGTERM too.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

READY_WITHIN = 60.0  # seconds; a loaded machine takes a few
STARTS = 3


class ServerDidNotStart(RuntimeError):
    """The program is missing or would not answer; the message ends with what it logged."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. Not a SystemExit: pytest takes that for one test's failure and goes on."""


def find_program(name: str) -> str | None:
    """The path of a program, also off a normal user's PATH: Debian has mariadbd in /usr/sbin."""
    path = os.pathsep.join(
        [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    )
    return shutil.which(name, path=path)


@contextmanager
def mariadb(database: str = "autoful") -> Iterator[str]:
    """A MariaDB with an empty utf8mb4 `database`, root with no password; yields its mysql:// URL."""
    # Without --user MariaDB refuses to run as root; a normal user may not name one.
    user = ["--user=root"] if os.geteuid() == 0 else []

    def command(folder: Path, port: int) -> list[str]:
        data, init = folder / "data", folder / "init.sql"
        if not init.exists():
            _run(
                [
                    _program("mariadb-install-db"),
                    "--no-defaults",
                    *user,
                    f"--datadir={data}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ],
                log=folder / "log",
            )
            init.write_text(
                f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4;\n", encoding="ascii"
            )
        return [
            _program("mariadbd"),
            "--no-defaults",
            *user,
            f"--datadir={data}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            # Relative to the data folder: a whole path may be longer than a socket's name can be.
            "--socket=mariadb.sock",
            f"--init-file={init}",
            f"--tmpdir={folder}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--character-set-server=utf8mb4",
            "--max-connections=300",
            # Commits reach the system's cache: a killed server keeps them, a power cut does not.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
            "--debug-no-sync",
        ]

    with _server(command, answers=database_version) as port:
        yield f"mysql://root@127.0.0.1:{port}/{database}"


@contextmanager
def redis() -> Iterator[str]:
    """An empty Redis server that saves nothing; yields its redis:// URL."""

    def command(folder: Path, port: int) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        return [_program("redis-server"), *where, "--save", "", "--appendonly", "no"]

    with _server(command, answers=redis_version) as port:
        yield f"redis://127.0.0.1:{port}/0"


def database_version(url: str) -> str:
    """What the MariaDB or MySQL server at `url` calls itself, "MariaDB 10.11.6" or "MySQL 9.1.0".

    Raises OSError while it does not answer.
    """
    where = urlsplit(url)
    with socket.create_connection(
        (where.hostname or "127.0.0.1", where.port or 3306), timeout=5
    ) as connection:
        # A packet's header (4 bytes), the protocol's number, then the version up to a NUL.
        # The listening socket is there before the server is; the greeting comes when it is ready.
        greeting = connection.recv(256)
    if len(greeting) < 6 or greeting[4] != 10:
        raise ConnectionError(
            f"the server at {where.hostname}:{where.port} does not greet like MariaDB or MySQL"
        )
    # MariaDB up to 10.x puts 5.5.5- in front, for replicas that know no version 10.
    version = greeting[5:].split(b"\0")[0].decode("ascii", "replace").removeprefix("5.5.5-")
    name = "MariaDB" if "MariaDB" in version else "MySQL"
    return f"{name} {version.split('-')[0]}"


def redis_version(url: str) -> str:
    """What the Redis server at `url` calls itself, "Redis 7.0.15".

    Raises OSError while it does not answer.
    """
    where = urlsplit(url)
    with socket.create_connection(
        (where.hostname or "127.0.0.1", where.port or 6379), timeout=5
    ) as connection:
        connection.sendall(b"INFO server\r\n")
        answer = b""
        while b"redis_version:" not in answer or not answer.endswith(b"\r\n"):
            more = connection.recv(4096)
            if not more:
                raise ConnectionError(
                    f"the server at {where.hostname}:{where.port} does not answer like Redis"
                )
            answer += more
    return "Redis " + answer.split(b"redis_version:")[1].split()[0].decode("ascii", "replace")


@contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that what it holds is put away."""

    def leave(_signum: int, _frame: FrameType | None) -> None:
        raise Terminated

    with ExitStack() as stack:
        for signum in (signal.SIGTERM, signal.SIGHUP):
            # Only the main thread can set a handler, and one that somebody else set is theirs.
            if (
                threading.current_thread() is threading.main_thread()
                and signal.getsignal(signum) is signal.SIG_DFL
            ):
                signal.signal(signum, leave)
                stack.callback(signal.signal, signum, signal.SIG_DFL)
        yield


@contextmanager
def _server(
    command: Callable[[Path, int], list[str]], *, answers: Callable[[str], str]
) -> Iterator[int]:
    """Start `command(folder, port)`; yield the port once `answers(url)` raises no OSError."""
    with ExitStack() as stack:
        stack.enter_context(unwinding_on_signals())
        temporary = tempfile.TemporaryDirectory(prefix="autoful-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        log = folder / "log"
        for _ in range(STARTS):
            # Before our server has it, another process may take the port.
            port = _free_port()
            arguments = command(folder, port)
            server = stack.enter_context(_process(arguments, log=log))
            if _ready(server, partial(answers, f"//127.0.0.1:{port}")):
                yield port
                return
            if server.poll() is None:  # it runs and does not answer: another port would not help
                break
        raise ServerDidNotStart(
            f"{Path(arguments[0]).name} did not start. It logged:\n{_tail(log)}"
        )


def _ready(server: subprocess.Popen[bytes], ask: Callable[[], str]) -> bool:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            ask()
        except OSError:
            time.sleep(0.05)
        else:
            # If the port was another's, it was that one which answered, and ours is just giving up.
            time.sleep(0.05)
            return server.poll() is None
    return False


@contextmanager
def _process(arguments: list[str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running program, killed with its children at the end: there is no data to save."""
    with log.open("ab") as output:
        # In a session of its own, Ctrl-C reaches the tests and not the server they are still using.
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _run(arguments: list[str], *, log: Path) -> None:
    with _process(arguments, log=log) as process:
        if process.wait() != 0:
            raise ServerDidNotStart(f"{Path(arguments[0]).name} failed. It logged:\n{_tail(log)}")


def _program(name: str) -> str:
    path = find_program(name)
    if path is None:
        raise ServerDidNotStart(f"the program {name} is not on this machine")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
