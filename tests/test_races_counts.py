"""The races for kept counts, each beside a control in which it really happens."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection

from autoful import db, tally
from autoful.actor import COMMAND
from autoful.db import retrying
from autoful.errors import Busy, Missing
from autoful.models import Tally
from autoful.testing.rivals import (
    at_once,
    kinds,
    many_connections,
    on_mysql,
    outcome,
    rival_after,
    rival_before,
    unhindered,
    without_transactions,
)
from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory import stock
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults
from tests.test_races_people import opening
from tickets import assignment, lifecycle
from tickets.models import ServiceTicket
from tickets.parts import add_part
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def read_then_write(rows: Any, pk: int, missing: Missing, counted: str = "") -> Any:
    """The lock as one would write it who never met a second writer."""
    row = rows().get(pk=pk)
    if counted:
        row.ticket_count += 1
        row.save(update_fields=["ticket_count"])
    return row


def naive_slot(name: str, number: int) -> None:
    slot = Tally.objects.get(name=name, slot=0)
    slot.total += number
    slot.save()


# --- One customer, two tickets --------------------------------------------------------------------


def two_open_for_one_customer(point: Any) -> int:
    """What is kept of the customer's tickets, of whom two are opened."""
    customer = CustomerFactory.create()
    with point(opening(customer)) as rival:
        mine = outcome(opening(customer))
    assert kinds([mine, rival.outcome()]) == [2]
    assert ServiceTicket.objects.count() == 2
    return Customer.objects.get().ticket_count


def test_two_tickets_opened_at_once_are_two() -> None:
    assert two_open_for_one_customer(partial(rival_before, lifecycle, "lock")) == 2
    assert faults() == []


def test_a_ticket_opened_while_another_is_uncommitted_waits_and_is_counted() -> None:
    assert two_open_for_one_customer(partial(rival_after, lifecycle, "lock")) == 2
    assert faults() == []


def test_control_reading_first_one_is_lost() -> None:
    with ExitStack() as off:
        off.enter_context(unhindered())
        off.enter_context(patch.object(lifecycle, "lock", read_then_write))
        if connection.vendor == "sqlite":
            off.enter_context(without_transactions())
        assert two_open_for_one_customer(partial(rival_before, Customer, "save")) == 1


def test_everybody_opens_deletes_and_assigns_at_once() -> None:
    customers = [CustomerFactory.create() for _ in range(2)]
    team = [MechanicFactory.create() for _ in range(2)]
    old = [ServiceTicketFactory.create(customer=customers[n % 2], mechanics=team) for n in range(6)]
    new = [ServiceTicketFactory.create(customer=customers[n % 2]) for n in range(4)]
    ids = [mechanic.pk for mechanic in team]
    moves = [
        *(opening(customers[n % 2]) for n in range(6)),
        *(partial(lifecycle.delete_ticket, ticket=t, actor=COMMAND) for t in old[:3]),
        partial(lifecycle.delete_tickets, ticket_ids=[t.pk for t in old[3:5]], actor=COMMAND),
        partial(lifecycle.transition, ticket=old[5], to="cancelled", actor=COMMAND),
        *(partial(assignment.set_team, ticket=t, mechanic_ids=ids, actor=COMMAND) for t in new),
    ]
    with patch.object(tally, "_slot", lambda: 0):
        outcomes = at_once(*moves)
    assert kinds(outcomes) == [len(moves)]
    assert sorted(Customer.objects.values_list("ticket_count", flat=True)) == [5, 6]
    assert list(Mechanic.objects.values_list("ticket_count", flat=True)) == [4, 4]
    assert tally.total("service_tickets") == 11
    assert faults() == []


# --- One slot -------------------------------------------------------------------------------------


def two_in_one_slot(
    writing: Any = nullcontext, *, owner: Any = tally, point: str = "_write"
) -> int:
    """The total when both write into the same slot."""
    # Cars the shop knows: of two new ones the second may wait at the VINs for the first.
    one, other = (
        opening(car.customer, vin=car.vin) for car in (VehicleFactory.create() for _ in range(2))
    )
    with patch.object(tally, "_slot", lambda: 0):
        tally._write("service_tickets", 0)
        with writing(), rival_before(owner, point, other) as rival:
            mine = outcome(one)
    assert kinds([mine, rival.outcome()]) == [2]
    return tally.total("service_tickets")


def test_two_who_write_into_one_slot_are_both_counted() -> None:
    assert two_in_one_slot() == 2
    assert faults() == []


@contextmanager
def naively() -> Iterator[None]:
    with ExitStack() as off:
        off.enter_context(unhindered())
        off.enter_context(patch.object(tally, "_write", naive_slot))
        if connection.vendor == "sqlite":
            off.enter_context(without_transactions())
        yield


def test_control_reading_the_slot_first_one_is_lost() -> None:
    assert two_in_one_slot(naively, owner=Tally, point="save") == 1


# --- The slot comes last, or two wait for each other ----------------------------------------------


def a_page_meets_a_deletion() -> list[Any]:
    """A page of the back office opens a ticket and puts a part on it; before it takes the part,
    the rival deletes a ticket that has one too. Both write into one slot; nobody tries twice."""
    part, customer = PartFactory.create(), CustomerFactory.create()
    doomed = ServiceTicketFactory.create(parts=[(part, 1)])
    tally._write("service_tickets", 0)

    @retrying
    def page() -> None:
        add_part(ticket=opening(customer)(), part_id=part.pk, quantity=1, actor=COMMAND)

    delete = partial(lifecycle.delete_ticket, ticket=doomed, actor=COMMAND)
    with patch.object(db, "RETRIES", 0), rival_before(stock, "take", delete) as rival:
        mine = outcome(page)
    return [mine, rival.outcome()]


def test_a_page_holds_no_slot_while_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    with (
        patch.object(tally, "_slot", lambda: 0),
        caplog.at_level(logging.INFO, logger="autoful.db"),
    ):
        assert kinds(a_page_meets_a_deletion()) == [2]
    assert "lost a race" not in caplog.text
    assert faults() == []


@on_mysql
def test_control_written_at_once_one_is_the_deadlocks_victim() -> None:
    with (
        unhindered(),
        patch.object(tally, "_slot", lambda: 0),
        patch.object(tally, "add", tally._write),
    ):
        assert kinds(a_page_meets_a_deletion(), Busy) == [1, 1]


# --- Customers before mechanics, mechanics before parts -------------------------------------------


def a_cancellation_meets_a_deletion() -> list[Any]:
    """Two tickets of one customer with one mechanic and one part: the first is edited and
    cancelled in one step, the second deleted when the first has locked its customer."""
    customer, mechanic, part = (
        CustomerFactory.create(),
        MechanicFactory.create(),
        PartFactory.create(),
    )
    one, other = (
        ServiceTicketFactory.create(customer=customer, mechanics=[mechanic], parts=[(part, 1)])
        for _ in range(2)
    )
    cancel = partial(
        lifecycle.edit_ticket,
        ticket=one,
        fields={"mileage": 7},
        status="cancelled",
        actor=COMMAND,
    )
    delete = partial(lifecycle.delete_ticket, ticket=other, actor=COMMAND)
    with patch.object(db, "RETRIES", 0), rival_before(lifecycle, "brought_in", delete) as rival:
        mine = outcome(cancel)
    return [mine, rival.outcome()]


def test_who_cancels_and_who_deletes_lock_in_one_order() -> None:
    assert kinds(a_cancellation_meets_a_deletion()) == [2]
    assert faults() == []


@on_mysql
def test_control_with_the_customer_last_one_is_the_deadlocks_victim() -> None:
    """As the deletion would be if it counted the customer when the parts are back."""
    original, late = tally.fewer, []

    def customers_late(rows: Any, column: str, numbers: Any) -> None:
        if rows.model is Customer:
            late.append((rows, column, dict(numbers)))
        else:
            original(rows, column, numbers)

    put_back = lifecycle._return_parts

    def then_customers(*args: Any) -> None:
        put_back(*args)
        while late:
            original(*late.pop())

    with (
        unhindered(),
        patch.object(tally, "fewer", customers_late),
        patch.object(lifecycle, "_return_parts", then_customers),
    ):
        assert kinds(a_cancellation_meets_a_deletion(), Busy) == [1, 1]
