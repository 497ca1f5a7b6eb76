"""What takes minutes: load, kills, outages, on servers of the drill's own.

    make drills                                  # full size
    make drills SIZE=small ARGS="-k stock"       # as CI does, and one of them

`make test` leaves this folder out. Where a protection can be switched off, a
control shows that the drill then fails.
"""

import os

import pytest


def scaled(*, full: int, small: int) -> int:
    """How many, by the size that is asked for; `full` when nothing is."""
    size = os.environ.get("AUTOFUL_DRILL_SIZE") or "full"
    sizes = {"full": full, "small": small}
    if size not in sizes:
        raise pytest.UsageError(f"There are drills of SIZE=full and SIZE=small, not of {size!r}.")
    return sizes[size]


control = pytest.mark.skipif(bool(scaled(full=False, small=True)), reason="a control; at full size")
"""Marks a drill that shows what another one would find, and takes as long."""
