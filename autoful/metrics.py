"""Figures for Prometheus, at /metrics for whoever has AUTOFUL_METRICS_TOKEN.

Only a server measures, and only when the token is set: `start` is called by autoful/web.py in
each server process, and until then everything here does nothing. Labels are words of the code
(route patterns, verbs, lists), never of a client, so their number is bounded and none is private.
"""

import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

COUNTERS: dict[str, tuple[str, list[str]]] = {
    "requests": ("Requests answered.", ["route", "method", "status"]),
    "lost_races": ("Transactions that lost a race, by route, page or verb.", ["verb", "outcome"]),
    "list_cache": ("Pages of lists looked for in the cache.", ["list", "result"]),
    "limited": ("Calls refused with a 429.", ["route"]),
    "events": (
        "What happened and changed no field: sign-ins, and who came to and left a team.",
        ["event", "role"],
    ),
    "redis_failures": ("Times Redis was found away.", []),
    "database_unavailable": ("Requests the database could not answer.", []),
    "replica_unavailable": ("Times the replica was found away.", []),
}
# What the routes take, by what is asked of them: a cached page, a form, a hash, a wait for a lock.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

_figures: "_Figures | None" = None


class _Figures:
    """What this process measures, and the place where its fellows' figures are found too.

    Several processes answer for one server. Each writes to files of its own in `folder`, and
    whichever is asked adds them all up. One process alone needs no files.
    """

    def __init__(self, folder: Path | None) -> None:
        if folder:
            # Read once, when the library is imported: so it is imported here and nowhere above.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            disable_created_metrics,
        )

        disable_created_metrics()
        self.folder = folder
        self.registry = CollectorRegistry()
        self.counters = {
            name: Counter(f"autoful_{name}", told, labels, registry=self.registry)
            for name, (told, labels) in COUNTERS.items()
        }
        self.seconds = Histogram(
            "autoful_request_seconds",
            "Seconds until the answer.",
            ["route", "method"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "autoful_requests_in_flight",
            "Requests being answered, this one too.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.redis_away = Gauge(
            "autoful_redis_away",
            "Processes that do without Redis now.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )

    def page(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

        if self.folder is None:
            return generate_latest(self.registry)
        for file in self.folder.glob("gauge_live*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not _lives(pid):  # it was killed with requests in flight
                with suppress(FileNotFoundError):
                    mark_process_dead(pid, str(self.folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self.folder))
        return generate_latest(registry)


def start() -> None:
    """Begin to measure in this server process, if the shop wants figures."""
    global _figures
    if _figures or not settings.AUTOFUL_METRICS_TOKEN:
        return
    folder = None
    if settings.PRODUCTION:
        # Workers of one server have one parent; servers side by side have one each.
        folder = _kept() / f"{platform.node()}-{os.getppid()}"
        folder.mkdir(parents=True, exist_ok=True)
    _figures = _Figures(folder)


def clear() -> None:
    """Forget the figures of servers that are no more; before a server starts its workers.

    Raises OSError when AUTOFUL_DATA cannot be written.
    """
    if not (settings.AUTOFUL_METRICS_TOKEN and settings.PRODUCTION):
        return
    _kept().mkdir(parents=True, exist_ok=True)
    for folder in _kept().iterdir():
        host, _, number = folder.name.rpartition("-")
        # The folder may be shared with other machines, whose processes cannot be asked here.
        if host != platform.node() or not number.isdecimal():
            continue
        if int(number) == os.getpid() or not _lives(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _kept() -> Path:
    return Path(settings.AUTOFUL_DATA) / "metrics"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# --- Measuring ------------------------------------------------------------------------------------


def count(name: str, **labels: str) -> None:
    """One more of COUNTERS."""
    if _figures:
        counter = _figures.counters[name]
        (counter.labels(**labels) if labels else counter).inc()


def redis_is_away(away: bool) -> None:
    if _figures:
        _figures.redis_away.set(away)


@contextmanager
def in_flight() -> Iterator[None]:
    """A request is being answered inside."""
    figures = _figures
    if figures is None:
        yield
        return
    with figures.in_flight.track_inprogress():
        yield


def answered(*, route: str | None, method: str | None, status: int, seconds: float) -> None:
    """A request was answered; `route` is the pattern, none for what has no route."""
    if _figures:
        route, method = route or "none", method if method in METHODS else "other"
        count("requests", route=route, method=str(method), status=str(status))
        _figures.seconds.labels(route, method).observe(seconds)


# --- Telling --------------------------------------------------------------------------------------


def page(request: HttpRequest) -> HttpResponse | None:
    """The figures for whoever brings the token; None when there is no such page."""
    if _figures is None or not settings.AUTOFUL_METRICS_TOKEN:
        return None
    brought = request.headers.get("Authorization", "").encode("utf-8", "replace")
    wanted = f"Bearer {settings.AUTOFUL_METRICS_TOKEN}".encode()
    if not secrets.compare_digest(brought, wanted):
        return JsonResponse(
            {"code": "not_authenticated", "message": "This needs the token of the metrics."},
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
    return HttpResponse(_figures.page(), content_type="text/plain; version=0.0.4; charset=utf-8")
