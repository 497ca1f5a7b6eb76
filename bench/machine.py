"""The machine that was measured on, in a sentence that a report begins with."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("Django", "djangorestframework", "granian", "mysqlclient", "redis")


def described(servers: Sequence[str]) -> str:
    """Hardware, versions and today's date; `servers` are the names and versions of what ran beside Python."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    kernel = f"{platform.system()} {platform.release()}"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {cores} cores, {_memory()}, {kernel}; all that ran"
        f" shared it. {', '.join(servers)}, Python {platform.python_version()}, {libraries}."
        f" {datetime.now(UTC):%Y-%m-%d}."
    )


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return f"{int(line.split()[1]) / 1024**2:.0f} GB of memory"
    return "memory unknown"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
