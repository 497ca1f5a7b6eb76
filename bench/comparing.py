"""One endpoint: both sides answer alike, then they are loaded in turn."""

import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command

from autoful.api import caching
from autoful.testing.processes import Server
from bench.asking import write_replay
from bench.endpoints import Endpoint
from bench.equality import demand_equal_answers, demand_equal_statements, pairs
from bench.load import Load, LoadFailed, load
from bench.options import Options
from bench.shop import Place
from bench.silence import wait_for_silence
from bench.statements import Log
from bench.world import Filled, deliver_plenty, parts_whose_lines_differ, pieces_used

WARM_UP, LONGEST = 2, 60  # seconds
DROP_EVERY = 0.1  # seconds; in them fewer requests are answered than there are pages to ask for


class BooksDiffer(Exception):
    """Something was lost or done twice under load."""


@dataclass(frozen=True)
class Figures:
    """The median of the runs, with the least and the greatest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figures":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Side:
    """What the runs of one side came to: requests a second, milliseconds, statements a request."""

    rate: Figures
    p50: Figures
    p99: Figures
    statements: int

    @classmethod
    def of(cls, runs: Sequence[Load], statements: int) -> "Side":
        rates, p50s, p99s = zip(*((run.rate, run.p50, run.p99) for run in runs), strict=True)
        return cls(Figures.of(rates), Figures.of(p50s), Figures.of(p99s), statements)


@dataclass(frozen=True)
class Comparison:
    """An endpoint at a size."""

    endpoint: Endpoint
    tickets: int
    ours: Side
    limit: Side

    @property
    def ratio(self) -> float:
        return self.ours.rate.median / self.limit.rate.median

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        target = self.endpoint.target
        return None if target is None else self.ratio >= target


def compare(
    place: Place,
    filled: Filled,
    endpoint: Endpoint,
    servers: tuple[Server, Server],
    options: Options,
    say: Callable[[str], None],
) -> Comparison:
    """`servers` are ours and the limit. Raises Unequal, LoadFailed, BooksDiffer."""
    log = Log(place.database_url)
    if endpoint.moves_stock:
        deliver_plenty()
    requests = endpoint.requests(filled)
    # What the load must not have done before its statements are compared.
    kept = pairs(endpoint, requests[::-1])[0]
    if endpoint.moves_stock:
        requests = [request for request in requests if request not in kept]
    urls = ours, limit = servers[0].url, servers[1].url
    say("the answers are compared")
    demand_equal_answers(endpoint, ours, limit, requests)
    replay = place.folder / "replay"
    write_replay(replay, requests)

    def rest() -> None:
        wait_for_silence(place.database_url, servers)

    loading = _Loading(replay, rest, options, endpoint.at_least)
    runs: dict[str, list[Load]] = {ours: [], limit: []}
    with never_cached(endpoint.drops):
        if not options.is_rehearsal:
            say("warming up")
            for url in urls:
                loading.once(url, WARM_UP)
        used = pieces_used() if endpoint.moves_stock else 0
        loading.answered = loading.sent = 0
        for number in range(1, options.runs + 1):
            for url, name in ((ours, "ours"), (limit, "the limit")):
                say(f"run {number} of {options.runs}, {name}")
                runs[url].append(loading.run(url))
        if endpoint.moves_stock:
            say("the ledger is checked")
            demand_agreement(pieces_used() - used, loading.answered, loading.sent)
        say("the statements are compared")
        statements = demand_equal_statements(endpoint, log, urls, kept)
    mine, its = statements
    return Comparison(
        endpoint, filled.tickets, Side.of(runs[ours], mine), Side.of(runs[limit], its)
    )


class _Loading:
    """One load after the other, each going on in the requests where the last one ended."""

    def __init__(
        self, replay: Path, rest: Callable[[], None], options: Options, at_least: int
    ) -> None:
        self.replay, self.rest, self.crowd = replay, rest, options.connections
        self.seconds = max(options.seconds, 1 if options.is_rehearsal else at_least)
        self.enough = 1 if options.is_rehearsal else 2 * self.crowd
        self.begin = self.answered = self.sent = 0

    def run(self, url: str) -> Load:
        """A run long enough for a median. Raises LoadFailed when nothing is answered at all."""
        seconds = self.seconds
        while (done := self.once(url, seconds)).requests < self.enough and seconds < LONGEST:
            seconds *= 3
        if not done.requests:
            raise LoadFailed(f"{url} answered nothing in {seconds} seconds.")
        return done

    def once(self, url: str, seconds: int) -> Load:
        done = load(url, self.replay, self.crowd, seconds=seconds, begin=self.begin)
        self.rest()
        self.begin += done.sent
        self.answered += done.requests
        self.sent += done.sent
        return done


def demand_agreement(taken: int, answered: int, sent: int) -> None:
    """Stock, ledger and lines say the same, and that each request which was answered took one piece.

    What was sent when a run ended may have been done and not been heard of. Raises BooksDiffer.
    """
    if not answered <= taken <= sent:
        raise BooksDiffer(f"Of {sent} requests {answered} were answered, but {taken} pieces taken.")
    if wrong := parts_whose_lines_differ():
        raise BooksDiffer(f"Ledger and part lines differ for the parts {wrong[:10]}.")
    try:
        call_command("check_stock", stdout=StringIO())
    except CommandError as wrong_stock:
        raise BooksDiffer(str(wrong_stock)) from wrong_stock


@contextmanager
def never_cached(name: str) -> Iterator[None]:
    """Drop the list again and again, as in a shop where something is written all the time.

    Ours keeps a page for a minute, and in a minute any number of early pages would come round.
    """
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
