"""The programs of MySQL and MariaDB that dump and load a database, and how they are told where.

A password is never an argument or in the environment, where others on the machine could read it:
it stands in an option file that only we can read and that has no name, so that nothing is left of
it whatever ends us.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from autoful.backup.errors import Refused

MARIADB, MYSQL = "mariadb", "mysql"
# What both call it; a machine may have either, or one under the other's name.
PROGRAMS = {
    "dump": {MARIADB: ("mariadb-dump", "mysqldump"), MYSQL: ("mysqldump", "mariadb-dump")},
    "load": {MARIADB: ("mariadb", "mysql"), MYSQL: ("mysql", "mariadb")},
}


@dataclass(frozen=True)
class Program:
    """A program on this machine, and whose it is: MARIADB or MYSQL."""

    path: str
    of: str


def fitting(purpose: str, server: str) -> Program:
    """The program that dumps or loads for a server of MARIADB or MYSQL: its own, or the other's."""
    found = []
    for name in PROGRAMS[purpose][server]:
        path = shutil.which(name)
        if path is None:
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        if said.returncode == 0:
            found.append(Program(path, MARIADB if "MariaDB" in said.stdout else MYSQL))
    if not found:
        either = " nor ".join(PROGRAMS[purpose][server])
        raise Refused(
            f"Neither {either} is on this machine; on Debian: apt-get install {server}-client"
            f"{'' if server == MARIADB else ', or mariadb-client'}."
        )
    return next((program for program in found if program.of == server), found[0])


@dataclass(frozen=True)
class Call:
    """How a program is run: its arguments, its environment, and the open file that it inherits."""

    arguments: list[str]
    environment: dict[str, str]
    inherits: int

    def saying(self, *more: str) -> "Call":
        """The same with more arguments."""
        return replace(self, arguments=[*self.arguments, *more])


@contextmanager
def told_where(program: Program, parameters: dict[str, Any]) -> Iterator[Call]:
    """The program with its option file, for the server of `parameters`.

    `parameters` are what Django's connection gives to the driver.
    """
    with tempfile.TemporaryFile() as file:  # mode 0600
        file.write(options(program.of, parameters).encode())
        file.seek(0)  # which flushes, and some systems go on reading where we stand
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("MYSQL_", "MARIADB_"))}
        # MySQL's programs read ~/.mylogin.cnf whatever they are told; here there is none.
        ours["MYSQL_TEST_LOGIN_FILE"] = "/dev/null/none"
        # Not the extra file: what stands in /etc/mysql must not decide what a backup holds.
        file_option = f"--defaults-file=/dev/fd/{file.fileno()}"
        yield Call([program.path, file_option], ours, file.fileno())


def options(of: str, parameters: dict[str, Any]) -> str:
    """The option file's text."""
    lines = ["[client]", "default-character-set=utf8mb4"]
    names = {"user": "user", "password": "password", "host": "host", "port": "port"}
    names |= {"unix_socket": "socket"}
    lines += [
        _line(ours, parameters[theirs]) for theirs, ours in names.items() if theirs in parameters
    ]
    tls = parameters.get("ssl") or {}
    if tls is True:
        tls, parameters = {}, {"ssl_mode": "REQUIRED", **parameters}
    lines += [
        _line(f"ssl-{name}", tls[name])
        for name in ("ca", "capath", "cert", "key", "cipher")
        if tls.get(name)
    ]
    mode = str(parameters.get("ssl_mode") or "").upper()
    lines += _mode(of, mode)
    if parameters.get("read_default_file"):
        lines.insert(0, f"!include {parameters['read_default_file']}")
    return "\n".join([*lines, ""])


def _mode(of: str, mode: str) -> list[str]:
    """`ssl_mode` in the words of either."""
    if of == MYSQL:
        return [f"ssl-mode={mode}"] if mode else []
    if mode == "DISABLED":
        return ["skip-ssl"]
    verify = mode.startswith("VERIFY_")
    # Newer ones verify of themselves, and would refuse MySQL's own certificate.
    check = "ssl-verify-server-cert" if verify else "disable-ssl-verify-server-cert"
    return [*(["ssl"] if mode in ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY") else []), check]


def _line(name: str, value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{text}"'
