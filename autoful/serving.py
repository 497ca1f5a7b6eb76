"""Starting the web server, the same way for `manage.py run` and `manage.py serve`."""

import ctypes
import errno
import gc
import http.client
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.urls import get_resolver
from django.utils.module_loading import import_string
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from autoful.renewal import RenewingServer

READY_WITHIN = 60.0  # seconds


class CannotStart(Exception):
    """One line that says what is wrong and what to do about it."""


def refuse(reason: CannotStart) -> NoReturn:
    """End the process with that line, as manage.py does for a wrong environment."""
    raise SystemExit(f"Autoful cannot start: {reason}")


def in_use(port: int, instead: str) -> str:
    return f"port {port} is in use. Stop what uses it, or choose another one: {instead}"


def demand_free_port(*, host: str, port: int, instead: str) -> None:
    """Raise CannotStart, with the command to use `instead`, when the port cannot be ours.

    Asked before anything is made. Granian binds with SO_REUSEPORT, so that its workers share the
    port; a second server of the same user would be let in beside the first one unnoticed. Two that
    start at once both find it free: what keeps them apart is `holding`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as unknown:
        raise CannotStart(f"{host} is not an address of this machine.") from unknown
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        # Connections of a server that has just stopped linger; a listening socket still refuses.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as refused:
            raise CannotStart(
                f"port {port} is reserved for the system; choose another one: {instead}"
            ) from refused
        except OSError as taken:
            if taken.errno == errno.EADDRINUSE:
                raise CannotStart(in_use(port, instead)) from taken
            if taken.errno == errno.EADDRNOTAVAIL:
                raise CannotStart(f"{host} is not an address of this machine.") from taken
            raise CannotStart(f"port {port} of {host}: {taken.strerror}.") from taken


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Raise CannotStart when another server has this folder: each would cache for itself."""
    with holding(
        folder / "running",
        otherwise=f"Autoful is running already with the data in {folder}. Stop it first, or start "
        "another shop with AUTOFUL_DATA=another-folder.",
    ):
        yield


@contextmanager
def holding(lock: Path, *, otherwise: str) -> Iterator[None]:
    """Raise CannotStart, with the line `otherwise`, when another process has the file `lock`.

    It is given back with the end of the process, however that comes; the file stays.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = lock.open("w")
    except OSError as unwritable:
        raise CannotStart(
            f"the file {lock} cannot be written ({unwritable.strerror}). "
            "Make it writable, with everything beside it, or name another folder in AUTOFUL_DATA."
        ) from unwritable
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise CannotStart(otherwise) from taken
        except OSError:
            pass  # a network drive without locks; nobody can be asked
        yield


def start(
    *,
    host: str,
    workers: int,
    patience: int,
    log_level: LogLevels,
    when_ready: Callable[[], None] | None = None,
    rehearsal: Sequence[str] = (),
    afterwards: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way for at most `patience` seconds.

    `when_ready` is called once, when the first worker answers; `rehearsal` is a command
    that has to succeed at every SIGHUP, before new workers take the place of the old ones, and
    `afterwards` one that is run beside them when the old ones are gone, and at the start.
    """
    # Where workers are forks, they must not share a connection with this process or each other.
    connections.close_all()
    caches.close_all()
    if settings.PRODUCTION:
        # A fork of this process would have its code, of yesterday, however new the files are.
        multiprocessing.set_start_method("spawn", force=True)
    server = _Server(
        "autoful.wsgi:application",
        address=host,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # what proxies and browsers speak without TLS
        websockets=False,
        workers=workers,
        blocking_threads=settings.WEB_THREADS,
        backlog=1024,
        # Open connections a worker holds, idle ones too; the rest wait in the backlog. Granian's
        # own share would shrink with every worker, until idle ones lock everybody else out.
        backpressure=512,
        respawn_failed_workers=settings.PRODUCTION,  # on a desk, a crash should be seen
        workers_kill_timeout=patience,
        log_access=False,  # autoful.access has it, with the request id
        log_level=log_level,
        log_dictconfig=_logging(),
        when_ready=when_ready,
        rehearsal=rehearsal,
        afterwards=afterwards,
    )
    try:
        server.serve(target_loader=_load_in_worker)
    finally:
        server.end_afterwards()


def _load_in_worker(target: str, loaded: Connection) -> Any:
    """The application, in a worker that leaves Ctrl-C to the first process; says when it is done.

    A terminal sends it to all of them, and the first one follows with SIGTERM: a worker that gets
    both at once hangs in granian's handlers until it is killed.
    """
    if hasattr(signal, "pthread_sigmask"):
        # Blocked, not ignored: granian sets its handlers after this.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _end_with_the_first_process()
    application = import_string(target.replace(":", "."))
    get_resolver().url_patterns  # noqa: B018  # with every view: what cannot load must fail here
    _spare_the_collector()
    loaded.send_bytes(b".")
    loaded.close()
    return application


def _spare_the_collector() -> None:
    """What is loaded by now stays, so it is not looked through again and again for garbage; and a
    request makes more objects than Python expects of a whole program between two looks.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _end_with_the_first_process() -> None:
    """However that ends: killed, it has no time to stop its workers, and they would keep the port."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
        first = multiprocessing.parent_process()
        if first is not None and os.getppid() != first.pid:
            sys.exit(1)  # it was killed before we said so, and nobody will tell us


class _ThreadsAreMeant(logging.Filter):
    """Without granian's word on more threads than cores: ours wait for the database, mostly."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Configuration allows spawning up to")


def _logging() -> dict[str, Any]:
    """The shop's own logging, and granian's lines in it."""
    ours: dict[str, Any] = settings.LOGGING
    granian = {"filters": ["threads are meant"]}
    return ours | {
        "filters": ours["filters"] | {"threads are meant": {"()": _ThreadsAreMeant}},
        "loggers": ours["loggers"] | {"_granian": granian},
    }


class _Server(RenewingServer):
    def __init__(
        self, target: str, *, when_ready: Callable[[], None] | None, **options: Any
    ) -> None:
        super().__init__(target, **options)
        self.when_ready = when_ready

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)
        self.begin_afterwards()
        if not settings.PRODUCTION and hasattr(signal, "SIGHUP"):
            # The terminal was closed. In production it means what it means to any server: new
            # workers, one after the other.
            signal.signal(signal.SIGHUP, self.signal_handler_interrupt)
        if self.when_ready is not None:
            # Not a hook of granian's: those come before the fork, and a fork copies no threads.
            threading.Thread(target=self._wait_until_ready, daemon=True).start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and not self.main_loop_interrupt.is_set():
            if _answers(self.bind_addr, self.bind_port):
                if self.when_ready is not None:
                    self.when_ready()
                return
            time.sleep(0.05)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
