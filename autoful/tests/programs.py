"""Running manage.py as a person does: a process, its exit code and its words."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from autoful.testing import processes
from autoful.testing.processes import READY_WITHIN, Program, free_port
from autoful.testing.shops import ROOT, SECRET_KEY

# What decides how a process goes; each test says its own.
DECIDES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "PORT")


def environment(folder: Path, **own: str) -> dict[str, str]:
    """The surroundings of an embedded shop in `folder`; an empty value takes a variable away."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in DECIDES and not name.startswith(("AUTOFUL_", "WEB_"))
    }
    inherited |= {
        "AUTOFUL_ENV_FILE": "",
        "AUTOFUL_DATA": str(folder),
        "PORT": str(free_port()),
        "SECRET_KEY": SECRET_KEY,
    } | own
    kept = {"AUTOFUL_ENV_FILE"}
    return {name: value for name, value in inherited.items() if value or name in kept}


def manage(env: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run manage.py to its end: exit code, what it said and what it complained of."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_WITHIN,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def refusal(env: dict[str, str], *arguments: str) -> str:
    """The one line with which manage.py refuses to start."""
    code, _, complaint = manage(env, *arguments)
    lines = complaint.strip().splitlines()
    assert code == 1, complaint
    assert len(lines) == 1, complaint
    assert lines[0].startswith("Autoful cannot start: ")
    return lines[0].removeprefix("Autoful cannot start: ")


def python(env: dict[str, str], *arguments: str, log: Path, cwd: Path = ROOT) -> Program:
    """A program of ours, with nothing in its log yet."""
    log.unlink(missing_ok=True)
    return Program([sys.executable, *arguments], log=log, environment=env, cwd=cwd)


def running(env: dict[str, str], *arguments: str, log: Path) -> AbstractContextManager[Program]:
    """manage.py in the background; whatever is left of it is killed at the end."""
    return processes.running(python(env, "manage.py", *arguments, log=log))
