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
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from autoful.testing import clusters, machine, servers
from autoful.testing.servers import find_program
from autoful.unwinding import unwinding_on_signals

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


def main(arguments: list[str]) -> int:
    what = "tests"
    if arguments[:1] == ["drills"]:
        what, arguments = "drills", ["tests/drills", *arguments[1:]]
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    database_url = os.environ.get("TEST_DATABASE_URL", "")
    help_production = machine.provide_production(
        own_database=not database_url,
        also=clusters.missing_programs if what == "drills" else list,
    )
    help_newman = _provide_newman() if what == "tests" else ""
    help_browser = machine.provide_browser() if what == "tests" else ""

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
    if help_browser:
        summary.append(f"the pages in a browser DID NOT RUN, install it with: {help_browser}")
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
        return machine.finish(
            subprocess.Popen(command, cwd=ROOT, env=own | ours | urls), patience=30
        )


def _outcome(code: int) -> str:
    if code == NO_TESTS_COLLECTED:
        return "FAILED (there was no test to run)"
    return "passed" if code == 0 else f"FAILED (pytest's exit code {code})"


def _provide_newman() -> str:
    """Install newman if it is not here; the command for a user to do so if we cannot."""
    if _newman():
        return ""
    if not find_program("npm") and not machine.apt_get(["npm"]):
        return machine.apt_command(["npm"])
    npm = ["npm", "install", "--prefix", NEWMAN_FOLDER, "--no-audit", "--no-fund"]
    print(f"Installing {NEWMAN}, which runs the Postman collection …", flush=True)
    machine.succeeds([*npm, "--loglevel=error", NEWMAN])
    return "" if _newman() else shlex.join([*npm, NEWMAN])


def _newman() -> str | None:
    ours = ROOT / NEWMAN_FOLDER / "node_modules" / ".bin" / "newman"
    return shutil.which("newman") or shutil.which(ours)


if __name__ == "__main__":
    try:
        with unwinding_on_signals():
            sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
