"""Private database and Redis servers for tests.

    with mariadb() as database_url, redis() as redis_url: ...
    with mariadb_server(durable=True) as database: database.program.kill(); database.start_again()

Each server listens on a free port of 127.0.0.1 and keeps its files in a new temporary folder.
Leaving the block ends the server and deletes the folder, on an exception, Ctrl-C or SIGTERM too.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from autoful.testing.processes import Program, Server, ServerDidNotStart, free_port, running
from autoful.unwinding import unwinding_on_signals

STARTS = 3


def find_program(name: str) -> str | None:
    """The path of a program, also off a normal user's PATH: Debian has mariadbd in /usr/sbin."""
    path = os.pathsep.join(
        [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    )
    return shutil.which(name, path=path)


@contextmanager
def mariadb(database: str = "autoful") -> Iterator[str]:
    """A MariaDB with an empty utf8mb4 `database`, root with no password; yields its mysql:// URL."""
    with mariadb_server(database) as server:
        yield server.url


@contextmanager
def mariadb_server(
    database: str = "autoful", *, durable: bool = False, options: tuple[str, ...] = ()
) -> Iterator[Server]:
    """The same, to be killed and started again. `options` are mariadbd's own.

    `durable`: every commit is on the disk, as a shop's must be; else a killed server keeps what
    it acknowledged and a power cut would not, which is all a test needs.
    """
    commits = (
        ["--innodb-flush-log-at-trx-commit=1"]
        if durable
        else [
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
            "--debug-no-sync",
        ]
    )

    def command(folder: Path, port: int) -> list[str]:
        init = folder / "init.sql"
        if not init.exists():
            new_data_folder(folder)
            init.write_text(
                # Run at every start.
                f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4;\n",
                encoding="ascii",
            )
        return [
            *mariadb_command(folder, port),
            f"--init-file={init}",
            "--skip-log-bin",
            *commits,
            *options,
        ]

    with _server(
        command, f"mysql://root@127.0.0.1:{{port}}/{database}", database_version
    ) as server:
        yield server


def mariadb_command(folder: Path, port: int, *, user: str = "root") -> list[str]:
    """A server on `folder`, before what is special about it; started by root it runs as `user`."""
    return [
        program("mariadbd"),
        "--no-defaults",
        *_as(user),
        f"--datadir={folder / 'data'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        # Relative to the data folder: a whole path may be longer than a socket's name can be.
        "--socket=mariadb.sock",
        f"--tmpdir={folder}",
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--max-connections=300",
    ]


def new_data_folder(folder: Path) -> None:
    """`folder`/data, for a MariaDB with nothing in it."""
    options = [f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"]
    command = [program("mariadb-install-db"), "--no-defaults", *_as("root"), *options]
    _install([*command, "--skip-test-db"], log=folder / "log")


def _install(command: list[str], *, log: Path) -> None:
    with running(Program(command, log=log)) as installing:
        if installing.wait() != 0:
            raise ServerDidNotStart(f"{command[0]} failed. It logged:\n{installing.tail()}")


def _as(user: str) -> list[str]:
    # Without --user MariaDB refuses to run as root; a normal user may not name one.
    return [f"--user={user}"] if os.geteuid() == 0 else []


def find_mysql(name: str = "mysqld") -> str | None:
    """The path of a program of MySQL's own; Debian calls MariaDB's so, too."""
    path = find_program(name)
    return path if path and "maria" not in Path(path).resolve().name else None


@contextmanager
def mysql_server(
    database: str = "autoful", *, durable: bool = False, options: tuple[str, ...] = ()
) -> Iterator[Server]:
    """The same on MySQL, for a machine that has it: see `find_mysql`."""
    commits = f"--innodb-flush-log-at-trx-commit={1 if durable else 2}"

    def command(folder: Path, port: int) -> list[str]:
        init = folder / "init.sql"
        mysqld = [find_mysql() or "mysqld", "--no-defaults", f"--datadir={folder / 'data'}"]
        mysqld += _as("root")
        if not init.exists():
            _install([*mysqld, "--initialize-insecure"], log=folder / "log")
            init.write_text(
                f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4;\n",
                encoding="ascii",
            )
        where = [f"--port={port}", "--bind-address=127.0.0.1", "--socket=mysql.sock"]
        ours = ["--mysqlx=OFF", "--skip-log-bin", "--max-connections=300", commits]
        return [*mysqld, *where, *ours, f"--init-file={init}", *options]

    with _server(
        command, f"mysql://root@127.0.0.1:{{port}}/{database}", database_version
    ) as server:
        yield server


@contextmanager
def redis() -> Iterator[str]:
    """An empty Redis server that saves nothing; yields its redis:// URL."""
    with redis_server() as server:
        yield server.url


@contextmanager
def redis_server() -> Iterator[Server]:
    """The same, to be killed, frozen and started again; it comes back empty."""

    def command(folder: Path, port: int) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        return [program("redis-server"), *where, "--save", "", "--appendonly", "no"]

    with _server(command, "redis://127.0.0.1:{port}/0", redis_version) as server:
        yield server


def sql(url: str, statement: str) -> list[Any]:
    """What the database server at `url` answers, as its root or whoever the URL names."""
    with _cursor(url) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def copy_tables(source: str, target: str) -> None:
    """Make in the database `target` all tables of `source`, on the same server, with their rows."""
    theirs, ours = (urlsplit(url).path.lstrip("/") for url in (source, target))
    with _cursor(source) as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute(f"SHOW TABLES FROM `{theirs}`")
        for (table,) in cursor.fetchall():
            cursor.execute(f"USE `{theirs}`")
            cursor.execute(f"SHOW CREATE TABLE `{table}`")
            made = cursor.fetchone()[1]
            cursor.execute(f"USE `{ours}`")
            cursor.execute(made)
            cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{theirs}`.`{table}`")


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    import MySQLdb  # type: ignore[import-untyped]  # the embedded set-up does without

    where = urlsplit(url)
    connection = MySQLdb.connect(
        host=where.hostname or "127.0.0.1",
        port=where.port or 3306,
        user=unquote(where.username or ""),
        password=unquote(where.password or ""),
        connect_timeout=5,
        autocommit=True,
    )
    try:
        yield connection.cursor()
    finally:
        connection.close()


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
def _server(
    command: Callable[[Path, int], list[str]], url: str, ask: Callable[[str], str]
) -> Iterator[Server]:
    """Start `command(folder, port)`; yield it once `ask(url)` raises no OSError."""
    with ExitStack() as stack:
        stack.enter_context(unwinding_on_signals())
        temporary = tempfile.TemporaryDirectory(prefix="autoful-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        for tries in range(1, STARTS + 1):
            # Before our server has it, another process may take the port.
            port = free_port()
            here = url.format(port=port)
            program = Program(command(folder, port), log=folder / "log")
            server = Server(here, program, lambda here=here: bool(ask(here)))  # type: ignore[misc]
            stack.enter_context(running(program))  # killed at the end: there is no data to save
            try:
                server.await_ready()
            except ServerDidNotStart:
                # One that runs and does not answer would do no better on another port.
                if tries == STARTS or program.runs():
                    raise
                continue
            yield server
            return


def program(name: str) -> str:
    path = find_program(name)
    if path is None:
        raise ServerDidNotStart(f"the program {name} is not on this machine")
    return path
