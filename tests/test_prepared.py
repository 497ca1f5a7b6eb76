"""A SELECT that is written once gives what the queryset gives, and refuses what it cannot make."""

from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models import Value

from autoful.prepared import Prepared, ask
from autoful.testing.queries import Statements
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db


def test_instances_with_what_is_selected_along_cost_one_query() -> None:
    made = [MechanicFactory.create(), MechanicFactory.create(user=None)]
    prepared = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    for mechanic in made:
        with Statements(connection) as queries:
            found = prepared.first(mechanic.pk)
            assert found == mechanic and found.user == mechanic.user
        assert len(queries) == 1
        assert vars(found).keys() >= {field.attname for field in Mechanic._meta.concrete_fields}
        assert found.created_at == mechanic.created_at and found._state.adding is False
    assert prepared.first(made[-1].pk + 1) is None


def test_limit_offset_and_constants_keep_their_places() -> None:
    for n in range(9):
        PartFactory.create(part_name=f"100% {n}", quantity_in_stock=n)
    rows = Part.objects.filter(part_name__icontains="100%", quantity_in_stock__gte=2)

    def page(least: int, number: int, skip: int) -> Any:
        low = rows.filter(quantity_in_stock__gte=least).order_by("-quantity_in_stock", "id")
        return low.values("pk", "part_name", "price")[skip : skip + number]

    prepared = Prepared(page, 3)
    for asked in [(0, 3, 0), (4, 2, 1), (2, 100, 0), (9, 1, 0)]:
        assert prepared.rows(*asked) == list(page(*asked)), asked


def test_values_are_named_in_the_order_of_the_select() -> None:
    part = PartFactory.create(part_name="Belt")

    def named(number: int) -> Any:
        return Part.objects.annotate(said=Value("hello")).filter(pk=number).values("said", "pk")

    assert Prepared(named).rows(part.pk) == list(named(part.pk))
    listed = Part.objects.values_list("part_name", "pk")
    assert Prepared(lambda n: listed.filter(pk=n)).rows(part.pk) == [["Belt", part.pk]]


@pytest.mark.parametrize(
    "rows",
    [
        Mechanic.objects.prefetch_related("assignments"),
        Part.objects.annotate(said=Value("hello")),
        Part.objects.values_list("pk", flat=True),
    ],
    ids=["prefetched", "annotated", "flat"],
)
def test_what_it_cannot_make_is_refused(rows: Any) -> None:
    with pytest.raises(TypeError):
        Prepared(lambda number: rows.filter(pk=number)).rows(1)


def test_it_keeps_nobodys_connection() -> None:
    prepared = Prepared(lambda number: Part.objects.filter(pk=number))
    prepared.rows(1)
    (statement,) = prepared._statements.values()
    held = [getattr(expression, "connection", None) for _, expression in statement.converted]
    assert held and set(held) == {None}


# --- Together -------------------------------------------------------------------------------------


def parts() -> list[Part]:
    return [PartFactory.create(part_name=f"100% {n}", quantity_in_stock=n) for n in range(4)]


NAMED = Prepared(
    lambda least: Part.objects.filter(part_name="100% 2", quantity_in_stock__gte=least)
)
NUMBERED = Prepared(lambda one, two: Part.objects.filter(pk__in=[one, two]).order_by("-pk"), 2)
COUNTED = Prepared(lambda: Part.objects.filter(part_name__contains="0%").values_list("pk"), 0)


def test_questions_together_are_answered_each_for_itself() -> None:
    one, two, three, _ = parts()
    asked = [NAMED.asked(1), NUMBERED.asked(one.pk, two.pk), NAMED.asked(3), COUNTED.asked()]
    with Statements(connection) as statements:
        named, numbered, none, counted = ask(asked)
    assert (named, numbered, none) == ([three], [two, one], [])
    assert len(counted) == 4
    assert len(statements) == 4
    assert statements.trips == (1 if connection.vendor == "mysql" else 4)


def test_numbers_are_all_that_is_written_into_the_text() -> None:
    for odd in ("1 OR 1=1", b"1", None, [1]):
        with pytest.raises(TypeError):
            NUMBERED.rows(odd, 1)  # type: ignore[arg-type]


def test_one_that_fails_leaves_a_connection_that_works() -> None:
    [one, *_] = parts()
    wrong = Prepared(lambda number: Part.objects.filter(pk=number).values_list("pk"))
    broken = wrong.statement("default")
    broken._text = broken._text.replace("inventory_part", "no_such_table")
    for asked in (
        [NAMED.asked(1), wrong.asked(1), NUMBERED.asked(one.pk, 0)],
        [wrong.asked(1), NAMED.asked(1)],
    ):
        with pytest.raises((ProgrammingError, OperationalError)), transaction.atomic():
            ask(asked)
        assert NUMBERED.rows(one.pk, 0) == [one]
