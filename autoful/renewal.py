"""New workers in the place of the old, with the door never shut: what SIGHUP means in production.

Granian alone gives each worker a door (a listening socket) of its own, which goes when the worker
does, and whoever stood before it is turned away with a reset. It waits a fixed time for the new
worker, ready or not. And its workers are forks of a process that loaded the code long ago. So:

- the first process keeps every worker's door, and hands it to the worker that comes after;
- an old worker is told to stop when the new one has loaded, and goes on if the new one cannot;
- whatever is waited for, being told to end comes first;
- workers are processes of their own that read the code anew (`spawn`, see `serving.start`).
"""

import logging
import multiprocessing
import multiprocessing.process
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from granian import Granian
from granian.net import SocketSpec

logger = logging.getLogger("autoful.serving")

DEFERRED = 5  # seconds a caller may say nothing, after which it is let in all the same
LOADED_WITHIN = 120.0  # seconds; a machine that is busy with its customers loads slowly
# Seconds. A signal does not end a wait: Python goes on with the rest of it, so each is a short one.
STEP = 0.1


class RenewingServer(Granian):  # type: ignore[misc, valid-type]  # one of two classes, by the interpreter
    """Granian; `rehearsal` is a command that has to succeed before the first old worker is touched.

    It says why it did not. `afterwards` is one that is run, and not waited for, each time that all
    workers are new: at the start and when the last old one is gone. The loader that `serve` gets has to take `loaded`, a pipe's end, and send a byte when done.
    """

    def __init__(
        self,
        target: str,
        *,
        rehearsal: Sequence[str],
        afterwards: Sequence[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(target, **options)
        self.rehearsal = rehearsal
        self.afterwards = afterwards
        self._after: subprocess.Popen[bytes] | None = None
        self.doors: list[tuple[Any, socket.socket]] = []

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()
        if sys.platform != "linux":
            return  # elsewhere the workers share one door as it is
        for _ in range(self.workers):
            # Bound here, listened at by the worker: between several, Linux shares the calls out.
            door = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
            opened = socket.socket(fileno=door.get_fd())
            # Let in when it has said something: a worker that goes shuts the connections that have
            # not, and one that was let in a moment ago would be among them.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFERRED)
            self.doors.append((door, opened))

    def _drop_shared_socket(self) -> None:
        super()._drop_shared_socket()
        for _, door in self.doors:
            door.close()

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        if self.doors:
            self._ssp = None
            self._shd, self._sso = self.doors[idx]
        heard, loaded = multiprocessing.Pipe(duplex=False)
        worker = super()._spawn_worker(idx, target, partial(callback_loader, loaded=loaded))
        worker.heard, worker.loaded = heard, loaded
        if isinstance(worker.inner, multiprocessing.process.BaseProcess):
            worker.is_alive = partial(self._runs, worker.inner)
        return worker

    @staticmethod
    def _runs(process: multiprocessing.process.BaseProcess) -> bool:
        """Whether it has not ended; what `process.is_alive` says only to who learnt of its end first.

        Granian joins each worker in a thread. Between its learning of the end and its noting it down,
        anybody else is told that the worker lives, and would kill it and complain.
        """
        return not wait([process.sentinel], 0)

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        self.reload_signal = False
        self.main_loop_interrupt.clear()
        logger.info("renewing the workers")
        if not self.rehearsal or self._is_fit():
            for idx in range(self.workers):
                if self.interrupt_signal or not self._renew(idx, spawn_target, target_loader):
                    break
            else:
                logger.info("the workers are renewed")
                self.begin_afterwards()
        if self.interrupt_signal or self.interrupt_children:
            self.main_loop_interrupt.set()  # it came while we were busy, and was cleared

    def begin_afterwards(self) -> None:
        self.end_afterwards()
        if self.afterwards:
            try:
                self._after = subprocess.Popen(self.afterwards)  # noqa: S603  # ourselves
            except OSError as short:  # of memory, of process numbers: no reason to shut the door
                logger.warning("cannot run what comes afterwards", extra={"error": short.errno})

    def end_afterwards(self) -> None:
        """What is still under way is stopped; it is begun anew at the next start."""
        if self._after is not None:
            self._after.terminate()
            self._after.wait()

    def _comes(self, true: Callable[[], Any], within: float) -> bool:
        """Whether it is true before so many seconds are over, or we are told to end.

        `true` waits for `STEP` at most.
        """
        deadline = time.monotonic() + within
        while not true():
            if self.interrupt_signal or time.monotonic() > deadline:
                return False
        return True

    def _is_fit(self) -> bool:
        """Whether the code that lies there now could start, asked of itself."""
        with subprocess.Popen(self.rehearsal) as asked:  # noqa: S603  # ourselves
            if not self._comes(partial(_ended, asked), LOADED_WITHIN):
                asked.kill()
        if asked.returncode and not self.interrupt_signal:
            logger.error("the new code is not fit to serve; the old workers go on")
        return asked.returncode == 0

    def _renew(self, idx: int, spawn_target: Any, target_loader: Any) -> bool:
        """Whether a new worker has taken the place of the old one."""
        old, new = self.wrks[idx], self._spawn_worker(idx, spawn_target, target_loader)
        new.interrupt_by_parent = True  # until it has loaded, its end is our business alone
        new.start()
        ready = self._has_loaded(new)
        new.interrupt_by_parent = not ready
        if not ready or not new.is_alive():
            if not self.interrupt_signal:
                logger.error("the new worker did not start; the old ones go on")
            new.kill()
            new.join()
            return False
        self.wrks[idx] = new
        old.terminate()
        if not self._comes(partial(_has_ended, old), self.workers_kill_timeout):
            if self.interrupt_signal:
                self.wrks.append(old)  # to be waited for together with the others
                return False
            logger.warning("an old worker did not end and is killed")
            old.kill()
            old.join()
        return True

    def _has_loaded(self, worker: Any) -> bool:
        worker.loaded.close()  # the worker has its own; without ours, its death is heard at once
        heard: Connection
        with worker.heard as heard:
            try:
                spoke = self._comes(partial(heard.poll, STEP), LOADED_WITHIN)
                return spoke and heard.recv_bytes() == b"."
            except (EOFError, OSError):
                return False


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(STEP)
    except subprocess.TimeoutExpired:
        return False
    return True


def _has_ended(worker: Any) -> bool:
    worker.join(STEP)
    return not worker.is_alive()
