"""Of 100,000 parts a page is read by an index: what an ordering has one for is never sorted."""

import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from autoful.api.cursors import REST, Cursor, Order, order_of
from inventory.models import Part

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 100_000
INDEXED = ["id", "part_name", "quantity_in_stock"]
SORTS = re.compile("filesort|temporary|TEMP B-TREE", re.IGNORECASE)


@pytest.fixture
def parts() -> None:
    """Twenty of each name, two hundred and fifty of each stock."""
    now = "'2026-01-01 00:00:00'"
    digits = "(SELECT 0 AS n" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
    tables = ", ".join(f"{digits} {name}" for name in "abcde")
    numbers = f"(SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS n FROM {tables}) numbers"
    table = Part._meta.db_table
    # From one to the next they jump about, as they do in a shop.
    mixed = "(n * 7919) % 5000"
    mysql = connection.vendor == "mysql"
    name = f"CONCAT('Part ', {mixed})" if mysql else f"'Part ' || ({mixed})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (version, created_at, updated_at, part_name, category, price,"
            f" cost, quantity_in_stock, reorder_point, location) SELECT 0, {now}, {now},"
            f" {name}, 'Brakes', 1 + n % 90, NULL, (n * 13) % 400, 5, '' FROM {numbers}"
        )
        cursor.execute(f"ANALYZE {'TABLE ' if mysql else ''}{table}")
    assert Part.objects.count() == ROWS


def plan(queryset: QuerySet[Any]) -> str:
    sql, parameters = queryset.query.sql_with_params()
    explain = "EXPLAIN QUERY PLAN"
    if connection.vendor == "mysql":
        # MySQL 9 draws a tree unless told not to, and MariaDB knows no other form.
        mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]
        explain = "EXPLAIN" if mariadb else "EXPLAIN FORMAT=TRADITIONAL"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "; ".join(str(row) for row in cursor.fetchall())


def in_the_middle(queryset: QuerySet[Any], order: Order) -> tuple[Any, ...]:
    names = [column.name for column in order.columns[:-1]]
    return order.values_of(order.applied_to(queryset).values("pk", *names)[ROWS // 2])


def test_an_ordering_with_an_index_is_never_sorted(parts: None) -> None:
    wrong = []
    for name in INDEXED:
        for ordering in ([name, "id"], [f"-{name}", "-id"]):
            queryset = Part.objects.order_by(*ordering)
            order = order_of(queryset)
            keys = queryset.values("pk", *(column.name for column in order.columns[:-1]))
            place = in_the_middle(queryset, order)
            plans = {side: plan(Cursor(side, place).narrowed(keys, order)[:11]) for side in REST}
            ranges = {
                side: text
                for side, text in plans.items()
                if not ("'range'" in text or "SEARCH" in text)
            }
            wrong += [(ordering, side, "all are looked at", text) for side, text in ranges.items()]
            for end in (order, order.turned_round()):
                plans[str(end)] = plan(end.applied_to(keys)[:10])
            for what, text in plans.items():
                if SORTS.search(text) or "'ALL'" in text:
                    wrong.append((ordering, what, "sorted", text))
    assert not wrong, "\n".join(map(str, wrong))

    # The control: what has no index is sorted, and this test would see it.
    queryset = Part.objects.order_by("price", "id")
    order = order_of(queryset)
    cursor = Cursor(">", in_the_middle(queryset, order))
    assert SORTS.search(plan(cursor.narrowed(queryset.values("pk", "price"), order)[:11]))
