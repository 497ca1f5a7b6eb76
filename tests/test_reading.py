"""Rows as read by SQL are what DRF's own fields make of the model instances, shape by shape."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.urls import get_resolver
from django.utils import timezone
from rest_framework import serializers

from autoful.actor import COMMAND
from autoful.api import reading
from autoful.api.reading import Shape
from autoful.api.renderers import JSONRenderer
from autoful.testing.queries import Statements
from customers import registration as customer_desk
from customers.models import Customer
from customers.serializers import MOST_NESTED_TICKETS, CustomerDetailSerializer
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics import registration as mechanic_desk
from mechanics.models import Mechanic
from mechanics.serializers import ColleagueSerializer, MechanicDetailSerializer
from mechanics.tests.factories import MechanicFactory
from tests.shapes import SHAPES, most, reference, viewsets
from tickets.models import Assignment, ServiceTicket
from tickets.serializers import PublicTicketSerializer, ShopTicketSerializer
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Numbers = dict[type[models.Model], list[int]]


def model(shape: Shape) -> type[models.Model]:
    found: type[models.Model] = shape.Meta.model  # type: ignore[attr-defined]
    return found


def compare(shape: Shape, numbers: list[int]) -> None:
    expected, read = reference(shape, numbers), reading.read(shape, numbers)
    assert read == expected
    # Dicts are equal in any order, and 1 is True: what goes out is bytes.
    assert JSONRenderer().render(read) == JSONRenderer().render(expected)
    for number in numbers:
        assert list(read[number]) == list(expected[number])


# --- The rows -------------------------------------------------------------------------------------


@pytest.fixture
def numbers() -> Numbers:
    """Of each model rows that have everything and rows that have nothing, by their numbers."""
    bare = MechanicFactory.create(user=None, salary=None, phone="", approved=False)
    gone = MechanicFactory.create(name="Otto von Gone")
    team = [gone, MechanicFactory.create(name="Ömer Ünal"), MechanicFactory.create(name="Cher")]
    full_part = PartFactory.create(
        part_number="BP-1", category="Brakes", location="A 1", price=Decimal("0.10")
    )
    bare_part = PartFactory.create(cost=None, price=Decimal("1000.00"), quantity_in_stock=4)
    full, bare_customer = CustomerFactory.create(), CustomerFactory.create(user=None, phone="")
    Customer.objects.filter(pk=bare_customer.pk).update(email="")
    closed = CustomerFactory.create()
    done = ServiceTicketFactory.create(
        customer=full,
        # Neither the mechanics nor the parts in the order of their numbers.
        mechanics=team[::-1],
        parts=[(bare_part, 2), (full_part, 1)],
        status="completed",
        notes="Käufer wartet\n<b>", mileage=123_456,
    )  # fmt: skip
    nothing = ServiceTicketFactory.create(customer=bare_customer)
    ServiceTicketFactory.create(customer=full)
    of_a_closed_one = ServiceTicketFactory.create(customer=closed, status="cancelled")
    mechanic_desk.close_mechanic(mechanic=gone, actor=COMMAND)
    customer_desk.close_customer(customer=closed, actor=COMMAND)
    assert done.completed_at is not None
    return {
        ServiceTicket: [done.pk, nothing.pk, of_a_closed_one.pk],
        Customer: [full.pk, bare_customer.pk, closed.pk],
        Mechanic: [bare.pk, *(mechanic.pk for mechanic in team)],
        Part: [bare_part.pk, full_part.pk],
    }


def test_the_shapes_are_those_of_all_views() -> None:
    assert len(SHAPES) > 10
    assert {model(shape) for shape in SHAPES} == {ServiceTicket, Customer, Mechanic, Part}
    for view in set(viewsets(get_resolver().url_patterns)):
        assert view.public_serializer_class in SHAPES


def test_a_shape_is_what_drf_makes_of_the_instances(numbers: Numbers) -> None:
    for shape in SHAPES:
        theirs = numbers[model(shape)]
        # Of one row as well: that is another statement, and the only one of what shows the newest.
        every = [] if most(shape) else [theirs, theirs[::-1]]
        for some in [[number] for number in theirs] + every:
            compare(shape, some)


def test_the_rows_have_everything_and_nothing(
    numbers: Numbers,
) -> None:
    """Otherwise equal would say little."""
    done, nothing, _ = reading.read(ShopTicketSerializer, numbers[ServiceTicket]).values()
    assert [name for name, value in done.items() if value in (None, "", [])] == []
    assert done["mechanics"][-1]["email"] is None  # who left has no account
    empty = [name for name, value in nothing.items() if value in (None, "", [])]
    assert empty == ["mechanics", "service_inventories", "notes", "mileage", "completed_at"]
    assert nothing["customer"]["email"] is nothing["customer"]["phone"] is None


def test_times_are_the_shops(numbers: Numbers) -> None:
    for zone in ("Asia/Kolkata", "America/St_Johns"):
        with timezone.override(zone):
            compare(ShopTicketSerializer, numbers[ServiceTicket])


def test_one_query_and_one_for_each_many(numbers: Numbers) -> None:
    for shape in SHAPES:
        many = sum(
            isinstance(field, serializers.ListSerializer | serializers.ManyRelatedField)
            for field in shape().fields.values()
        )
        for rows in (1,) if most(shape) else (1, 2, 3):
            with Statements(connection) as queries:
                reading.read(shape, numbers[model(shape)][:rows])
            assert len(queries) == 1 + many, shape


# --- The newest of many ---------------------------------------------------------------------------


def many_tickets(ticket: ServiceTicket, count: int) -> list[ServiceTicket]:
    return ServiceTicket.objects.bulk_create(
        ServiceTicket(
            customer=ticket.customer,
            vehicle=ticket.vehicle,
            vin=ticket.vin,
            service_desc=f"Visit {number}",
            service_date=ticket.service_date + timedelta(days=number % 7),
        )
        for number in range(count)
    )


def test_the_newest_tickets_are_shown_newest_first() -> None:
    ticket, mechanic = ServiceTicketFactory.create(), MechanicFactory.create()
    many_tickets(ticket, MOST_NESTED_TICKETS + 20)
    tickets = list(ServiceTicket.objects.order_by("id"))
    # Put on the old ones last: the newest tickets are not those that came last to the team.
    Assignment.objects.bulk_create(Assignment(ticket=t, mechanic=mechanic) for t in tickets[::-1])
    for shape, number in (
        (CustomerDetailSerializer, ticket.customer_id),
        (MechanicDetailSerializer, mechanic.pk),
    ):
        compare(shape, [number])
        nested = reading.read(shape, [number])[number]["service_tickets"]
        newest = [ticket.pk for ticket in tickets[: -MOST_NESTED_TICKETS - 1 : -1]]
        assert [row["id"] for row in nested] == newest


# --- Who is not there, and what is refused --------------------------------------------------------


def test_a_row_that_is_not_there_is_left_out(numbers: Numbers) -> None:
    for shape in SHAPES:
        there, beyond = numbers[model(shape)][0], max(numbers[model(shape)]) + 1_000
        assert reading.read(shape, [beyond]) == {}
        with Statements(connection) as queries:
            assert reading.read(shape, []) == {}
        assert not len(queries)
        if not most(shape):
            assert list(reading.read(shape, [beyond, there])) == [there]


def test_the_newest_of_several_rows_is_refused(
    numbers: Numbers,
) -> None:
    for shape in (CustomerDetailSerializer, MechanicDetailSerializer):
        with pytest.raises(TypeError, match="newest 100 can be read of one row only"):
            reading.read(shape, numbers[model(shape)][:2])


class Computed(serializers.ModelSerializer[Mechanic]):
    wage = serializers.SerializerMethodField()

    class Meta:
        model = Mechanic
        fields = ("id", "wage")

    def get_wage(self, mechanic: Mechanic) -> str:
        return f"{mechanic.salary} a year"


class Whole(serializers.ModelSerializer[Mechanic]):
    everything = serializers.CharField(source="*")

    class Meta:
        model = Mechanic
        fields = ("id", "everything")


class ManyInside(serializers.ModelSerializer[Assignment]):
    ticket = PublicTicketSerializer()

    class Meta:
        model = Assignment
        fields = ("id", "ticket")


class ManyInMany(serializers.ModelSerializer[ServiceTicket]):
    assignments = ManyInside(many=True)

    class Meta:
        model = ServiceTicket
        fields = ("id", "assignments")


@pytest.mark.parametrize("shape", [Computed, Whole, ManyInside, ManyInMany])
def test_what_cannot_be_read_from_columns_is_refused(shape: Shape) -> None:
    with pytest.raises(TypeError):
        reading.read(shape, [1])


class WithSecret(ColleagueSerializer):
    password = serializers.CharField(source="user.password", write_only=True)

    class Meta(ColleagueSerializer.Meta):
        fields = (*ColleagueSerializer.Meta.fields, "password")


def test_what_is_only_written_is_not_shown() -> None:
    mechanic = MechanicFactory.create()
    with Statements(connection) as queries:
        assert "password" not in reading.read(WithSecret, [mechanic.pk])[mechanic.pk]
    assert "password" not in queries[0]["sql"]
    compare(WithSecret, [mechanic.pk])


# --- The control ----------------------------------------------------------------------------------


def test_control_two_columns_that_change_places_are_seen(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = reading._Select.shown

    def swapped(self: Any, rows: list[list[Any]]) -> list[list[Any]]:
        return [[key, *rest[1::-1], *rest[2:]] for key, *rest in original(self, rows)]

    monkeypatch.setattr(reading._Select, "shown", swapped)
    for shape in SHAPES:
        with pytest.raises(AssertionError):
            compare(shape, numbers[model(shape)][:1])


@pytest.mark.parametrize("shape", [MechanicDetailSerializer, CustomerDetailSerializer])
def test_control_the_oldest_in_place_of_the_newest_are_seen(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, mechanic = ServiceTicketFactory.create(), MechanicFactory.create()
    many_tickets(ticket, 3)
    Assignment.objects.bulk_create(
        Assignment(ticket=t, mechanic=mechanic) for t in ServiceTicket.objects.all()
    )
    original = reading._Select.shown
    monkeypatch.setattr(reading._Select, "shown", lambda *asked: original(*asked)[::-1])
    with pytest.raises(AssertionError):
        number = mechanic.pk if shape is MechanicDetailSerializer else ticket.customer_id
        compare(shape, [number])
