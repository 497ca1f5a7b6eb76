"""What the shop's processes take: memory, at rest and after many requests, and time to start."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from autoful.testing.processes import Program, free_port
from autoful.testing.shops import ROOT
from bench import requests, shop
from bench.asking import write_replay
from bench.load import load
from bench.options import Options
from bench.shop import Place
from bench.world import Filled

STEP = 5  # seconds of load between two looks at how many requests there were


@dataclass(frozen=True)
class Memory:
    """Megabytes (RSS) of each worker: at rest, after half of the `requests`, after all."""

    requests: int
    idle: list[float]
    half: list[float]
    whole: list[float]


@dataclass(frozen=True)
class Starts:
    """Seconds, each the median of a few."""

    worker: float
    run: float


def memory(place: Place, filled: Filled, options: Options, say: Callable[[str], None]) -> Memory:
    """Of new workers, before and after as many requests of a mix of reads as `options` say."""
    count, crowd = options.requests, options.connections
    kinds = (requests.hot_page, requests.detail, requests.my_tickets, requests.search)
    prepared = [kind(filled) for kind in kinds]
    mix = [each[i % len(each)] for i in range(requests.PREPARED) for each in prepared]
    replay = place.folder / "replay"
    write_replay(replay, mix)
    with shop.ours(place) as server:
        workers = shop.workers(server)
        idle = _at_rest(workers)
        asked, sizes = 0, []
        for goal in (count // 2, count):
            while asked < goal:
                say(f"memory, {asked} of {count} requests")
                asked += load(
                    server.url, replay, crowd, seconds=STEP if count > 10_000 else 1, begin=asked
                ).sent
            sizes.append(_sizes(workers))
        if shop.workers(server) != workers:
            raise ProcessLookupError("A worker ended under load, so that its memory is unknown.")
    return Memory(asked, idle, *sizes)


def _at_rest(workers: list[int]) -> list[float]:
    """Once both are loaded: the server answers as soon as one of them is."""
    before: list[float] = []
    while (now := _sizes(workers)) != before:
        before = now
        time.sleep(1)
    return now


def _sizes(workers: list[int]) -> list[float]:
    return [shop.megabytes(worker) for worker in workers]


def starts(place: Place, times: int, say: Callable[[str], None]) -> Starts:
    """A worker from its spawn, and `make run` on a shop that is there, until they answer."""
    say("how long a worker takes to start")
    port = free_port()
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    worker = Program(
        [*granian, "--workers", "1", "autoful.wsgi:application"],
        log=place.folder / "worker.log",
        environment=place.environment(),
        cwd=ROOT,
    )
    worker_seconds = [_seconds_to_start(worker, port) for _ in range(times)]
    say("how long make run takes, first with a new shop")
    desk = place.folder / "desk"
    environment = place.environment(PORT=str(port), AUTOFUL_DATA=str(desk), WEB_WORKERS="1")
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        del environment[name]
    command = ["make", "--silent", "run"]
    run = Program(command, log=place.folder / "run.log", environment=environment, cwd=ROOT)
    _seconds_to_start(run, port)
    say("how long make run takes, on a shop that is there")
    run_seconds = [_seconds_to_start(run, port) for _ in range(times)]
    return Starts(statistics.median(worker_seconds), statistics.median(run_seconds))


def _seconds_to_start(program: Program, port: int) -> float:
    began = time.monotonic()
    with shop.serving(program, port):
        return time.monotonic() - began
