"""The course of a run, size by size and endpoint by endpoint."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit

import redis
from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db import connection

from autoful.progress import ProgressLine
from autoful.testing.servers import sql
from bench import footprint, shop
from bench.comparing import Comparison, Side, compare
from bench.endpoints import ENDPOINTS, Endpoint
from bench.filling import fill
from bench.footprint import Memory, Starts
from bench.load import LoadFailed
from bench.options import Options
from bench.shop import Place
from bench.silence import wait_for_silence
from bench.world import Filled

# Allowed without end, and counted all the same.
COUNTED = "service_tickets.list=900000000/hour,service_tickets.retrieve=900000000/hour"
LIMITED = ("cached", "ticket")


@dataclass
class Results:
    """All that was measured."""

    comparisons: list[Comparison] = field(default_factory=list)
    counting: list[Comparison] = field(default_factory=list)  # `limit` is ours without counting
    memory: Memory | None = None
    starts: Starts | None = None
    failures: list[str] = field(default_factory=list)


class Say:
    """What is done now: one line that moves on a terminal, one for each endpoint otherwise."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.moves = sys.stdout.isatty()
        self.about = ""

    def begin(self, about: str) -> None:
        self.done += 1
        self.about = f"[{self.done}/{self.total}] {about}"
        if not self.moves:
            print(f"{self.about} …", flush=True)

    def __call__(self, what: str) -> None:
        if self.moves:
            print(f"\r\033[K{self.about}: {what} …", end="", flush=True)

    def end(self, said: str) -> None:
        print(f"\r\033[K{said}" if self.moves else f"  {said}", flush=True)


def measure(place: Place, options: Options) -> Results:
    """Raises Unequal and BooksDiffer; what could not be loaded is in `failures`."""
    results = Results()
    wanted = [endpoint for endpoint in ENDPOINTS if endpoint.name in options.endpoints]
    counted = [endpoint for endpoint in wanted if endpoint.name in LIMITED]
    say = Say(len(options.sizes) * len(wanted) + len(counted) + 2)
    minutes = (say.total - 2) * (options.runs * options.seconds + 3) * 2 / 60 + 1
    print(f"About {minutes:.0f} minutes, and {sum(options.sizes) / 400_000:.0f} to fill databases.")
    for tickets in options.sizes:
        with filled(place, tickets) as here:
            compare_all(here, Filled(tickets), wanted, options, results, say)
            if tickets == options.middle:
                price_of_counting(here, Filled(tickets), counted, options, results, say)
                say.begin("memory of a worker")
                results.memory = footprint.memory(here, Filled(tickets), options, say)
                say.end(
                    f"RSS {results.memory.idle[0]:.0f} MB idle, {results.memory.whole[0]:.0f} MB after"
                )
    say.begin("starts")
    results.starts = footprint.starts(place, options.runs, say)
    say.end(f"a worker {results.starts.worker:.1f} s, make run {results.starts.run:.1f} s")
    return results


@contextmanager
def filled(place: Place, tickets: int) -> Iterator[Place]:
    """A new database of that size, gone afterwards."""
    name = f"autoful_{tickets}"
    url = urlunsplit(urlsplit(place.database_url)._replace(path=f"/{name}"))
    sql(url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        line = ProgressLine("Filling the database", OutputWrapper(sys.stdout))
        fill(connection, tickets=tickets, progress=line)
        line.end()
        with redis.Redis.from_url(place.redis_url) as cache:
            cache.flushall()  # pages of the shop before
        yield replace(place, database_url=url)
    finally:
        connection.close()
        sql(url, f"DROP DATABASE `{name}`")


def compare_all(
    place: Place,
    shop_there: Filled,
    endpoints: list[Endpoint],
    options: Options,
    results: Results,
    say: Say,
) -> None:
    with shop.ours(place) as ours, shop.limit(place) as limit:
        for endpoint in endpoints:
            say.begin(f"{endpoint.title}, {shop_there.tickets:,} tickets")
            try:
                found = compare(place, shop_there, endpoint, (ours, limit), options, say)
            except LoadFailed as failure:
                # Told at the end, too: the others' figures are good, and it may have been an hour.
                failed = f"{endpoint.title}, {shop_there.tickets:,} tickets: {failure}"
                results.failures.append(failed)
                wait_for_silence(place.database_url, (ours, limit))
                say.end(f"FAILED: {failed}")
                continue
            results.comparisons.append(found)
            say.end(_line(found, judged=not options.is_rehearsal))


def price_of_counting(
    place: Place,
    shop_there: Filled,
    endpoints: list[Endpoint],
    options: Options,
    results: Results,
    say: Say,
) -> None:
    """The same endpoints with every call counted against a limit that nobody reaches."""
    if not endpoints:
        return
    with (
        shop.ours(place, AUTOFUL_RATE_LIMITS=COUNTED) as counting,
        shop.ours(place) as free,
    ):
        for endpoint in endpoints:
            say.begin(f"{endpoint.title}, with calls counted")
            found = compare(place, shop_there, endpoint, (counting, free), options, say)
            results.counting.append(found)
            say.end(_line(found, "counted", "not counted"))


def _line(
    found: Comparison, one: str = "ours", other: str = "limit", *, judged: bool = False
) -> str:
    line = (
        f"{found.endpoint.title}, {found.tickets:,} tickets: {one} {_side(found.ours)},"
        f" {other} {_side(found.limit)}, ratio {found.ratio:.2f}"
    )
    if not judged or found.endpoint.target is None:
        return line
    return f"{line} of {found.endpoint.target:.2f}{'' if found.is_met else ', NOT met'}"


def _side(side: Side) -> str:
    return f"{side.rate.median:.0f}/s (p50 {side.p50.median:.1f} ms)"
