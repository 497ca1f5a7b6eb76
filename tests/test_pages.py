"""Pages hold what slicing the whole list would, whichever way they are asked for.

The list is one of parts with few values to tell them apart, some of them none at all.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request

from autoful.api.cursors import Cursor, order_of, write
from autoful.api.pagination import Pages
from autoful.testing.queries import Statements
from inventory.models import Part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db

ROWS = 23
NAMES = ["brake pad", "Brake Pad", "BRAKE PAD", "Ölfilter", "🔧 set", "🚗 set", "brake pad 2"]
COLUMNS = ["id", "part_name", "price", "quantity_in_stock", "cost", "reorder_point"]
looking = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
orderings = st.lists(
    st.tuples(st.sampled_from(["", "-"]), st.sampled_from(COLUMNS)).map("".join), max_size=3
)


@pytest.fixture
def parts(db: None) -> list[int]:
    """Their ids; each value is shared by several, and a third have no cost."""
    return [
        Part.objects.create(
            part_name=NAMES[n * 5 % len(NAMES)],
            price=Decimal("0.10") * (1 + n % 3),
            cost=None if n % 3 == 0 else Decimal(n % 4) / 100,
            quantity_in_stock=n * 7 % 5,
            reorder_point=n % 2,
        ).pk
        for n in range(ROWS)
    ]


def asked(**query: Any) -> Request:
    return Request(RequestFactory().get("/inventory", query))


def some(parts: list[int], total: int, ordering: list[str]) -> tuple[QuerySet[Part], list[int]]:
    """A list of `total` rows, and the ids of all of it in the database's own order."""
    queryset = Part.objects.filter(pk__in=parts[:total]).order_by(*ordering, "part_name", "id")
    order = order_of(queryset)
    return queryset, list(order.applied_to(queryset).values_list("pk", flat=True))


def page(queryset: QuerySet[Any], **query: Any) -> tuple[list[int], dict[str, Any]]:
    pages = Pages("parts")
    keys = [key["pk"] for key in pages.paginate_queryset(queryset, asked(**query))]
    return keys, pages.summary()


@looking
@given(total=st.integers(0, ROWS), per_page=st.integers(1, ROWS + 2), ordering=orderings)
def test_every_page_by_number_is_a_slice(
    parts: list[int], total: int, per_page: int, ordering: list[str]
) -> None:
    queryset, whole = some(parts, total, ordering)
    pages = -(-total // per_page)
    for number in range(1, pages + 3):
        keys, said = page(queryset, page=number, per_page=per_page)
        assert keys == whole[(number - 1) * per_page : number * per_page], number
        assert said == {
            "page": number,
            "per_page": per_page,
            "total_pages": pages,
            "total_items": total,
        }


def walk(queryset: QuerySet[Any], start: str, way: str, per_page: int) -> Iterator[list[int]]:
    """The pages from a cursor on, to the end that way."""
    cursor: str | None = start
    for _ in range(ROWS + 2):
        keys, said = page(queryset, cursor=cursor, per_page=per_page)
        yield keys
        cursor = said[way]
        if cursor is None:
            return
    raise AssertionError("it goes on and on")


@looking
@given(total=st.integers(0, ROWS), per_page=st.integers(1, ROWS + 2), ordering=orderings)
def test_cursors_walk_the_whole_list_there_and_back(
    parts: list[int], total: int, per_page: int, ordering: list[str]
) -> None:
    queryset, whole = some(parts, total, ordering)
    slices = [whole[at : at + per_page] for at in range(0, max(total, 1), per_page)]
    assert list(walk(queryset, "", "next_cursor", per_page)) == slices
    said = page(queryset, cursor="", per_page=per_page)[1]
    while said["next_cursor"] is not None:
        said = page(queryset, cursor=said["next_cursor"], per_page=per_page)[1]
    assert set(said) == {
        *("per_page", "total_pages", "total_items", "next_cursor", "previous_cursor"),
    }
    assert (said["total_items"], said["total_pages"]) == (total, -(-total // per_page))
    if len(slices) < 2:
        assert said["previous_cursor"] is None
    else:
        back = list(walk(queryset, said["previous_cursor"], "previous_cursor", per_page))
        assert back == slices[-2::-1]


# --- While rows come and go -----------------------------------------------------------------------

changes = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "delete the last one shown"]), st.integers(0, 99)),
    max_size=4,
)


def change(what: str, which: int, shown: list[int]) -> None:
    rows = Part.objects.order_by("id")
    if what == "add":
        twin: Part = rows[which % len(rows)] if rows else Part(part_name="brake", price=1)
        twin.pk = None
        twin.save(force_insert=True)
    elif what == "delete":
        rows.filter(pk__in=[row.pk for row in rows[which % ROWS : which % ROWS + 1]]).delete()
    elif shown:
        rows.filter(pk=shown[-1]).delete()


@looking
@given(
    per_page=st.integers(1, 9),
    ordering=orderings,
    way=st.sampled_from(["next_cursor", "previous_cursor"]),
    moves=st.lists(changes, min_size=1, max_size=12),
)
def test_none_that_stays_is_missed_or_told_twice(
    parts: list[int], per_page: int, ordering: list[str], way: str, moves: list[Any]
) -> None:
    with transaction.atomic():
        queryset = Part.objects.order_by(*ordering, "part_name", "id")
        cursor: str | None = ""
        if way == "previous_cursor":
            *_, last = order_of(queryset).applied_to(queryset).values()
            values = tuple(last[column.name] for column in order_of(queryset).columns)
            cursor = write(Cursor("<=", values), order_of(queryset))
        shown: list[int] = []
        while cursor is not None:
            keys, said = page(queryset, cursor=cursor, per_page=per_page)
            shown += keys
            assert len(shown) == len(set(shown)), "told twice"
            cursor = said[way]
            for what, which in moves.pop(0) if moves else ():
                change(what, which, keys)
        stayed = set(parts) & set(Part.objects.values_list("pk", flat=True))
        assert stayed <= set(shown)
        transaction.set_rollback(True)


def test_where_all_that_followed_is_gone_there_is_a_way_back(parts: list[int]) -> None:
    queryset = Part.objects.order_by("id")
    first, said = page(queryset, cursor="", per_page=5)
    Part.objects.exclude(pk__in=first).delete()
    none, beyond = page(queryset, cursor=said["next_cursor"], per_page=5)
    assert (none, beyond["next_cursor"]) == ([], None)
    back, said = page(queryset, cursor=beyond["previous_cursor"], per_page=5)
    assert back == first, "with the row that the cursor stood at"
    assert said["previous_cursor"] is None
    assert page(queryset, cursor=said["next_cursor"], per_page=5)[0] == []
    Part.objects.all().delete()
    none, said = page(queryset, cursor=beyond["previous_cursor"], per_page=5)
    assert (none, said["previous_cursor"]) == ([], None)
    later = PartFactory.create()
    assert page(queryset, cursor=said["next_cursor"], per_page=5)[0] == [later.pk]
    assert page(queryset.none(), cursor="")[1] == {
        "per_page": 10,
        "total_pages": 0,
        "total_items": 0,
        "next_cursor": None,
        "previous_cursor": None,
    }


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("by", [3, -3])
def test_rows_that_come_or_go_after_the_count_move_a_page_and_do_no_more(
    parts: list[int], by: int, number: int
) -> None:
    """Page 1 is read from the beginning, 2 and 3 from the end, where the rows come and go."""

    def counted(rows: Callable[[], QuerySet[Part]], using: str) -> int:
        total = rows().count()
        if by > 0:
            PartFactory.create_batch(by)
        else:
            Part.objects.filter(pk__in=parts[by:]).delete()
        return total

    pages = Pages("parts", counted)
    queryset = Part.objects.order_by("id")
    keys = [k["pk"] for k in pages.paginate_queryset(queryset, asked(page=number, per_page=10))]
    assert pages.summary()["total_items"] == ROWS
    whole = list(queryset.values_list("pk", flat=True))
    start, end = [(0, 10), (10 + by, 20 + by), (20 + by, 23 + by)][number - 1]
    assert keys == whole[start:end]


def test_the_last_page_costs_what_the_first_does(parts: list[int]) -> None:
    skipped = []
    for number in range(1, 7):
        with Statements(connection) as queries:
            page(Part.objects.all(), page=number, per_page=4)
        found = re.search(r"OFFSET (\d+)", queries[-1]["sql"])
        skipped.append(int(found[1]) if found else 0)
    assert skipped == [0, 4, 8, 7, 3, 0]


def test_a_page_is_keys_with_what_was_asked_for(parts: list[int]) -> None:
    pages = Pages("parts", columns=["reorder_point"])
    queryset = Part.objects.order_by("part_name", "id")
    for query in ({"page": "1"}, {"cursor": ""}):
        with Statements(connection) as queries:
            keys = pages.paginate_queryset(queryset, asked(**query))
        assert {"pk", "reorder_point"} <= set(keys[0]) <= {"pk", "reorder_point", "part_name"}
        assert "price" not in queries[-1]["sql"]
