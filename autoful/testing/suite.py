"""Run all tests, or all drills, twice: on the embedded set-up, then on MariaDB with Redis.

    python -m autoful.testing.suite [drills] [arguments for pytest]

MariaDB and Redis are private servers (see `servers`); with TEST_DATABASE_URL=mysql://… that server
is used in place of a MariaDB. What the tests need and the machine lacks is installed if that takes
no question; if not, the last line names what did not run and the command that would help, and
under CI the run fails.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from autoful.testing import clusters, servers
from autoful.testing.servers import find_program
from autoful.unwinding import Terminated, unwinding_on_signals

ROOT = Path(__file__).resolve().parents[2]
NEWMAN = "newman@6.2.2"
NEWMAN_FOLDER = ".venv/newman"
SECRET_KEY = "for-tests-only-and-never-for-a-shop-" + "0123456789abcdefghijklmnopqr"
NO_TESTS_COLLECTED = 5
INTERRUPTED = 130

# A developer's own set-up must not decide how the tests go, nor this run's make how a make
# inside a test goes.
NOT_FOR_TESTS = {
    *("DATABASE_URL", "REDIS_URL", "TEST_DATABASE_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"),
    *("CORS_ALLOWED_ORIGINS", "TRUSTED_PROXIES", "PORT", "WEB_WORKERS", "WEB_THREADS"),
    *("DJANGO_SETTINGS_MODULE", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"),
}

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


def main(arguments: list[str]) -> int:
    what = "tests"
    if arguments[:1] == ["drills"]:
        what, arguments = "drills", ["tests/drills", *arguments[1:]]
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    database_url = os.environ.get("TEST_DATABASE_URL", "")
    help_production = _provide_production(own_database=not database_url, drills=what == "drills")
    help_newman = _provide_newman() if what == "tests" else ""

    summary, passed = [], True
    code = _pytest("the embedded set-up: SQLite, in-process cache", {}, arguments)
    summary.append(f"embedded {_outcome(code)}")
    passed &= code == 0

    if help_production:
        summary.append(f"production DID NOT RUN, install what it lacks with: {help_production}")
        passed &= not in_ci
    else:
        try:
            with ExitStack() as stack:
                database_url = database_url or stack.enter_context(servers.mariadb())
                redis_url = stack.enter_context(servers.redis())
                versions = servers.database_version(database_url)
                versions += ", " + servers.redis_version(redis_url)
                urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
                code = _pytest(f"the production set-up: {versions}", urls, arguments)
            summary.append(f"production ({versions}) {_outcome(code)}")
            passed &= code == 0
        except (servers.ServerDidNotStart, OSError) as error:
            print(f"The servers for these tests did not answer: {error}", flush=True)
            summary.append("production FAILED: its servers did not answer")
            passed = False

    if help_newman:
        summary.append(f"the Postman collection DID NOT RUN, install newman with: {help_newman}")
        passed &= not in_ci
    print(f"Autoful's {what}: {'; '.join(summary)}", flush=True)
    return 0 if passed else 1


def _pytest(setup: str, urls: dict[str, str], arguments: list[str]) -> int:
    """pytest's exit code for all tests on one set-up."""
    print(f"\n=== Autoful on {setup} ===", flush=True)
    # The cores we may use; Linux alone can tell.
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="autoful-data-", ignore_cleanup_errors=True) as data:
        own = {k: v for k, v in os.environ.items() if k not in NOT_FOR_TESTS}
        own = {
            k: v
            for k, v in own.items()
            if not k.startswith("AUTOFUL_") or k.startswith(("AUTOFUL_FUZZ_", "AUTOFUL_DRILL_"))
        }
        ours = {"SECRET_KEY": SECRET_KEY, "AUTOFUL_DATA": data, "AUTOFUL_ENV_FILE": ""}
        newman = _newman()
        if newman:
            ours["AUTOFUL_NEWMAN"] = newman
        # One more than cores: they wait for servers as much as they reckon. A drill of full size
        # loads the whole machine and looks at the clock, so it has the machine to itself.
        alone = "tests/drills" in arguments and os.environ.get("AUTOFUL_DRILL_SIZE") != "small"
        workers = 1 if alone else min(cores + 1, 4)
        command = [sys.executable, "-m", "pytest", "-n", str(workers), *arguments]
        return _finish(subprocess.Popen(command, cwd=ROOT, env=own | ours | urls), patience=30)


def _outcome(code: int) -> str:
    if code == NO_TESTS_COLLECTED:
        return "FAILED (there was no test to run)"
    return "passed" if code == 0 else f"FAILED (pytest's exit code {code})"


def _finish(process: subprocess.Popen[bytes], *, patience: float | None) -> int:
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


def _provide_production(*, own_database: bool, drills: bool) -> str:
    """Install what the production half lacks; the command for a user to do so if we cannot."""
    packages = _missing_packages(own_database=own_database, drills=drills)
    if packages and _apt_get(packages):
        packages = _missing_packages(own_database=own_database, drills=drills)
    if packages:
        return _apt_command(packages)
    if _has_mysqlclient():
        return ""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "-r", "requirements.txt"]
    print("Installing the MySQL driver (mysqlclient) …", flush=True)
    return "" if _succeeds(command) and _has_mysqlclient() else shlex.join(command)


def _missing_packages(*, own_database: bool, drills: bool) -> list[str]:
    """Debian's names of what the production half needs and is not here."""
    packages = clusters.missing_programs() if drills else []
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
        if not any(_succeeds(client, quietly=True) for client in clients):
            packages.append("libmariadb-dev")
        if not Path(sysconfig.get_path("include"), "Python.h").exists():
            packages.append(f"python{sys.version_info.major}.{sys.version_info.minor}-dev")
    return packages


def _provide_newman() -> str:
    """Install newman if it is not here; the command for a user to do so if we cannot."""
    if _newman():
        return ""
    if not find_program("npm") and not _apt_get(["npm"]):
        return _apt_command(["npm"])
    npm = ["npm", "install", "--prefix", NEWMAN_FOLDER, "--no-audit", "--no-fund"]
    print(f"Installing {NEWMAN}, which runs the Postman collection …", flush=True)
    _succeeds([*npm, "--loglevel=error", NEWMAN])
    return "" if _newman() else shlex.join([*npm, NEWMAN])


def _apt_get(packages: list[str]) -> bool:
    """Install Debian packages if that takes no question; False if it cannot be done."""
    if not find_program("apt-get") or not Path("/etc/debian_version").exists():
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and not _succeeds([*as_root, "true"], quietly=True):
        return False
    print(f"The tests need what is not here; apt-get installs {' '.join(packages)} …", flush=True)
    with tempfile.TemporaryFile() as log:
        command = [*as_root, "sh", "-c", INSTALL, "sh", *packages]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        # A package system that is left half-way needs repair by hand.
        code = _finish(process, patience=None)
        if code != 0:
            log.seek(0)
            print(*log.read().decode(errors="replace").splitlines()[-15:], sep="\n", flush=True)
    return code == 0


def _apt_command(packages: list[str]) -> str:
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install --no-remove {' '.join(packages)}"


def _has_mysqlclient() -> bool:
    # In a process of its own: the module may be there and the library it was built against not.
    return _succeeds([sys.executable, "-c", "import MySQLdb"], quietly=True)


def _newman() -> str | None:
    ours = ROOT / NEWMAN_FOLDER / "node_modules" / ".bin" / "newman"
    return shutil.which("newman") or shutil.which(ours)


def _succeeds(command: list[str], *, quietly: bool = False) -> bool:
    output = subprocess.DEVNULL if quietly else None
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    except FileNotFoundError:
        return False
    return _finish(process, patience=5) == 0


if __name__ == "__main__":
    try:
        with unwinding_on_signals():
            sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
