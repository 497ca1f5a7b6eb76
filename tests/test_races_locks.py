"""The races that the verbs' remaining locks and their order end.

As in test_races.py, each stands beside a control in which it really happens.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.db.models import F, QuerySet

from autoful import audit, db
from autoful.actor import COMMAND
from autoful.errors import Busy
from autoful.mysql import SEPARATOR
from autoful.testing.rivals import (
    kinds,
    many_connections,
    on_mysql,
    outcome,
    rival_after,
    rival_before,
    unclean,
    unhindered,
    unlocked,
    unprotected,
)
from customers import registration as customer_desk
from customers import vehicles
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from inventory import parts as part_shelf
from inventory import stock
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.soundness import faults
from tickets import inlines, lifecycle
from tickets import parts as ticket_parts
from tickets.errors import TicketNotFound
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


# --- Which lock of a part comes first --------------------------------------------------------------


def indexes_of_updates(move: Callable[[], Any]) -> set[str]:
    """By which index the database finds the parts that the move updates."""
    updates: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        update, *_ = sql.split(SEPARATOR)
        if update.startswith("UPDATE `inventory_part`"):
            updates.append((update, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        move()
    found = set()
    for sql, params in updates:
        with connection.cursor() as cursor:
            # MySQL 9 draws a tree otherwise; MariaDB knows no other table than this one.
            shape = "" if connection.mysql_is_mariadb else "FORMAT=TRADITIONAL"
            cursor.execute(f"EXPLAIN {shape} {sql}", params)
            columns = [column[0] for column in cursor.description]
            found |= {dict(zip(columns, row, strict=True))["key"] for row in cursor.fetchall()}
    return found


def moving() -> list[Callable[[], Any]]:
    part = PartFactory.create(quantity_in_stock=10)
    return [
        partial(stock.take, part_id=part.pk, quantity=1, reference="", actor=COMMAND),
        partial(stock.receive, part=part, quantity=1, actor=COMMAND),
        partial(stock.set_quantity, part=part, quantity=5, actor=COMMAND),
    ]


@on_mysql
def test_everybody_begins_with_the_parts_row() -> None:
    """Also in a shop that has just begun, where every index looks as good as the other."""
    for move in moving():
        assert indexes_of_updates(move) == {"PRIMARY"}


@on_mysql
def test_control_asked_by_the_stock_itself_it_is_another_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not connection.mysql_is_mariadb:
        pytest.skip("MySQL takes the row's own index all the same")
    monkeypatch.setattr(stock, "IN_STOCK", F("quantity_in_stock"))
    for move in (stock.TAKE, stock.ADD):
        monkeypatch.setattr(move, "_statements", {})  # written anew, and afterwards again
    assert "part_stock" in set().union(*map(indexes_of_updates, moving()[:2]))


# --- A part that is changed and removed -----------------------------------------------------------


def change_part_while_deleting() -> list[Any]:
    """The rival comes when the part was found there."""
    part = PartFactory.create()
    delete = partial(part_shelf.delete_part, part=part, actor=COMMAND)
    change = partial(part_shelf.change_part, part=part, fields={"location": "B2"}, actor=COMMAND)
    with rival_before(part_shelf, "_write", delete) as rival:
        mine = outcome(change)
    return [mine, rival.outcome()]


def test_a_part_is_changed_before_it_is_gone() -> None:
    assert kinds(change_part_while_deleting()) == [2]
    assert not Part.objects.exists()


def test_control_without_the_lock_a_part_is_gone_before_it_is_changed() -> None:
    with unprotected(part_shelf):
        assert unclean(change_part_while_deleting()) != []


# --- What becomes a customer's --------------------------------------------------------------------


def closing(customer: Customer) -> Any:
    return partial(customer_desk.close_customer, customer=customer, actor=COMMAND)


def edit_while_closing() -> list[Any]:
    """The rival comes when the customer was found there; the VIN is a new one."""
    ticket = ServiceTicketFactory.create()
    edit = partial(lifecycle.edit_ticket, fields={"vin": valid_vin(7)}, actor=COMMAND)
    with rival_before(lifecycle, "vehicle_for", closing(ticket.customer)) as rival:
        mine = outcome(partial(edit, ticket=ticket))
    return [mine, rival.outcome()]


def test_an_edited_ticket_leaves_a_closing_customer_no_vehicle() -> None:
    assert kinds(edit_while_closing()) == [2]
    assert faults() == []


def test_control_without_the_lock_its_vehicle_becomes_a_closed_customers() -> None:
    with unlocked(lifecycle, Customer):
        assert kinds(edit_while_closing()) == [2]
    assert faults() != []


def new_vehicle() -> Vehicle:
    return VehicleFactory.build(customer=None)


def sold_vehicle() -> Vehicle:
    return VehicleFactory.create()


new_and_sold = pytest.mark.parametrize("made", [new_vehicle, sold_vehicle])


def save_while_closing(made: Callable[[], Vehicle]) -> list[Any]:
    """The rival comes when the owner to be was found there."""
    vehicle = made()
    vehicle.customer = owner = CustomerFactory.create()
    save = partial(vehicles.save_vehicle, vehicle=vehicle, changed=["customer"], actor=COMMAND)
    with rival_after(vehicles, "lock", closing(owner)) as rival:
        mine = outcome(save)
    return [mine, rival.outcome()]


@new_and_sold
def test_a_closing_customer_keeps_no_vehicle(made: Callable[[], Vehicle]) -> None:
    assert kinds(save_while_closing(made)) == [2]
    assert Vehicle.objects.get().customer is None
    assert faults() == []


@new_and_sold
def test_control_without_the_lock_a_closed_one_gets_it(made: Callable[[], Vehicle]) -> None:
    with unlocked(vehicles, Customer):
        assert kinds(save_while_closing(made)) == [2]
    assert faults() != []


# --- A vehicle's audit trail ----------------------------------------------------------------------


def repaint_twice() -> list[list[str]]:
    """The rival comes when the old colour was read and recorded; what the entries say.
    Nobody owns the car, or its owner's lock would do."""
    vehicle = VehicleFactory.create(customer=None, colour="red")

    def paint(colour: str) -> Any:
        painted = Vehicle.objects.get(pk=vehicle.pk)
        painted.colour = colour
        return vehicles.save_vehicle(vehicle=painted, changed=["colour"], actor=COMMAND)

    with rival_after(audit.Trail, "log_create", partial(paint, "blue")) as rival:
        mine = outcome(partial(paint, "green"))
    assert kinds([mine, rival.outcome()]) == [2]
    entries = LogEntry.objects.get_for_object(vehicle).filter(action=LogEntry.Action.UPDATE)
    return [entry.changes["colour"] for entry in entries.order_by("id")]


def test_each_entry_about_a_vehicle_goes_on_where_the_last_one_ended() -> None:
    assert repaint_twice() == [["red", "green"], ["green", "blue"]]
    assert Vehicle.objects.get().colour == "blue"


@on_mysql
def test_control_without_the_lock_the_entries_contradict_the_vehicle() -> None:
    with unlocked(vehicles, Vehicle):
        assert repaint_twice() == [["red", "blue"], ["red", "green"]]
    assert Vehicle.objects.get().colour == "green"


# --- The order in which parts are locked ----------------------------------------------------------


def two_parts() -> list[Part]:
    return [PartFactory.create(), PartFactory.create()]


def cancellations_meet() -> list[Any]:
    """The rival comes when the first of two shared parts is back; nobody tries twice."""
    parts = two_parts()
    one = ServiceTicketFactory.create(parts=[(part, 1) for part in parts])
    two = ServiceTicketFactory.create(parts=[(part, 1) for part in reversed(parts)])
    cancel = partial(lifecycle.transition, to=ServiceTicket.Status.CANCELLED, actor=COMMAND)
    with (
        patch.object(db, "RETRIES", 0),
        rival_after(stock, "put_back", partial(cancel, ticket=two)) as rival,
    ):
        return [outcome(partial(cancel, ticket=one)), rival.outcome()]


def test_two_cancellations_return_their_parts_in_one_order() -> None:
    assert kinds(cancellations_meet()) == [2]
    assert faults() == []


@on_mysql
def test_control_in_the_lines_order_one_cancellation_is_the_deadlocks_victim() -> None:
    order_by = QuerySet.order_by

    def by_line(rows: QuerySet[Any], *fields: str) -> QuerySet[Any]:
        return order_by(rows, *("id" if field == "part_id" else field for field in fields))

    with unhindered(), patch.object(QuerySet, "order_by", by_line):
        assert kinds(cancellations_meet(), Busy) == [1, 1]


def add_while_deleting_several(delete: Callable[[list[ServiceTicket]], None]) -> list[Any]:
    """The rival puts the part of the first ticket on the second, and comes when the first is
    locked; nobody tries twice."""
    part = PartFactory.create()
    tickets = [ServiceTicketFactory.create(parts=[(part, 1)]) for _ in range(2)]
    add = partial(ticket_parts.add_part, part_id=part.pk, quantity=1, actor=COMMAND)
    with (
        patch.object(db, "RETRIES", 0),
        rival_after(stock, "put_back", partial(add, ticket=tickets[1])) as rival,
    ):
        return [outcome(partial(delete, tickets)), rival.outcome()]


def test_several_tickets_are_locked_before_their_parts() -> None:
    def together(tickets: list[ServiceTicket]) -> None:
        lifecycle.delete_tickets(ticket_ids=[t.pk for t in tickets], actor=COMMAND)

    assert kinds(add_while_deleting_several(together), TicketNotFound) == [1, 1]
    assert Part.objects.get().quantity_in_stock == 50
    assert faults() == []


@on_mysql
def test_control_one_after_the_other_somebody_is_the_deadlocks_victim() -> None:
    @db.retrying
    def one_by_one(tickets: list[ServiceTicket]) -> None:
        for ticket in tickets:
            lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)

    with unhindered():
        assert kinds(add_while_deleting_several(one_by_one), Busy) == [1, 1]


def pages_meet() -> list[Any]:
    """Two pages of the back office put the same parts on their tickets, typed in other orders.
    The rival comes when the first part is taken; nobody tries twice."""
    parts = two_parts()

    @db.retrying
    def save(ticket: ServiceTicket, typed: list[Part]) -> None:
        lines = [{"part": part, "quantity_used": 1} for part in typed]
        added = [SimpleNamespace(cleaned_data=line, prefix="") for line in lines]
        page: Any = SimpleNamespace(added=added, corrected=[], deleted_forms=[])
        inlines.PartLineFormSet.save_by_verbs(page, ticket, COMMAND)

    one, two = ServiceTicketFactory.create(), ServiceTicketFactory.create()
    with (
        patch.object(db, "RETRIES", 0),
        rival_after(inlines, "add_part", partial(save, two, parts[::-1])) as rival,
    ):
        return [outcome(partial(save, one, parts)), rival.outcome()]


def test_two_pages_take_their_parts_in_one_order() -> None:
    assert kinds(pages_meet()) == [2]
    assert faults() == []


@on_mysql
def test_control_in_the_order_typed_one_page_is_the_deadlocks_victim() -> None:
    def as_typed(rows: list[Any], key: Any) -> list[Any]:
        return rows

    with unhindered(), patch.object(inlines, "sorted", as_typed, create=True):
        assert kinds(pages_meet(), Busy) == [1, 1]


def deliveries_meet() -> list[Any]:
    """Two deliveries bring the same parts, typed in other orders; see `pages_meet`."""
    one, two = two_parts()

    def book(parts: list[Part]) -> Any:
        lines = [(part.pk, 1) for part in parts]
        return partial(stock.receive_delivery, lines=lines, actor=COMMAND)

    with (
        patch.object(db, "RETRIES", 0),
        rival_after(stock, "_add", book([two, one])) as rival,
    ):
        return [outcome(book([one, two])), rival.outcome()]


def test_two_deliveries_take_their_parts_in_one_order() -> None:
    assert kinds(deliveries_meet()) == [2]
    assert faults() == []


@on_mysql
def test_control_in_the_order_typed_one_delivery_is_the_deadlocks_victim() -> None:
    with unhindered(), patch.object(stock, "sorted", list, create=True):
        assert kinds(deliveries_meet(), Busy) == [1, 1]
