"""Running manage.py as a person does: a process, its exit code and its words."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoful.testing.shops import ROOT, SECRET_KEY

READY_WITHIN = 60.0

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


class Running:
    """A process that was started and not yet told to end; stderr goes where stdout goes."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, words: str) -> str:
        """Wait until it has said `words`; everything it said by then."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if words in self.said():
                return self.said()
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"It never said {words!r}, but:\n{self.said()}")

    def stop(self, signum: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and wait; its exit code.

        Ctrl-C reaches the children too, from the terminal; any other signal the process alone.
        """
        send = os.killpg if signum is signal.SIGINT else os.kill
        send(self.process.pid, signum)
        return self.process.wait(30)


@contextmanager
def running(env: dict[str, str], *arguments: str, log: Path) -> Iterator[Running]:
    """manage.py in the background; whatever is left of it is killed at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
