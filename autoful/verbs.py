"""What makes a function a verb of the shop."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from autoful.actor import acting
from autoful.db import retrying

P = ParamSpec("P")
T = TypeVar("T")


def verb(function: Callable[P, T]) -> Callable[P, T]:
    """One transaction, retried when it loses a race, every change in it audited as its `actor`'s.

    The function takes keyword arguments only, `actor` among them. Instances it is handed are
    names, not facts: it reads and locks the rows itself, because a retry must see them afresh.
    """
    transaction = retrying(function)

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with acting(kwargs["actor"]):  # type: ignore[arg-type]
            return transaction(*args, **kwargs)

    return run
