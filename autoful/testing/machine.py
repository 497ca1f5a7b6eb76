"""What tests and measurements need and the machine lacks: installed, if that takes no question."""

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from autoful.testing.servers import find_program
from autoful.unwinding import Terminated

ROOT = Path(__file__).resolve().parents[2]

# Runs as root with the packages as its arguments. Debian starts a service as it installs it unless
# policy-rc.d answers 101; one that does so is left alone, any other is put back at the end.
# --no-remove: MariaDB's packages would push out an installed MySQL.
INSTALL = r"""
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-autoful
refuses() { "$policy" mariadb start >/dev/null 2>&1; [ $? -eq 101 ]; }
restore() { rm -f "$policy"; if [ -e "$kept" ]; then mv "$kept" "$policy"; fi; }
if ! refuses; then
    if [ -e "$policy" ]; then mv "$policy" "$kept"; fi
    trap restore EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends --no-remove "$@"
"""


def provide_production(*, own_database: bool, also: Callable[[], list[str]] = list) -> str:
    """Install what MariaDB, Redis and their clients take, and the packages `also` finds missing.

    The command for a user to do so if we cannot, else nothing.
    """
    packages = also() + _missing_packages(own_database=own_database)
    if packages and apt_get(packages):
        packages = also() + _missing_packages(own_database=own_database)
    if packages:
        return apt_command(packages)
    if _has_mysqlclient():
        return ""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "-r", "requirements.txt"]
    print("Installing the MySQL driver (mysqlclient) …", flush=True)
    return "" if succeeds(command) and _has_mysqlclient() else shlex.join(command)


def provide_browser() -> str:
    """Install Chromium; the command for a user to do so if we cannot, else nothing."""
    if find_program("chromium") or (apt_get(["chromium"]) and find_program("chromium")):
        return ""
    return apt_command(["chromium"])


def _missing_packages(*, own_database: bool) -> list[str]:
    """Debian's names of what the production set-up needs and is not here."""
    packages = []
    if own_database and not (find_program("mariadbd") and find_program("mariadb-install-db")):
        packages.append("mariadb-server")
    if not find_program("redis-server"):
        packages.append("redis-server")
    if not _has_mysqlclient():  # it has no wheels for Linux: what building it takes
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        if not any(map(find_program, (compiler, "cc", "gcc", "clang"))):
            packages += ["gcc", "libc6-dev"]
        if not find_program("pkg-config"):
            packages.append("pkg-config")
        clients = [["pkg-config", "--exists", name] for name in ("libmariadb", "mysqlclient")]
        if not any(succeeds(client, quietly=True) for client in clients):
            packages.append("libmariadb-dev")
        if not Path(sysconfig.get_path("include"), "Python.h").exists():
            packages.append(f"python{sys.version_info.major}.{sys.version_info.minor}-dev")
    return packages


def apt_get(packages: list[str]) -> bool:
    """Install Debian packages if that takes no question; False if it cannot be done."""
    if not find_program("apt-get") or not Path("/etc/debian_version").exists():
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and not succeeds([*as_root, "true"], quietly=True):
        return False
    print(f"What is needed is not here; apt-get installs {' '.join(packages)} …", flush=True)
    with tempfile.TemporaryFile() as log:
        command = [*as_root, "sh", "-c", INSTALL, "sh", *packages]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        # A package system that is left half-way needs repair by hand.
        code = finish(process, patience=None)
        if code != 0:
            log.seek(0)
            print(*log.read().decode(errors="replace").splitlines()[-15:], sep="\n", flush=True)
    return code == 0


def apt_command(packages: list[str]) -> str:
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install --no-remove {' '.join(packages)}"


def _has_mysqlclient() -> bool:
    # In a process of its own: the module may be there and the library it was built against not.
    return succeeds([sys.executable, "-c", "import MySQLdb"], quietly=True)


def succeeds(command: list[str], *, quietly: bool = False) -> bool:
    output = subprocess.DEVNULL if quietly else None
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    except FileNotFoundError:
        return False
    return finish(process, patience=5) == 0


def finish(process: subprocess.Popen[bytes], *, patience: float | None) -> int:
    """A program's exit code. If we are interrupted it has `patience` seconds (None: no end) to
    clean up after itself.
    """
    try:
        return process.wait()
    except KeyboardInterrupt as interrupt:
        # Ctrl-C has reached the program too; a signal to us alone has not.
        if isinstance(interrupt, Terminated) and patience is not None:
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        process.kill()
        raise
