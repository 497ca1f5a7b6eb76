"""MySQL and MariaDB: dumping in one transaction, and loading."""

import re
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from django.db import Error, connection

from autoful.backup import clients
from autoful.backup.clients import MARIADB, MYSQL, Call, Program
from autoful.backup.errors import Refused

# --single-transaction: one moment's truth, and nobody waits. --quick: row by row, not all in
# memory. --skip-add-locks: loading needs no right to lock tables. --no-tablespaces: dumping needs
# no PROCESS right.
DUMP = (
    *("--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob", "--no-tablespaces"),
    *("--skip-add-locks", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
)
# What MySQL's program asks of a server or says to the next one, that ours has no use for.
MYSQL_DUMP = ("--set-gtid-purged=OFF", "--column-statistics=0")
# --binary-mode: what is loaded is data, also a line that looks like a command to the client.
# --local-infile=0: nor does it get to read this machine's files (LOAD DATA LOCAL).
LOAD = (
    *("--binary-mode", "--local-infile=0"),
    *("--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
)
# What runs by itself, and is none of a shop's: of which kind, and its name.
PROGRAMS = """
    SELECT 'trigger', trigger_name FROM information_schema.triggers
    WHERE trigger_schema = DATABASE()
    UNION SELECT 'view', table_name FROM information_schema.views WHERE table_schema = DATABASE()
    UNION SELECT 'event', event_name FROM information_schema.events
    WHERE event_schema = DATABASE()
    UNION SELECT LOWER(routine_type), routine_name FROM information_schema.routines
    WHERE routine_schema = DATABASE()
"""

CREATE = re.compile(rb"CREATE TABLE `((?:[^`]|``)+)` \(")
INSERT = re.compile(rb"INSERT INTO `((?:[^`]|``)+)` (?:\([^)]*\) )?VALUES")
QUOTED = re.compile(rb"'[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL)
POSITION = re.compile(
    rb"-- CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', "
    rb"(?:MASTER|SOURCE)_LOG_POS=([0-9]+)"
)


class Reading:
    """What a dump holds, read off its lines as they pass: rows of each table, its place in the log.

    A dump breaks no string over lines. MySQL's program writes many rows on a line, MariaDB's one.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.position: dict[str, Any] | None = None
        self.complete = False
        self._table: str | None = None

    def line(self, line: bytes) -> None:
        if created := CREATE.match(line):
            self.rows.setdefault(_name(created[1]), 0)
        elif found := POSITION.match(line):
            self.position = {"file": found[1].decode(), "position": int(found[2])}
        self.complete = line.startswith(b"-- Dump completed")
        if insert := INSERT.match(line):
            self._table, line = _name(insert[1]), line[insert.end() :]
        if self._table is not None:
            bare = QUOTED.sub(b"", line)
            self.rows[self._table] += bare.count(b"(")
            if bare.rstrip().endswith(b";"):
                self._table = None


def _name(quoted: bytes) -> str:
    return quoted.decode().replace("``", "`")


def kind() -> str:
    """MARIADB or MYSQL."""
    server: Any = connection
    return MARIADB if server.mysql_is_mariadb else MYSQL


def server() -> str:
    """ "MariaDB 10.11.6"."""
    ours: Any = connection
    name = "MariaDB" if ours.mysql_is_mariadb else "MySQL"
    return f"{name} {'.'.join(map(str, ours.mysql_version))}"


def dump(write: Callable[[bytes], None], progress: Callable[[int, int], None]) -> Reading:
    """Write the shop as it is at this moment; returns what was in it."""
    program = clients.fitting("dump", kind())
    arguments = [*DUMP, *(MYSQL_DUMP if program.of == MYSQL else ())]
    if program.of == kind() and _log_may_be_read():
        arguments.append(_with_position(program))
    tables = len(connection.introspection.table_names())
    reading = Reading()

    def take(output: IO[bytes]) -> None:
        for line in output:
            # The switch that keeps commands to the client out; --binary-mode does it when loading,
            # and MySQL's program falls over it.
            if not line.startswith(b"/*M!999999"):
                reading.line(line)
                write(line)
                progress(min(len(reading.rows), tables), tables)

    parameters = _parameters()
    with clients.told_where(program, parameters) as call:
        _run(call.saying(*arguments, parameters["database"]), stdout=take)
    if not reading.complete:
        raise Refused(f"{program.path} ended before its dump was complete.")
    return reading


def _with_position(program: Program) -> str:
    """The option that has the dump say its place in the log.

    MySQL's program has had the newer name since 8.0.26, and warns of the older one since.
    """
    said = subprocess.run([program.path, "--help"], capture_output=True, check=False).stdout  # noqa: S603
    return "--source-data=2" if b"--source-data" in said else "--master-data=2"


def load(feed: Callable[[Callable[[bytes], Any]], None]) -> None:
    """Run a dump in the database, which should be empty; `feed` is given where it goes."""
    program = clients.fitting("load", kind())
    parameters = _parameters()
    with clients.told_where(program, parameters) as call:
        _run(call.saying(*LOAD, parameters["database"]), stdin=lambda pipe: feed(pipe.write))


def empty() -> None:
    """Drop everything in the database, except the mark of a restore."""
    from autoful.backup import unfinished

    with connection.cursor() as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        try:
            for table in connection.introspection.get_table_list(cursor):
                if table.name != unfinished.TABLE:
                    what = "VIEW" if table.type == "v" else "TABLE"
                    cursor.execute(f"DROP {what} {connection.ops.quote_name(table.name)}")
        finally:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 1")
        for what, name in programs():  # triggers and views went already
            cursor.execute(f"DROP {what.upper()} {connection.ops.quote_name(name)}")


def programs() -> list[tuple[str, str]]:
    """The database's triggers, views, events and routines, as ("trigger", "its name")."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRAMS)
        return sorted(cursor.fetchall())


def others() -> list[str]:
    """Who else is connected to this database, as "autoful from 10.0.0.7:51234".

    Without the right PROCESS the server shows the sessions of our own account and no other's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID(), DATABASE()")
        ours, database = cursor.fetchone()
        cursor.execute("SHOW PROCESSLIST")
        return [
            f"{user} from {host}"
            for number, user, host, used, *_ in cursor.fetchall()
            if number != ours and used == database
        ]


def rows() -> dict[str, int]:
    """How many rows each table has."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            found[name] = cursor.fetchone()[0]
    return found


def _parameters() -> dict[str, Any]:
    return dict(connection.get_connection_params())


def keeps_a_log() -> bool:
    """Whether the server keeps a binary log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@log_bin")
        return bool(cursor.fetchone()[0])


def _log_may_be_read() -> bool:
    """Whether the server keeps a binary log and lets us know where it stands."""
    if not keeps_a_log():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        held = " ".join(row[0] for row in cursor.fetchall() if " ON *.* " in row[0])
        if not re.search(r"\b(ALL PRIVILEGES|RELOAD)\b", held):
            return False  # MySQL's program takes a lock for a moment to read it
        for question in ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"):
            with suppress(Error):
                cursor.execute(question)
                return cursor.fetchone() is not None
    return False


def _run(
    call: Call,
    *,
    stdin: Callable[[IO[bytes]], None] | None = None,
    stdout: Callable[[IO[bytes]], None] | None = None,
) -> None:
    """Run the program; Refused with its own words when it fails. Interrupted, it is killed.

    When we are killed it ends by itself: nobody reads what it dumps, or it has read all it will.
    """
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603
            call.arguments,
            env=call.environment,
            pass_fds=[call.inherits],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=said,
        ) as process:
            try:
                if stdout and process.stdout:
                    stdout(process.stdout)
                if stdin and process.stdin:
                    # When the program has ended early, its own words are the better ones.
                    with suppress(BrokenPipeError):
                        stdin(process.stdin)
                    with suppress(BrokenPipeError):
                        process.stdin.close()
                code = process.wait()
            except BaseException:
                process.kill()
                if process.stdin:
                    with suppress(BrokenPipeError):  # what it did not take any more
                        process.stdin.close()
                raise
        if code != 0:
            said.seek(0)
            words = said.read(4_000).decode(errors="replace").strip().splitlines()
            raise Refused(
                " ".join(words[-1:]) or f"{call.arguments[0]} failed (exit status {code})."
            )
