"""Pages hold what slicing the whole list would, whichever way they are asked for.

The list is one of parts with few values to tell them apart, some of them none at all.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request

from autoful.api.cursors import order_of
from autoful.api.pagination import Pages
from inventory.models import Part

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
    while cursor is not None:
        keys, said = page(queryset, cursor=cursor, per_page=per_page)
        yield keys
        cursor = said[way]


@looking
@given(total=st.integers(0, ROWS), per_page=st.integers(1, ROWS + 2), ordering=orderings)
def test_cursors_walk_the_whole_list_there_and_back(
    parts: list[int], total: int, per_page: int, ordering: list[str]
) -> None:
    queryset, whole = some(parts, total, ordering)
    slices = [whole[at : at + per_page] for at in range(0, max(total, 1), per_page)]
    assert list(walk(queryset, "", "next_cursor", per_page)) == slices
    cursor: str | None = ""
    said: dict[str, Any] = {}
    while cursor is not None:
        said = page(queryset, cursor=cursor, per_page=per_page)[1]
        cursor = said["next_cursor"]
    assert set(said) == {
        *("per_page", "total_pages", "total_items", "next_cursor", "previous_cursor"),
    }
    assert (said["total_items"], said["total_pages"]) == (total, -(-total // per_page))
    if len(slices) < 2:
        assert said["previous_cursor"] is None
    else:
        back = list(walk(queryset, said["previous_cursor"], "previous_cursor", per_page))
        assert back == slices[-2::-1]
