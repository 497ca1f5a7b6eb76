"""The application with what protects the stock off: the control of the drills, never for a shop.

    python -m granian --interface wsgi autoful.testing.unguarded:application

A conditional UPDATE is taken apart into what one would write who never met a second customer: read
the row, reckon, write the result. The verbs' lock only reads.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from autoful.wsgi import application

__all__ = ["application"]

# Django is set up by the import above.
from autoful.prepared import Move, Question, ask
from autoful.testing import rivals
from inventory import parts, stock
from inventory.querysets import PartQuerySet
from tickets import lifecycle

REFLECTION = 0.02  # seconds between reading and writing, as in a busy process

_update = PartQuerySet.update


def read_then_write(rows: PartQuerySet, **fields: Any) -> int:
    reckoned = rows.annotate(
        **{
            f"new_{name}": value
            for name, value in fields.items()
            if hasattr(value, "resolve_expression")
        }
    )
    row = reckoned.first()
    if row is None:
        return 0
    time.sleep(REFLECTION)
    known = {name: getattr(row, f"new_{name}", value) for name, value in fields.items()}
    return _update(rows.model._default_manager.filter(pk=row.pk), **known)


def ask_one_by_one(questions: Sequence[Question]) -> list[Any]:
    """As `ask` would, with each UPDATE taken apart."""
    found: list[Any] = []
    for question in questions:
        move, values = question.prepared, question.values
        if isinstance(move, Move):
            found.append(read_then_write(move.select(*values), **move.moved(*values)))  # type: ignore[arg-type]
        else:
            found += ask([question])
    return found


_off = ExitStack()
_off.enter_context(patch.object(stock, "ask", ask_one_by_one))
_off.enter_context(rivals.unprotected(stock, parts, lifecycle))
PartQuerySet.update = read_then_write  # type: ignore[assignment, method-assign]
