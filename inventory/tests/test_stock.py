"""Stock moves, each with its line in the ledger."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role
from inventory import stock
from inventory.errors import InsufficientStock, PartNotFound, StockTooLarge
from inventory.models import LARGEST_QUANTITY, Part, StockMovement
from inventory.tests.factories import PartFactory
from tests.soundness import faults, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def pads() -> Part:
    return PartFactory.create(part_name="Brake pads", quantity_in_stock=10)


@pytest.fixture
def mechanic() -> Actor:
    return Actor(Role.MECHANIC, UserFactory.create(), 7)


def ledger(part: Part) -> list[tuple[Any, ...]]:
    rows = part.movements.order_by("id")
    return list(rows.values_list("reason", "change", "balance", "reference", "note"))


OPENING = ("opening", 10, 10, "", "")


def test_take(pads: Part, mechanic: Actor) -> None:
    part = stock.take(part_id=pads.pk, quantity=4, reference="ticket-9", actor=mechanic)
    assert part.quantity_in_stock == 6
    assert ledger(pads) == [OPENING, ("used", -4, 6, "ticket-9", "")]
    movement = StockMovement.objects.get(reason="used")
    assert (movement.actor, movement.role) == (mechanic.user, "mechanic")
    assert faults() == [f"('ticket-9', {pads.pk}): 4 taken from stock, 0 on the ticket"]


def test_take_all_there_is(pads: Part) -> None:
    assert stock.take(part_id=pads.pk, quantity=10, reference="", actor=COMMAND).pk == pads.pk
    assert Part.objects.get().quantity_in_stock == 0


def test_take_more_than_there_is(pads: Part) -> None:
    facts = {"part": "Brake pads", "requested": 11, "available": 10}
    with refused(InsufficientStock, **facts) as raised:
        stock.take(part_id=pads.pk, quantity=11, reference="", actor=COMMAND)
    assert raised.value.message == "Not enough stock of Brake pads: 11 asked for, 10 available."


def test_put_back(pads: Part) -> None:
    stock.take(part_id=pads.pk, quantity=4, reference="ticket-9", actor=COMMAND)
    part = stock.put_back(part_id=pads.pk, quantity=4, reference="ticket-9", actor=COMMAND)
    assert part.quantity_in_stock == 10
    assert ledger(pads)[2:] == [("returned", 4, 10, "ticket-9", "")]
    assert faults() == []


def test_receive(pads: Part) -> None:
    part = stock.receive(part=pads, quantity=5, note="invoice 12", actor=COMMAND)
    assert part.quantity_in_stock == 15
    assert ledger(pads)[1:] == [("received", 5, 15, "", "invoice 12")]
    assert StockMovement.objects.get(reason="received").role == "command"
    assert faults() == []


@pytest.mark.parametrize(("counted", "change"), [(3, -7), (12, 2), (0, -10)])
def test_set_quantity(counted: int, change: int, pads: Part) -> None:
    part = stock.set_quantity(part=pads, quantity=counted, note="counted", actor=COMMAND)
    assert part.quantity_in_stock == counted
    assert ledger(pads)[1:] == [("adjusted", change, counted, "", "counted")]
    assert faults() == []


def test_set_quantity_to_what_is_there_writes_no_ledger(pads: Part) -> None:
    stock.set_quantity(part=pads, quantity=10, actor=COMMAND)
    assert ledger(pads) == [OPENING]


def test_the_instance_handed_over_is_a_name_and_not_a_fact(pads: Part) -> None:
    pads.quantity_in_stock, pads.part_name = 999, "not saved"
    assert stock.set_quantity(part=pads, quantity=999, actor=COMMAND).part_name == "Brake pads"
    assert ledger(pads)[1:] == [("adjusted", 989, 999, "", "")]


def test_every_move_raises_the_version(pads: Part) -> None:
    versions = [Part.objects.get().version]
    for move in (stock.take, stock.put_back):
        move(part_id=pads.pk, quantity=1, reference="", actor=COMMAND)
        versions.append(Part.objects.get().version)
    stock.receive(part=pads, quantity=1, actor=COMMAND)
    versions.append(Part.objects.get().version)
    stock.set_quantity(part=pads, quantity=1, actor=COMMAND)
    versions.append(Part.objects.get().version)
    assert versions == sorted(set(versions))


def test_no_more_than_can_be_counted(pads: Part) -> None:
    room = LARGEST_QUANTITY - 10
    for move in (
        lambda: stock.receive(part=pads, quantity=room + 1, actor=COMMAND),
        lambda: stock.put_back(part_id=pads.pk, quantity=room + 1, reference="", actor=COMMAND),
    ):
        with refused(StockTooLarge, part="Brake pads", largest=LARGEST_QUANTITY):
            move()
    assert stock.receive(part=pads, quantity=room, actor=COMMAND).quantity_in_stock == 1_000_000


def test_a_part_that_is_not_there() -> None:
    gone = Part(pk=999_999)
    for move in (
        lambda: stock.take(part_id=gone.pk, quantity=1, reference="", actor=COMMAND),
        lambda: stock.put_back(part_id=gone.pk, quantity=1, reference="", actor=COMMAND),
        lambda: stock.receive(part=gone, quantity=1, actor=COMMAND),
        lambda: stock.set_quantity(part=gone, quantity=1, actor=COMMAND),
    ):
        with refused(PartNotFound):
            move()


def test_the_database_itself_refuses_negative_stock(pads: Part) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        pads.quantity_in_stock = -1
        pads.save()


def test_the_ledger_is_written_once(pads: Part) -> None:
    movement = pads.movements.get()
    movement.change = 99
    with pytest.raises(TypeError):
        movement.save()
    with pytest.raises(TypeError):
        movement.delete()
    assert ledger(pads) == [OPENING]
