"""Lists of which each page is the same statement with other values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.models import QuerySet

from autoful.api.cursors import Cursor, Order, order_of
from autoful.prepared import Prepared, Question


@dataclass(frozen=True, slots=True)
class Whole:
    """A list of which each page is the same statement with other values: no filter narrows it, or one
    that is always the same. `rows` makes it `of` some, such as the customer's whose list it is, or the
    text that a name contains. It is a function that stays: its statements are kept for it.

    `total` is asked for how many there are, in one column of one or more rows; without it they are
    counted, and the total kept for its `question`.
    """

    rows: Callable[..., QuerySet[Any, Any]]
    total: Question | None = field(default=None, compare=False)
    of: tuple[int | str, ...] = field(default=(), compare=False)

    @property
    def question(self) -> str:
        return f"{self.rows.__module__}.{self.rows.__qualname__}{self.of}"

    def queryset(self) -> QuerySet[Any, Any]:
        return self.rows(*self.of)


@cache
def own_order(whole: Whole) -> Order:
    """What it is ordered by if nobody asks for another order."""
    return order_of(whole.queryset())


def keys(rows: QuerySet[Any, Any], columns: Sequence[str]) -> QuerySet[Any, Any]:
    """The numbers of the rows as `pk`, and these columns."""
    return rows.values(*dict.fromkeys(["pk", *columns]))


@cache
def page(whole: Whole, order: Order, columns: tuple[str, ...]) -> Prepared:
    """So many keys after so many that are skipped."""

    def select(number: int, skip: int, *of: int | str) -> QuerySet[Any, Any]:
        return order.applied_to(keys(whole.rows(*of), columns))[skip : skip + number]

    return Prepared(select, 2 + len(whole.of))


@cache
def page_next_to(whole: Whole, order: Order, columns: tuple[str, ...], side: str) -> Prepared:
    """So many keys next to a place, which is a row's number."""

    def select(number: int, place: int, *of: int | str) -> QuerySet[Any, Any]:
        return Cursor(side, (place,)).narrowed(keys(whole.rows(*of), columns), order)[:number]

    return Prepared(select, 2 + len(whole.of))
