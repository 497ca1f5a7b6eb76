"""Pages: `?page=1&per_page=10` or `?cursor=&per_page=10`, with totals."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.template.loader import render_to_string
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from autoful import tally
from autoful.api import cursors, whole_lists
from autoful.api.cursors import Cursor, Order, order_of
from autoful.api.whole_lists import Whole
from autoful.prepared import Question, ask

PER_PAGE = 10
MOST_PER_PAGE = 100
# Columns of an ordering; more are asked for now and then, and there are thousands.
MOST_PREPARED = 2
# Rows from the beginning that are found whatever the total is; it is asked for with the rows.
NEAR = 1_000
PARAMETERS = ("page", "per_page")
EITHER = "Ask for a page by its number or by a cursor, not by both."

# How many rows there are of what the first makes, asked of the database that the second names.
Counting = Callable[[Callable[[], QuerySet[Any]], str], int]

Key = dict[str, Any]  # of one row: "pk", and more columns by their names

# The number of the page, or the text of a cursor, and the rows a page.
Asked = tuple[int | str, int]


class Pages(BasePagination):
    """Pages of the keys of a list, by number or by cursor.

    Only what is needed to find the rows of a page is read here, which an index may have all of;
    whoever shows them reads them by their ids, and asks `still_asked` with them: its answers are for
    `answered`, and then there is a `summary`. `columns` are more of each row to bring along, and so
    is `rest` where only few rows are stepped over on the way to the page: `brought_rest` says so.
    `both_ends` says that reading from the end is as good, `whole` tells that each page is the same
    statement, and `total` counts a list whose total is not kept.

    `per_page` above 100 is cut to 100; a page past the end has no rows and is no error.
    """

    template = "rest_framework/pagination/previous_and_next.html"
    total_items: int | None = None
    place: Mapping[str, Any] = MappingProxyType({})  # of the page, as its summary tells it

    def __init__(
        self,
        key: str = "",
        total: Counting = lambda rows, _: rows().count(),
        columns: Sequence[str] = (),
        rest: Sequence[str] = (),
        both_ends: bool = True,
        whole: Whole | None = None,
    ) -> None:
        self.whole = whole
        self.key, self.total, self.both_ends = key, total, both_ends
        self.columns, self.rest = columns, rest
        self.brought_rest = False

    def get_results(self, data: Any) -> Any:
        """Where the rows are; the browsable API offers its filters only beside rows."""
        return data[self.key]

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None, *, using: str = DEFAULT_DB_ALIAS
    ) -> list[Any]:
        """The page's keys in their order: `{"pk": 7}`, with `columns` and what the order needs.

        The `queryset` of a whole list is needed only if it is ordered in another way.
        """
        self.request, self.using = request, using
        self.total_items = None
        asked, self.per_page = asked_page(request)
        order = whole_lists.own_order(self.whole) if queryset is None else order_of(queryset)
        cursor = None
        if isinstance(asked, str):  # before anything is counted: it may be refused
            cursor = cursors.read(asked, order) if asked else None
        if self.whole is None or self.whole.total is None:
            self.total_items = self.total(partial(self._listed, queryset), using)
        elif isinstance(asked, int) and asked * self.per_page > NEAR:
            self.answered(ask(self.still_asked(), using=using))
        if isinstance(asked, int):
            self.place = {"page": asked}
            page = self._numbered(queryset, order, asked)
        else:
            page, before, after = self._next_to(queryset, order, cursor)
            self.place = {
                "next_cursor": cursors.write(after, order) if after else None,
                "previous_cursor": cursors.write(before, order) if before else None,
            }
        return page

    def still_asked(self) -> list[Question]:
        """What is to be asked of the database before there is a `summary`."""
        total = self.whole.total if self.whole else None
        return [total] if total and self.total_items is None else []

    def answered(self, answers: list[list[Any]]) -> None:
        """Its answers."""
        for slots in answers:
            self.total_items = tally.summed(slots)

    def _numbered(self, queryset: Any, order: Order, page: int) -> list[Key]:
        """From the end that is nearer, so that the last page costs what the first does.

        It is a page of a list of `total_items` rows. If rows have come or gone since they were
        counted, it begins that many rows further on or back, as the next page asked for would.
        """
        start, end = (page - 1) * self.per_page, page * self.per_page
        if self.total_items is None:
            return self._cut(queryset, order, start, end)
        if start >= self.total_items:
            return []  # and no OFFSET, which a page of nineteen digits would overflow
        beyond = max(self.total_items - end, 0)
        if start <= beyond or not self.both_ends:
            return self._cut(queryset, order, start, end)
        return self._cut(queryset, order.turned_round(), beyond, self.total_items - start)[::-1]

    def _cut(self, queryset: Any, order: Order, start: int, end: int) -> list[Key]:
        if not self.whole or len(order.columns) > MOST_PREPARED:
            return list(order.applied_to(self._keys(queryset, self.columns))[start:end])
        page = whole_lists.page(self.whole, order, self._along(start))
        found: list[Key] = page.rows(end - start, start, *self.whole.of, using=self.using)
        return found

    def _along(self, skip: int) -> tuple[str, ...]:
        """What is brought along with the keys of a page that is `skip` rows away."""
        # Of a list that is counted nobody knows how many rows are passed over between two of its own.
        is_dense = self.whole is not None and self.whole.total is not None
        self.brought_rest = bool(self.rest) and is_dense and skip <= NEAR
        return (*self.columns, *self.rest) if self.brought_rest else tuple(self.columns)

    def _listed(self, queryset: Any) -> QuerySet[Any, Any]:
        rows = self.whole.queryset() if queryset is None and self.whole else queryset
        listed: QuerySet[Any, Any] = rows.using(self.using)
        return listed

    def _keys(self, queryset: Any, columns: Sequence[str]) -> QuerySet[Any, Any]:
        return whole_lists.keys(self._listed(queryset), columns)

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
            keys = self._keys(queryset, [*ordering, *self.columns])
            walk = cursor.narrowed(keys, order) if cursor else order.applied_to(keys)
            return list(walk[:number])
        page = whole_lists.page_next_to(self.whole, order, self._along(0), cursor.side)
        found: list[Key] = page.rows(number, cursor.values[0], *self.whole.of, using=self.using)
        return found

    def summary(self) -> dict[str, Any]:
        """What the answer says of the page, as `pagination`."""
        totals = {
            "per_page": self.per_page,
            "total_pages": self.total_pages,
            "total_items": self.total_items,
        }
        numbered = "page" in self.place
        return {**self.place, **totals} if numbered else {**totals, **self.place}

    @property
    def total_pages(self) -> int:
        return -(-(self.total_items or 0) // self.per_page)

    @property
    def display_page_controls(self) -> bool:  # type: ignore[override]
        """Whether the browsable API shows where there is more."""
        return self.total_pages > 1 if "page" in self.place else any(self.place.values())

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
