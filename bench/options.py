"""What a run is told by the environment."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
REPORT = Path("docs/performance.md")


class WrongOption(Exception):
    """One line that says what is wrong."""


@dataclass(frozen=True)
class Options:
    """`report` is None when a narrowed run is to leave the one that is there."""

    sizes: tuple[int, ...]
    endpoints: tuple[str, ...]
    seconds: int
    runs: int
    requests: int  # of the measurement of memory
    report: Path | None
    is_whole: bool

    @property
    def is_rehearsal(self) -> bool:
        """Whether a run is so short that it only shows that all of it works."""
        return self.seconds == 1

    @property
    def connections(self) -> int:
        return 2 if self.is_rehearsal else 16

    @property
    def middle(self) -> int:
        """The size at which targets are judged, and what has one size is measured."""
        return 100_000 if 100_000 in self.sizes else self.sizes[-1]


def read(known: Sequence[str]) -> Options:
    """From BENCH_…; `known` are the endpoints' names. Raises WrongOption."""
    sizes = tuple(_number("BENCH_SIZES", text) for text in _list("BENCH_SIZES")) or SIZES
    endpoints = tuple(_list("BENCH_ENDPOINTS")) or tuple(known)
    if unknown := [name for name in endpoints if name not in known]:
        raise WrongOption(f"BENCH_ENDPOINTS names {unknown[0]}; there are {', '.join(known)}.")
    if least := [size for size in sizes if size < 500]:
        raise WrongOption(f"BENCH_SIZES has {least[0]}; a shop has 500 tickets at least.")
    whole = sizes == SIZES and len(endpoints) == len(known)
    wanted = os.environ.get("BENCH_REPORT")
    return Options(
        sizes=sizes,
        endpoints=endpoints,
        seconds=_number("BENCH_SECONDS", os.environ.get("BENCH_SECONDS") or "5"),
        runs=_number("BENCH_RUNS", os.environ.get("BENCH_RUNS") or "3"),
        requests=_number("BENCH_REQUESTS", os.environ.get("BENCH_REQUESTS") or "100000"),
        report=Path(wanted) if wanted else REPORT if whole else None,
        is_whole=whole,
    )


def _list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise WrongOption(f"{name} has {text!r} where a whole number from 1 is needed.")
    return int(text)
