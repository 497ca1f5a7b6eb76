"""Pages: `?page=1&per_page=10` or `?cursor=&per_page=10`, with totals."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from autoful.api import cursors
from autoful.api.cursors import Cursor, Order, order_of
from autoful.prepared import Prepared

PER_PAGE = 10
MOST_PER_PAGE = 100
MOST_PREPARED = (
    2  # columns of an ordering; more are asked for now and then, and there are thousands
)
PARAMETERS = ("page", "per_page")
EITHER = "Ask for a page by its number or by a cursor, not by both."

Key = dict[str, Any]  # of one row: "pk", and more columns by their names

# The number of the page, or the text of a cursor, and the rows a page.
Asked = tuple[int | str, int]


@dataclass(frozen=True, slots=True)
class Whole:
    """A list that no filter narrows, so that each of its pages is the same statement with other
    numbers: `rows` makes it `of` some, such as the customer's whose list it is.
    """

    rows: Callable[..., QuerySet[Any, Any]]
    of: tuple[int, ...] = field(default=(), compare=False)


def _keys(rows: QuerySet[Any, Any], columns: Sequence[str]) -> QuerySet[Any, Any]:
    keys = rows.select_related(None).prefetch_related(None)
    return keys.values(*dict.fromkeys(["pk", *columns]))


@cache
def _page(whole: Whole, order: Order, columns: tuple[str, ...]) -> Prepared:
    def select(number: int, skip: int, *of: int) -> QuerySet[Any, Any]:
        return order.applied_to(_keys(whole.rows(*of), columns))[skip : skip + number]

    return Prepared(select, 2 + len(whole.of))


@cache
def _page_next_to(whole: Whole, order: Order, columns: tuple[str, ...], side: str) -> Prepared:
    """By number alone: the place is a row's."""

    def select(number: int, place: int, *of: int) -> QuerySet[Any, Any]:
        return Cursor(side, (place,)).narrowed(_keys(whole.rows(*of), columns), order)[:number]

    return Prepared(select, 2 + len(whole.of))


class Pages(BasePagination):
    """Pages of the keys of a list, by number or by cursor.

    Only what is needed to find the rows of a page is read here, which an index may have all of;
    whoever shows them reads them by their ids. `total` says how many rows a queryset has, `columns`
    are more of each row to bring along, `both_ends` that reading from the end is as good, and
    `whole` tells that no filter narrows it.

    `per_page` above 100 is cut to 100; a page past the end has no rows and is no error.
    """

    template = "rest_framework/pagination/previous_and_next.html"

    def __init__(
        self,
        key: str = "",
        total: Callable[[Any], int] = QuerySet.count,
        columns: Sequence[str] = (),
        both_ends: bool = True,
        whole: Whole | None = None,
    ) -> None:
        self.whole = whole
        self.key, self.total, self.columns, self.both_ends = key, total, columns, both_ends

    def get_results(self, data: Any) -> Any:
        """Where the rows are; the browsable API offers its filters only beside rows."""
        return data[self.key]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The page's keys in their order: `{"pk": 7}`, with `columns` and what the order needs."""
        self.request = request
        asked, self.per_page = asked_page(request)
        order = order_of(queryset)
        cursor = None
        if isinstance(asked, str):  # before anything is counted: it may be refused
            cursor = cursors.read(asked, order) if asked else None
        self.total_items = self.total(queryset)
        self.total_pages = -(-self.total_items // self.per_page)
        if isinstance(asked, int):
            self.place: dict[str, Any] = {"page": asked}
            page = self._numbered(queryset, order, asked)
            self.display_page_controls = self.total_pages > 1  # the browsable API's
        else:
            page, before, after = self._next_to(queryset, order, cursor)
            self.place = {
                "next_cursor": cursors.write(after, order) if after else None,
                "previous_cursor": cursors.write(before, order) if before else None,
            }
            self.display_page_controls = bool(before or after)
        return page

    def _numbered(self, queryset: Any, order: Order, page: int) -> list[Key]:
        """From the end that is nearer, so that the last page costs what the first does.

        It is a page of a list of `total_items` rows. If rows have come or gone since they were
        counted, it begins that many rows further on or back, as the next page asked for would.
        """
        start, end = (page - 1) * self.per_page, page * self.per_page
        if start >= self.total_items:
            return []  # and no OFFSET, which a page of nineteen digits would overflow
        beyond = max(self.total_items - end, 0)
        if start <= beyond or not self.both_ends:
            return self._cut(queryset, order, start, end)
        return self._cut(queryset, order.turned_round(), beyond, self.total_items - start)[::-1]

    def _cut(self, queryset: Any, order: Order, start: int, end: int) -> list[Key]:
        if not self.whole or len(order.columns) > MOST_PREPARED:
            return list(order.applied_to(_keys(queryset, self.columns))[start:end])
        page = _page(self.whole, order, tuple(self.columns))
        found: list[Key] = page.rows(end - start, start, *self.whole.of, using=queryset.db)
        return found

    def _next_to(
        self, queryset: Any, order: Order, cursor: Cursor | None
    ) -> tuple[list[Key], Cursor | None, Cursor | None]:
        """The rows next to the cursor, and the cursors of what is before and after them."""
        there: Cursor | None = None
        back: Cursor | None = None
        page = self._walked(queryset, order, cursor, self.per_page + 1)
        is_more = len(page) > self.per_page
        del page[self.per_page :]
        if is_more:
            there = Cursor(cursor.side[0] if cursor else ">", order.values_of(page[-1]))
        # Where we came from there were rows; if they are gone by now, that page has none.
        if cursor and page:
            back = Cursor(cursor.rest().side[0], order.values_of(page[0]))
        elif cursor:
            back = cursor.rest()
        if cursor is not None and cursor.goes_back:
            return page[::-1], there, back
        return page, back, there

    def _walked(self, queryset: Any, order: Order, cursor: Cursor | None, number: int) -> list[Key]:
        if not (cursor and self.whole and len(order.columns) == 1):
            ordering = [column.name for column in order.columns[:-1]]
            keys = _keys(queryset, [*ordering, *self.columns])
            walk = cursor.narrowed(keys, order) if cursor else order.applied_to(keys)
            return list(walk[:number])
        page = _page_next_to(self.whole, order, tuple(self.columns), cursor.side)
        found: list[Key] = page.rows(number, cursor.values[0], *self.whole.of, using=queryset.db)
        return found

    def summary(self) -> dict[str, Any]:
        """What the answer says of the page, as `pagination`."""
        totals = {
            "per_page": self.per_page,
            "total_pages": self.total_pages,
            "total_items": self.total_items,
        }
        numbered = "page" in self.place
        return self.place | totals if numbered else totals | self.place

    def to_html(self) -> str:
        return render_to_string(
            self.template,
            {
                "previous_url": self._url("previous_cursor", -1),
                "next_url": self._url("next_cursor", 1),
            },
        )

    def _url(self, cursor: str, step: int) -> str | None:
        url = self.request.build_absolute_uri()
        if "page" in self.place:
            page = self.place["page"] + step
            return replace_query_param(url, "page", page) if 1 <= page <= self.total_pages else None
        text = self.place[cursor]
        return replace_query_param(url, "cursor", text) if text else None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999}
        return [
            {
                "name": "page",
                "in": "query",
                "description": "From 1; past the end there are no rows.",
                "schema": whole | {"default": 1},
            },
            {
                "name": "per_page",
                "in": "query",
                "description": f"Rows a page; more than {MOST_PER_PAGE} is cut to that.",
                "schema": whole | {"default": PER_PAGE},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "In place of `page`, to walk a long list: empty for its first page, "
                "then what `next_cursor` or `previous_cursor` of the last answer said, with the "
                "same `ordering`. However rows come and go meanwhile, none that stays is missed "
                "or told twice.",
                "allowEmptyValue": True,
                "schema": {
                    "type": "string",
                    "maxLength": cursors.LONGEST,
                    "pattern": f"^({cursors.FORM})?$",
                },
            },
        ]


def asked_page(request: Request) -> Asked:
    """The page and the rows a page that are asked for; raises ValidationError."""
    per_page = min(_positive(request, "per_page", PER_PAGE), MOST_PER_PAGE)
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return _positive(request, "page", 1), per_page
    if "page" in request.query_params:
        raise ValidationError({"cursor": [EITHER]})
    return cursor, per_page


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < 1:
        raise ValidationError({name: ["A whole number from 1 is needed."]})
    return int(text)
