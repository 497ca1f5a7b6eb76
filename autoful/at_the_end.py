"""What a verb says as it goes and writes when it ends, just before its commit.

    last = AtTheEnd(write)
    last.say("one")
    last.say("two")  # and at the end: write(["one", "two"])

Outside of a verb it is written as it is said. What is said in a verb that fails is forgotten with it;
what is said in an inner `transaction.atomic()` that fails is not, if the verb goes on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")


class AtTheEnd(Generic[T]):
    """`write` gets what was said, in that order.

    `very_last`: not before the outermost block ends. Else when one ends that may fail alone, or when
    what was said weighs `most`: a verb may say a hundred thousand things.
    """

    def __init__(
        self, write: Callable[[list[T]], None], *, very_last: bool = False, most: int = 0
    ) -> None:
        self._write, self._very_last, self._most = write, very_last, most
        self._said: ContextVar[list[T] | None] = ContextVar("said", default=None)
        self._weight: ContextVar[int] = ContextVar("weight", default=0)

    def say(self, what: T, weight: int = 1) -> None:
        said = self._said.get()
        if said is None:
            self._write([what])
            return
        said.append(what)
        self._weight.set(self._weight.get() + weight)
        if self._most and self._weight.get() >= self._most:
            self.write_now()

    def write_now(self) -> None:
        """For whoever is about to read or change what has been said."""
        if said := self._said.get():
            self._write(said)
            said.clear()
        self._weight.set(0)

    @contextmanager
    def block(self, *, may_fail_alone: bool) -> Iterator[None]:
        """A verb, inside its transaction. One that may not fail alone is part of the one around it; before
        one that may, what was said around it is written (`write_now`), outside of its savepoint.
        """
        around = self._said.get()
        if around is not None and not may_fail_alone:
            yield
            return
        said: list[T] = []
        token, weight = self._said.set(said), self._weight.set(0)
        try:
            yield
        finally:
            self._said.reset(token)
            self._weight.reset(weight)
        if around is not None and self._very_last:
            around += said
        elif said:
            self._write(said)
