"""The report of a run, in Markdown."""

from collections.abc import Iterable, Sequence

from bench import machine
from bench.comparing import Comparison, Figures
from bench.measuring import Results
from bench.options import Options
from bench.shop import THREADS, WORKERS

GROWTH = 1.5  # the p50 of the largest shop, in those of the smallest
IDLE_MB, FLAT = 120, 1.1
WORKER_SECONDS, RUN_SECONDS = 1.5, 5.0

INTRODUCTION = """# Performance

Written by `{command}`{narrowed}; what it does and how it is narrowed is in CONTRIBUTING.md.

Each endpoint is loaded in turn with {connections} connections, and so is its limit, about the most that
this machine could do (it has nothing to do with the limits of calls): an application written by hand
(`bench/limit/`), under the same server with as many processes ({workers}) and threads in each ({threads}),
that makes the same token check, runs SQL by hand on connections that stay open, and answers the same
bytes; for the cached list, the bytes as Redis has them. It asks one statement after the other, where
ours sends those together that do not wait for each other's answers (ADR 18 and 21). Before the load both sides answer a sample of
the requests, and a byte that differs ends the run; so does a write for which the two do not make the
same statements. The ratio is the share of the limit's rate that the shop reaches.

Each figure is the median of {runs} of {seconds} s, ours and the limit's by turns, with the least and the
greatest in brackets. Limits of calls are off (`AUTOFUL_RATE_LIMITS=off`), since 50 an hour would
refuse the load; what counting costs is measured below. The access log is on, into a file. Lists
that are "not cached" are dropped ten times a second, as in a shop where something is written all
the time. MariaDB does not wait for the disk at a commit, on either side. "Queries" are the
statements a request that read or write a table.
"""


def text(results: Results, options: Options, servers: Sequence[str]) -> str:
    narrowed = "" if options.is_whole else ", narrowed"
    runs = "one run" if options.runs == 1 else f"{options.runs} runs"
    parts = [
        INTRODUCTION.format(
            narrowed=narrowed,
            command=f"BENCH_SECONDS={options.seconds} BENCH_RUNS={options.runs} make bench",
            connections=options.connections,
            runs=runs,
            seconds=options.seconds,
            workers=WORKERS,
            threads=THREADS,
        ),
        f"## Machine\n\n{machine.described(servers)}\n",
        in_short(results.comparisons, options),
    ]
    for tickets in options.sizes:
        found = [each for each in results.comparisons if each.tickets == tickets]
        parts.append(rates(tickets, found, judged=tickets == options.middle))
    if len(options.sizes) > 1:
        parts.append(growth(results.comparisons, options.sizes))
    if results.counting:
        parts.append(counting(results.counting))
    parts.append(footprint(results))
    if results.failures:
        lines = "".join(f"- {failure}\n" for failure in results.failures)
        parts.append(f"## Failed\n\nNot every request was answered well.\n\n{lines}")
    return "\n".join(parts)


def in_short(found: Iterable[Comparison], options: Options) -> str:
    """What a reader takes home who reads no table: what a shop waits for, and what falls short."""
    here = [each for each in found if each.tickets == options.middle]
    waits = {each.endpoint.name: each.ours for each in here}
    lines = [
        f"- {what}: half are answered within {waits[name].p50.median:,.0f} ms,"
        f" {waits[name].rate.median:,.0f} a second\n"
        for name, what in (
            ("tickets", "a page of tickets that is not cached"),
            ("ticket", "one ticket"),
            ("create", "a new ticket"),
            ("add-part", "a part onto a ticket"),
        )
        if name in waits
    ]
    judged = [each for each in here if each.endpoint.target]
    short = [each.endpoint.title for each in judged if not each.is_met]
    verdict = f"Of {len(judged)} targets at this size {len(judged) - len(short)} are met."
    if not judged:
        verdict = "Of what was measured nothing has a target."
    if short:
        verdict += f" Short of theirs: {'; '.join(short)}. ADR 18 says why."
    return (
        f"## In short\n\nAt {options.middle:,} tickets, with {options.connections} requests under"
        f" way all the time:\n\n{''.join(lines)}\n{verdict}\n"
    )


def rates(tickets: int, found: Iterable[Comparison], *, judged: bool) -> str:
    """`judged`: the targets are for this size."""
    rows = [
        (
            each.endpoint.title,
            *(_figures(each.ours.rate, 0), _figures(each.limit.rate, 0)),
            f"{each.ratio:.2f}",
            f"{each.endpoint.target:.2f}" if judged and each.endpoint.target else "",
            verdict(each.is_met) if judged else "",
            *(_figures(each.ours.p50, 1), _figures(each.ours.p99, 1)),
            *(f"{each.limit.p50.median:.1f}", f"{each.limit.p99.median:.1f}"),
            f"{each.ours.statements} / {each.limit.statements}",
        )
        for each in found
    ]
    head = (
        *("endpoint", "ours, requests/s", "limit, requests/s", "ratio", "target", "met"),
        *("p50, ms", "p99, ms", "limit's p50", "limit's p99", "queries, ours / limit"),
    )
    return f"## {tickets:,} tickets\n\n{table(head, rows)}"


def growth(found: Sequence[Comparison], sizes: Sequence[int]) -> str:
    """p50 at each size, and the largest shop's in the smallest's."""
    rows = []
    for name in dict.fromkeys(each.endpoint.name for each in found):
        same = {each.tickets: each for each in found if each.endpoint.name == name}
        if same.keys() != set(sizes):
            continue  # it failed at one of them
        ours = [same[size].ours.p50.median for size in sizes]
        limit = [same[size].limit.p50.median for size in sizes]
        times, limits = ours[-1] / ours[0], limit[-1] / limit[0]
        shown = [f"{p50:.1f}" for p50 in ours]
        endpoint = same[sizes[0]].endpoint
        most = limits if endpoint.walks else GROWTH
        measured = (f"{times:.2f}", f"{most:.2f}", verdict(times <= most), f"{limits:.2f}")
        rows.append((endpoint.title, *shown, *measured))
    columns = [f"p50 at {size:,}, ms" for size in sizes]
    head = ("endpoint", *columns, "times", "at most", "met", "the limit's times")
    return (
        "## Growth\n\nA page in the middle, by number, is walked to from the nearer end of an index, on"
        " either side: it may grow as the limit's does. Cursors do not walk.\n\n"
        f"{table(head, rows)}"
    )


def counting(found: Iterable[Comparison]) -> str:
    rows = [
        (
            each.endpoint.title,
            *(_figures(each.ours.rate, 0), _figures(each.limit.rate, 0)),
            f"{each.ratio:.2f}",
        )
        for each in found
    ]
    head = ("endpoint", "calls counted, requests/s", "not counted, requests/s", "ratio")
    return (
        f"## What counting calls costs\n\nWith limits that nobody reaches.\n\n{table(head, rows)}"
    )


def footprint(results: Results) -> str:
    rows: list[tuple[str, str, str, bool | None]] = []
    if memory := results.memory:
        grown = max(w / i for w, i in zip(memory.whole, memory.half, strict=True))
        idle, flat = f"under {IDLE_MB} MB", f"at most {FLAT} times"
        met = max(memory.idle) < IDLE_MB
        rows.append(("memory of a worker at rest (RSS)", _each(memory.idle), idle, met))
        rows.append((f"after {memory.requests // 2:,} requests", _each(memory.half), "", None))
        whole = f"after {memory.requests:,} requests"
        rows.append((whole, _each(memory.whole), flat, grown <= FLAT))
    if starts := results.starts:
        for what, took, target in (
            ("start of a worker, from its spawn until it answers", starts.worker, WORKER_SECONDS),
            ("`make run` on a shop that is there, until it answers", starts.run, RUN_SECONDS),
        ):
            rows.append((what, f"{took:.2f} s", f"under {target} s", took < target))
    shown = [(*row, verdict(met)) for *row, met in rows]
    return f"## Memory and starts\n\n{table(('', 'measured', 'target', 'met'), shown)}"


def _each(megabytes: Iterable[float]) -> str:
    return ", ".join(f"{each:.0f} MB" for each in megabytes)


def verdict(met: bool | None) -> str:
    return {True: "yes", False: "**no**", None: ""}[met]


def _figures(figures: Figures, places: int) -> str:
    return (
        f"{figures.median:,.{places}f} ({figures.least:,.{places}f} to {figures.most:,.{places}f})"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
