"""What a process keeps of answers it has given, within so many bytes."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Things by their keys; all are dropped when they are more than `most` bytes.

    Whoever asks for ever new things costs the others one look elsewhere each. Several threads may
    use it at once: what they count of its bytes may then be a little off until it is emptied.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.clear()

    def clear(self) -> None:
        self._things: dict[Hashable, tuple[T, int]] = {}
        self._bytes = 0

    def get(self, key: Hashable) -> T | None:
        found = self._things.get(key)
        return found[0] if found else None

    def put(self, key: Hashable, thing: T, size: int) -> None:
        """Keep `thing`, which takes `size` bytes."""
        if self._bytes > self.most:
            self.clear()
        _, before = self._things.get(key, (None, 0))
        self._things[key] = thing, size
        self._bytes += size - before
