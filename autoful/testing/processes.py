"""Programs that a test starts, listens to, stops, kills and freezes; a server always on one port."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN = 60.0  # seconds; a loaded machine takes a few


class ServerDidNotStart(RuntimeError):
    """The program is missing or would not answer; the message ends with what it logged."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def seconds_until(happens: Callable[[], object], within: float, otherwise: str = "") -> float:
    """How long it took until `happens()` was true.

    Raises AssertionError after `within` seconds, with `otherwise` if that is said.
    """
    began = time.monotonic()
    while time.monotonic() - began < within:
        if happens():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(otherwise or f"It did not happen within {within} seconds.")


class Program:
    """`command` in a process group of its own: Ctrl-C reaches the tests and not their servers."""

    def __init__(
        self,
        command: list[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.command = command
        self.log = log
        self.environment = environment
        self.cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._may_have_children = False

    def start(self) -> None:
        assert not self.runs(), "it runs already"
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._may_have_children = True

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was never started"
        return self._process.pid

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None, "it was never started"
        return self._process.wait(seconds)

    def send(self, signum: signal.Signals, *, to_children: bool = False) -> None:
        (os.killpg if to_children else os.kill)(self.pid, signum)

    def stop(self, signum: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and wait; its exit code.

        Ctrl-C reaches the children too, from the terminal; any other signal the process alone.
        """
        self.send(signum, to_children=signum is signal.SIGINT)
        return self.wait(30)

    def kill(self) -> None:
        """kill -9, its children too, as a power cut would; nothing happens if it has ended."""
        if not self._may_have_children:
            return
        # The group outlives its leader: workers of a server that has died are in it.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._may_have_children = False

    def terminate(self, patience: float) -> None:
        """SIGTERM, and after `patience` seconds the end."""
        if self.runs():
            self.send(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.wait(patience)
        self.kill()

    def freeze(self) -> None:
        """It neither answers nor goes away, as a machine that swaps or a cut cable."""
        self.send(signal.SIGSTOP, to_children=True)

    def thaw(self) -> None:
        self.send(signal.SIGCONT, to_children=True)

    def becomes(self, ready: Callable[[], bool]) -> bool:
        """Whether it is ready before it ends; `ready` may raise OSError for no."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.runs():
            try:
                if ready():
                    # If the port was another's, it was that one which answered, and ours is
                    # just giving up.
                    time.sleep(0.05)
                    return self.runs()
            except OSError:
                pass
            time.sleep(0.05)
        return False

    def said(self) -> str:
        """All that it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, words: str, *, times: int = 1, within: float = READY_WITHIN) -> str:
        """Wait until it has said `words` so often; everything it said by then.

        Raises AssertionError when it does not, or ends before.
        """
        with suppress(AssertionError):
            seconds_until(lambda: self.said().count(words) >= times or not self.runs(), within)
        said = self.said()
        assert said.count(words) >= times, f"It never said {words!r}, but:\n{said[-5000:]}"
        return said

    def tail(self) -> str:
        """The end of what it logged."""
        return "\n".join(self.said().splitlines()[-15:])


@contextmanager
def running(program: Program, *, patience: float = 0) -> Iterator[Program]:
    """The program, started; at the end told to stop, and killed after `patience` seconds."""
    program.start()
    try:
        yield program
    finally:
        if patience:
            program.terminate(patience)
        program.kill()


@dataclass(frozen=True)
class Server:
    """A program that answers at `url`; `is_ready` asks it."""

    url: str
    program: Program
    is_ready: Callable[[], bool]

    def start_again(self) -> None:
        """After a kill: the same command, port and data; returns when it answers."""
        self.program.start()
        self.await_ready()

    def await_ready(self) -> None:
        """Raises ServerDidNotStart when it does not answer."""
        if not self.program.becomes(self.is_ready):
            raise ServerDidNotStart(
                f"{Path(self.program.command[0]).name} did not start. It logged:\n"
                f"{self.program.tail()}"
            )
