"""A statement that is written once does what the queryset does, and refuses what it cannot make."""

from typing import Any

import pytest
from django.db import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import CharField, F, Model, Value
from django.db.transaction import TransactionManagementError

from autoful import written_once
from autoful.accounts.models import User
from autoful.inserts import Insert, _taken_as_they_are
from autoful.models import Tally
from autoful.prepared import Move, Prepared, ask
from autoful.testing.queries import Statements
from customers.models import Customer
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


def test_a_text_stands_where_one_is_sought_whatever_is_in_it() -> None:
    texts = ["100%", "a_b", "a\\b", "a'b", 'a"b', "%s", "%%", "", "Ölfilter", "1700000001"]
    for text in [*texts, "axb", "plain"]:
        PartFactory.create(part_name=f"<{text}>")

    def named(text: str, number: int) -> Any:
        return Part.objects.filter(part_name__icontains=text).order_by("id").values("pk")[:number]

    prepared = Prepared(named, 2)
    for text in [*texts, "AXB", "ölf", "%", "_", "\\"]:
        assert prepared.rows(text, 100) == list(named(text, 100)), text
    assert len(prepared.rows("a_b", 100)) == len(prepared.rows("%s", 100)) == 1


@pytest.mark.parametrize("how", ["istartswith", "iexact", "iendswith"])
def test_a_text_sought_in_another_way_is_refused(how: str) -> None:
    prepared = Prepared(lambda text: Part.objects.filter(**{f"part_name__{how}": text}))
    with pytest.raises(TypeError):
        prepared.rows("brake")


def test_a_model_with_a_way_of_its_own_is_made_that_way(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanic = MechanicFactory.create()
    made: list[str] = []

    @classmethod  # type: ignore[misc]
    def from_db(cls: type[Model], db: str, names: Any, values: Any) -> Any:
        made.append(cls.__name__)
        return Model.from_db.__func__(cls, db, names, values)  # type: ignore[attr-defined]

    monkeypatch.setattr(Mechanic, "from_db", from_db, raising=False)
    monkeypatch.setattr(User, "from_db", from_db, raising=False)
    prepared = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    assert prepared.first(mechanic.pk).user == mechanic.user
    assert made == ["Mechanic", "User"]


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
    rows = statement.told.__self__  # type: ignore[attr-defined]
    assert rows.converted
    for _, converter, expression in rows.converted:
        whose = getattr(converter, "__self__", expression)
        assert not isinstance(whose, BaseDatabaseOperations)
        assert not hasattr(whose, "connection")


def test_a_text_is_the_drivers_whatever_is_in_it() -> None:
    names = ["'; DROP TABLE inventory_part; --", "100%", "%s %d", "1700000000", "Ångström \\"]
    made = {name: PartFactory.create(part_name=name) for name in names}
    prepared = Prepared(lambda name, least: Part.objects.filter(part_name=name, pk__gte=least), 2)
    for name, part in made.items():
        assert prepared.rows(name, part.pk) == [part]
        assert prepared.rows(name, part.pk + 1) == []
    assert prepared.rows("nothing of the kind", 0) == []


# --- Writing ---

STOCK = F("quantity_in_stock")
TAKE = Move(
    lambda part, number: Part.objects.filter(pk=part, quantity_in_stock__gte=number),
    lambda _part, number: {"quantity_in_stock": STOCK - number},
    2,
)
LEFT = Prepared(lambda part: Part.objects.filter(pk=part).values_list("quantity_in_stock"))


def test_a_move_says_how_many_it_found_and_what_comes_after_sees_it() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    other = PartFactory.create(quantity_in_stock=5)
    asked = [LEFT.asked(part.pk), TAKE.asked(part.pk, 3), LEFT.asked(part.pk)]
    with Statements(connection) as statements:
        assert ask(asked) == [[[5]], 1, [[2]]]
    assert statements.trips == (1 if connection.vendor == "mysql" else 3)
    assert ask([TAKE.asked(part.pk, 3), LEFT.asked(part.pk)]) == [0, [[2]]]
    assert LEFT.rows(other.pk) == [[5]]


def test_a_move_that_changes_nothing_has_found_its_row() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    assert ask([TAKE.asked(part.pk, 0)]) == [1]


def test_rows_are_inserted_as_they_are() -> None:
    odd = ["'; DELETE FROM autoful_tally; --", "100%s", "naïve \\ ☂"]
    insert = Insert(Tally)
    assert [field.name for field in insert.fields] == ["name", "slot", "total"]
    rows = [[name, slot, -slot] for slot, name in enumerate(odd)]
    assert ask([insert.asked(rows), insert.asked([["last", 0, 1 << 40]])]) == [3, 1]
    found = Tally.objects.filter(name__in=[*odd, "last"]).order_by("pk")
    assert [[t.name, t.slot, t.total] for t in found] == [*rows, ["last", 0, 1 << 40]]


def test_what_the_database_is_to_make_it_makes() -> None:
    made = Customer.objects.create(name="Ann", ticket_count=Value(3) + Value(1))
    assert Customer.objects.get(pk=made.pk).ticket_count == 4
    with pytest.raises(TypeError):
        written_once.leave(Tally(name="left", slot=0, total=Value(1)))


def test_who_goes_on_after_one_that_failed_is_stopped() -> None:
    insert = Insert(Tally)
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            ask([insert.asked([["twice", 0, 1]]), insert.asked([["twice", 0, 2]])])
        with pytest.raises(TransactionManagementError):
            Tally.objects.create(name="half", slot=0, total=0)
        transaction.set_rollback(True)
    assert not Tally.objects.filter(name__in=("twice", "half")).exists()


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


def test_a_field_that_makes_its_own_of_a_text_is_asked() -> None:
    class Trimmed(CharField):
        def get_prep_value(self, value: Any) -> Any:
            return value.strip()

    assert _taken_as_they_are(CharField()) == (str, type(None))
    assert _taken_as_they_are(Trimmed()) == ()
