"""The course of a run: fill, compare, load, size by size and endpoint by endpoint."""

import os
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db import connection

from autoful.api import caching
from autoful.progress import ProgressLine
from autoful.testing.servers import sql
from bench import shop
from bench.asking import write_replay
from bench.endpoints import ENDPOINTS, Endpoint, Filled
from bench.equality import Unequal, demand_equal
from bench.filling import fill
from bench.load import Load, LoadFailed, load
from bench.shop import Place

DROP_EVERY = 0.1  # seconds; fewer requests than there are pages are answered in it
WARM_UP = 1.0


@dataclass(frozen=True)
class Comparison:
    """An endpoint at a size: the runs of ours and of the limit."""

    endpoint: Endpoint
    tickets: int
    ours: Sequence[Load]
    limit: Sequence[Load]

    @property
    def ratio(self) -> float:
        return rate(self.ours) / rate(self.limit)


def rate(runs: Sequence[Load]) -> float:
    return statistics.median(run.rate for run in runs)


def measure_all(place: Place) -> int:
    sizes = [int(size) for size in _named("BENCH_SIZES", "10000,100000,1000000")]
    wanted = _named("BENCH_ENDPOINTS", ",".join(endpoint.name for endpoint in ENDPOINTS))
    if unknown := set(wanted) - {endpoint.name for endpoint in ENDPOINTS}:
        known = ", ".join(endpoint.name for endpoint in ENDPOINTS)
        print(f"Nothing is called {', '.join(sorted(unknown))}. There are: {known}")
        return 2
    try:
        for tickets in sizes:
            for compared in measure(place, tickets, wanted):
                print(
                    f"  {compared.endpoint.name:14} ours {rate(compared.ours):7.0f}/s"
                    f"   limit {rate(compared.limit):7.0f}/s   ratio {compared.ratio:.2f}"
                    f"   target {compared.endpoint.target:.2f}",
                    flush=True,
                )
    except (Unequal, LoadFailed) as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


def measure(place: Place, tickets: int, wanted: Sequence[str]) -> Iterator[Comparison]:
    """A new database of that size, and each endpoint on it."""
    name = f"autoful_{tickets}"
    here = replace(
        place, database_url=urlunsplit(urlsplit(place.database_url)._replace(path=f"/{name}"))
    )
    sql(here.database_url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    connection.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", verbosity=0)
    line = ProgressLine("Filling", OutputWrapper(sys.stdout))
    fill(connection, tickets=tickets, progress=line)
    line.end()
    call_command("recount", verbosity=0)
    with shop.ours(here) as ours, shop.limit(here) as limit:
        for endpoint in ENDPOINTS:
            if endpoint.name in wanted:
                yield compare(here, Filled(tickets), endpoint, ours.url, limit.url)
    connection.close()
    sql(here.database_url, f"DROP DATABASE `{name}`")


def compare(place: Place, filled: Filled, endpoint: Endpoint, ours: str, limit: str) -> Comparison:
    """Both sides answer the same, then they are loaded in turn."""
    requests = endpoint.requests(filled)
    demand_equal(ours, limit, requests)
    replay = place.folder / "replay"
    write_replay(replay, requests)
    seconds = float(os.environ.get("BENCH_SECONDS", "5"))
    runs = int(os.environ.get("BENCH_RUNS", "3"))
    loads: dict[str, list[Load]] = {ours: [], limit: []}
    begin = 0
    with never_cached(endpoint.drops):
        for url in loads:
            begin += load(url, replay, seconds=WARM_UP, begin=begin).sent
        for _ in range(runs):
            for url, done in loads.items():
                print(f"  {endpoint.title}, {filled.tickets} tickets …", end="\r", flush=True)
                done.append(load(url, replay, seconds=seconds, begin=begin))
                begin += done[-1].sent
    return Comparison(endpoint, filled.tickets, loads[ours], loads[limit])


@contextmanager
def never_cached(name: str) -> Iterator[None]:
    """Drop the list again and again, as in a shop where something is written all the time."""
    ended = threading.Event()

    def drop() -> None:
        while not ended.wait(DROP_EVERY):
            caching.drop(name)

    thread = threading.Thread(target=drop)
    if name:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if name:
            thread.join()


def _named(variable: str, default: str) -> list[str]:
    return [name.strip() for name in (os.environ.get(variable) or default).split(",")]
