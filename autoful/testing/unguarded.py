"""The application with what protects the stock off: the control of the drills, never for a shop.

    python -m granian --interface wsgi autoful.testing.unguarded:application

A conditional UPDATE is taken apart into what one would write who never met a second customer: read
the row, reckon, write the result. The verbs' lock only reads.
"""

import time
from contextlib import ExitStack
from typing import Any

from autoful.wsgi import application

__all__ = ["application"]

# Django is set up by the import above.
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


_off = ExitStack()
_off.enter_context(rivals.unprotected(stock, parts, lifecycle))
PartQuerySet.update = read_then_write  # type: ignore[assignment, method-assign]
