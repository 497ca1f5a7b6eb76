"""Entering, changing and removing parts."""

from decimal import Decimal

import pytest

from autoful.actor import COMMAND
from inventory import stock
from inventory.errors import PartHasHistory, PartNotFound, PartNumberTaken
from inventory.models import Part, StockMovement
from inventory.parts import change_part, delete_part, enter_part
from inventory.tests.factories import PartFactory
from tests.soundness import faults, refused

pytestmark = pytest.mark.django_db


def test_enter_part() -> None:
    fields = {
        "part_name": "Brake pads",
        "part_number": "BP-1",
        "category": "Brakes",
        "price": Decimal("45.995"),
        "cost": Decimal("20.004"),
        "reorder_point": 3,
        "location": "A4",
    }
    entered = enter_part(fields=fields, quantity_in_stock=7, actor=COMMAND)
    part = Part.objects.get()
    assert entered == part
    assert (part.price, part.cost) == (Decimal("46.00"), Decimal("20.00"))
    rest = fields | {"price": part.price, "cost": part.cost, "quantity_in_stock": 7}
    assert {name: getattr(part, name) for name in rest} == rest
    movement = StockMovement.objects.get()
    assert (movement.reason, movement.change, movement.balance) == ("opening", 7, 7)


def test_enter_part_with_nothing_in_stock() -> None:
    fields = {"part_name": "Brake pads", "price": Decimal(1)}
    part = enter_part(fields=fields, quantity_in_stock=0, actor=COMMAND)
    assert (part.quantity_in_stock, part.reorder_point, part.cost) == (0, 5, None)
    assert not StockMovement.objects.exists()
    assert faults() == []


def test_fields_that_are_not_a_parts_own_to_write_are_left() -> None:
    fields = {"part_name": "Pads", "price": Decimal(1), "quantity_in_stock": 99, "version": 99}
    part = enter_part(fields=fields, quantity_in_stock=1, actor=COMMAND)
    assert part.quantity_in_stock == 1
    change_part(part=part, fields={"quantity_in_stock": 99}, actor=COMMAND)
    assert Part.objects.get().quantity_in_stock == 1
    assert faults() == []


def test_a_part_number_is_one_parts_to_the_letter() -> None:
    PartFactory.create(part_number="Widget-1")
    other = PartFactory.create(part_number="widget-1")
    assert PartFactory.create(part_number="Wídget-1").part_number == "Wídget-1"
    fields = {"part_name": "x", "price": Decimal(1), "part_number": "Widget-1"}
    with refused(
        PartNumberTaken, fields={"part_number": ["Another part has this number already."]}
    ):
        enter_part(fields=fields, quantity_in_stock=3, actor=COMMAND)
    with refused(PartNumberTaken):
        change_part(
            part=other,
            fields={"part_number": "Widget-1", "price": Decimal(9)},
            quantity_in_stock=3,
            actor=COMMAND,
        )


def test_many_parts_have_no_number() -> None:
    for number in (None, "", None):
        PartFactory.create(part_number=number)
    assert Part.objects.filter(part_number=None).count() == 3


def test_change_part() -> None:
    part = PartFactory.create(part_name="Pads", location="A4", quantity_in_stock=10)
    version = Part.objects.get().version
    changed = change_part(part=part, fields={"price": Decimal("9.999")}, actor=COMMAND)
    found = Part.objects.get()
    assert (changed.price, found.price) == (Decimal("10.00"), Decimal("10.00"))
    assert (found.part_name, found.location, found.quantity_in_stock) == ("Pads", "A4", 10)
    assert found.version > version
    assert StockMovement.objects.count() == 1


def test_change_part_with_a_new_quantity_is_an_adjustment() -> None:
    part = PartFactory.create(quantity_in_stock=10)
    changed = change_part(
        part=part, fields={"location": "B1"}, quantity_in_stock=4, note="counted", actor=COMMAND
    )
    assert (changed.location, changed.quantity_in_stock) == ("B1", 4)
    movement = StockMovement.objects.get(reason="adjusted")
    assert (movement.change, movement.balance, movement.note) == (-6, 4, "counted")
    assert faults() == []


def test_change_part_that_is_not_there() -> None:
    with refused(PartNotFound):
        change_part(part=Part(pk=9), fields={"location": "B1"}, quantity_in_stock=4, actor=COMMAND)


def test_delete_part_goes_with_its_ledger() -> None:
    part = PartFactory.create(quantity_in_stock=10)
    stock.receive(part=part, quantity=1, actor=COMMAND)
    stock.set_quantity(part=part, quantity=3, actor=COMMAND)
    delete_part(part=part, actor=COMMAND)
    assert not Part.objects.exists()
    assert not StockMovement.objects.exists()
    with refused(PartNotFound):
        delete_part(part=part, actor=COMMAND)


def test_a_part_that_was_ever_used_stays() -> None:
    part = PartFactory.create(part_name="Pads")
    stock.take(part_id=part.pk, quantity=1, reference="ticket-1", actor=COMMAND)
    stock.put_back(part_id=part.pk, quantity=1, reference="ticket-1", actor=COMMAND)
    with refused(PartHasHistory, part="Pads") as raised:
        delete_part(part=part, actor=COMMAND)
    assert "suggestion" in raised.value.facts
