"""The races for people: teams, customers, vehicles that change hands.

As in test_races.py, each stands beside a control in which it really happens.
"""

import datetime
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection
from django.db.models.deletion import Collector

from autoful import db
from autoful.actor import COMMAND
from autoful.db import lock_if_there
from autoful.errors import Busy
from autoful.testing.rivals import (
    at_once,
    kinds,
    many_connections,
    on_mysql,
    outcome,
    rival_after,
    rival_before,
    unhindered,
    unlocked,
    unprotected,
    without_transactions,
)
from customers import registration as customer_desk
from customers import vehicles
from customers.errors import CustomerNotFound, HasTickets
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from mechanics import registration as mechanic_desk
from mechanics.errors import MechanicNotFound
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults
from tickets import assignment, lifecycle
from tickets.models import Assignment, ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


# --- Teams ----------------------------------------------------------------------------------------


def test_teams_that_share_mechanics_never_deadlock(caplog: pytest.LogCaptureFixture) -> None:
    team = [MechanicFactory.create().pk for _ in range(5)]
    tickets = [ServiceTicketFactory.create() for _ in range(8)]
    moves = [
        partial(
            assignment.set_team,
            ticket=ticket,
            mechanic_ids=team[:: 1 if n % 2 else -1],
            actor=COMMAND,
        )
        for n, ticket in enumerate(tickets)
    ]
    with caplog.at_level(logging.INFO, logger="autoful.db"):
        outcomes = at_once(*moves)
    assert kinds(outcomes) == [8]
    assert Assignment.objects.count() == 40
    if connection.vendor == "mysql":
        assert "lost a race" not in caplog.text
    assert faults() == []


def teams_meet() -> list[Any]:
    """The rival comes when the first of two shared mechanics is locked; nobody tries twice."""
    team = [MechanicFactory.create().pk, MechanicFactory.create().pk]
    one, two = ServiceTicketFactory.create(), ServiceTicketFactory.create()
    set_team = partial(assignment.set_team, mechanic_ids=team, actor=COMMAND)
    with patch.object(db, "RETRIES", 0):
        rival = partial(set_team, ticket=two)
        with rival_after(assignment, "_lock_available", rival) as other:
            mine = outcome(partial(set_team, ticket=one))
        return [mine, other.outcome()]


def test_two_teams_lock_their_mechanics_in_one_order() -> None:
    assert kinds(teams_meet()) == [2]
    assert Assignment.objects.count() == 4


@on_mysql
def test_control_in_opposite_orders_one_is_the_deadlocks_victim() -> None:
    calls: list[None] = []

    def back_and_forth(ids: set[int]) -> list[int]:
        calls.append(None)
        return sorted(ids, reverse=len(calls) % 2 == 0)

    with unhindered(), patch.object(assignment, "sorted", back_and_forth, create=True):
        assert kinds(teams_meet(), Busy) == [1, 1]


def assign_while_leaving() -> list[Any]:
    """The rival comes when the mechanic was found available."""
    mechanic, ticket = MechanicFactory.create(), ServiceTicketFactory.create()
    leave = partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND)
    with rival_before(assignment, "_put", leave) as rival:
        mine = outcome(
            partial(assignment.assign, ticket=ticket, mechanic_id=mechanic.pk, actor=COMMAND)
        )
    return [mine, rival.outcome()]


def test_a_mechanic_assigned_while_leaving_is_released() -> None:
    assert kinds(assign_while_leaving()) == [2]
    assert not Assignment.objects.exists()
    assert faults() == []


def test_control_without_the_lock_a_departed_mechanic_is_assigned() -> None:
    with unprotected(assignment):
        assert kinds(assign_while_leaving()) == [2]
    assert [fault for fault in faults() if "though the mechanic left" in fault]


def leave_while_assigned() -> list[Any]:
    """The rival comes when the open assignments are released and the mechanic is still there."""
    mechanic, ticket = MechanicFactory.create(), ServiceTicketFactory.create()
    assign = partial(assignment.assign, ticket=ticket, mechanic_id=mechanic.pk, actor=COMMAND)
    with rival_before(Mechanic, "save", assign) as rival:
        mine = outcome(partial(mechanic_desk.close_mechanic, mechanic=mechanic, actor=COMMAND))
    return [mine, rival.outcome()]


def test_a_leaving_mechanic_cannot_be_assigned() -> None:
    assert kinds(leave_while_assigned(), MechanicNotFound) == [1, 1]
    assert faults() == []


def test_control_without_the_lock_a_leaving_mechanic_is_assigned() -> None:
    with unprotected(mechanic_desk):
        assert kinds(leave_while_assigned()) == [2]
    assert faults() != []


# --- Customers and their tickets ------------------------------------------------------------------


def opening(customer: Customer, **fields: Any) -> Any:
    known: dict[str, Any] = {"service_desc": "Brakes", "service_date": datetime.date(2025, 6, 1)}
    given = {"vin": valid_vin(7)} | known | fields
    return partial(lifecycle.open_ticket, customer_id=customer.pk, actor=COMMAND, **given)


def open_while_closing() -> list[Any]:
    """The rival comes when the customer was found there."""
    customer = CustomerFactory.create()
    close = partial(customer_desk.close_customer, customer=customer, actor=COMMAND)
    with rival_before(lifecycle, "vehicle_for", close) as rival:
        mine = outcome(opening(customer))
    return [mine, rival.outcome()]


def test_a_ticket_is_opened_before_its_customer_is_gone() -> None:
    assert kinds(open_while_closing()) == [2]
    assert faults() == []


def test_control_without_the_lock_it_is_opened_after() -> None:
    with unprotected(lifecycle):
        assert kinds(open_while_closing()) == [2]
    assert [fault for fault in faults() if "after its customer was gone" in fault]


def close_while_opening() -> list[Any]:
    """The rival comes when the customer is still there and about to be gone."""
    customer = CustomerFactory.create()
    with rival_before(Customer, "save", opening(customer)) as rival:
        mine = outcome(partial(customer_desk.close_customer, customer=customer, actor=COMMAND))
    return [mine, rival.outcome()]


def test_a_closing_customer_gets_no_ticket() -> None:
    assert kinds(close_while_opening(), CustomerNotFound) == [1, 1]
    assert not ServiceTicket.objects.exists()
    assert faults() == []


def test_control_without_the_lock_a_closing_customer_gets_a_ticket() -> None:
    with unlocked(customer_desk, Customer):
        assert kinds(close_while_opening()) == [2]
    assert faults() != []


def two_tickets_one_vin() -> list[Any]:
    """The rival comes when the VIN was found new and is about to be entered."""
    with rival_before(Vehicle, "save", opening(CustomerFactory.create())) as rival:
        mine = outcome(opening(CustomerFactory.create()))
    return [mine, rival.outcome()]


def test_two_tickets_with_one_new_vin_are_for_one_vehicle() -> None:
    assert kinds(two_tickets_one_vin()) == [2]
    assert set(Vehicle.objects.get().service_tickets.all()) == set(ServiceTicket.objects.all())
    assert ServiceTicket.objects.count() == 2


def test_control_looking_first_the_second_vehicle_meets_the_unique_key() -> None:
    def naive(*, vin: str, customer: Customer, **also: Any) -> Vehicle:
        return Vehicle.objects.filter(vin=vin).first() or Vehicle.objects.create(
            vin=vin, customer=customer
        )

    with (
        patch.object(lifecycle, "vehicle_for", naive),
        unprotected(lifecycle),
        without_transactions(),
    ):
        outcomes = two_tickets_one_vin()
    assert isinstance(outcomes[0], IntegrityError)


def two_mileages() -> int | None:
    """The rival, who read more on the clock, comes when the mileage on file was read."""
    vehicle = VehicleFactory.create(mileage=50)
    higher = opening(CustomerFactory.create(), vin=vehicle.vin, mileage=200)
    with rival_before(Vehicle, "save", higher) as rival:
        mine = outcome(opening(CustomerFactory.create(), vin=vehicle.vin, mileage=100))
    assert kinds([mine, rival.outcome()]) == [2]
    vehicle.refresh_from_db()
    return vehicle.mileage


def test_the_higher_of_two_mileages_stays() -> None:
    assert two_mileages() == 200


def test_control_without_the_lock_the_mileage_falls() -> None:
    with unlocked(vehicles, Vehicle):
        assert two_mileages() == 100


# --- A vehicle that is removed while a ticket is opened for it --------------------------------------


def open_while_removing() -> list[Any]:
    """The rival comes when no ticket was found. The vehicle is nobody's: an owner is locked, too."""
    vehicle = VehicleFactory.create(customer=None)
    remove = partial(vehicles.delete_vehicle, vehicle=vehicle, actor=COMMAND)
    bring = opening(CustomerFactory.create(), vin=vehicle.vin)
    with rival_before(Collector, "delete", bring) as rival:
        mine = outcome(remove)
    return [mine, rival.outcome()]


def test_a_ticket_for_a_vehicle_that_is_removed_has_one_all_the_same() -> None:
    assert kinds(open_while_removing()) == [2]
    assert ServiceTicket.objects.get().vehicle == Vehicle.objects.get()
    assert faults() == []


def test_control_without_the_lock_the_vehicle_has_a_ticket_by_then() -> None:
    with unlocked(vehicles, Vehicle), without_transactions():
        assert isinstance(open_while_removing()[0], IntegrityError)


def remove_while_opening() -> list[Any]:
    """The rival comes when the vehicle was found there."""
    vehicle = VehicleFactory.create()  # brought in by somebody else
    remove = partial(vehicles.delete_vehicle, vehicle=vehicle, actor=COMMAND)
    with rival_before(ServiceTicket, "save", remove) as rival:
        mine = outcome(opening(CustomerFactory.create(), vin=vehicle.vin))
    return [mine, rival.outcome()]


def test_a_vehicle_that_a_ticket_is_opened_for_stays() -> None:
    assert kinds(remove_while_opening(), HasTickets) == [1, 1]
    assert faults() == []


def test_control_without_the_lock_it_is_gone_when_the_ticket_is_written() -> None:
    with unlocked(vehicles, Vehicle), without_transactions():
        assert isinstance(remove_while_opening()[0], IntegrityError)


# --- A car that is sold while its owner closes ----------------------------------------------------

BEFORE_THE_LOCK, AFTER_THE_LOCK = (customer_desk, "lock_if_there"), (Vehicle, "save")


def sell_while_closing(owner: Any, name: str) -> tuple[bool, str]:
    """Whether the buyer has the car in the end, and its plate."""
    vehicle, buyer = VehicleFactory.create(plate="AAA 111"), CustomerFactory.create()
    close = partial(customer_desk.close_customer, customer=vehicle.customer, actor=COMMAND)
    sold = Vehicle.objects.get()
    sold.customer, sold.plate = buyer, "BBB 222"
    sell = partial(vehicles.save_vehicle, changed=["customer", "plate"], actor=COMMAND)
    with rival_before(owner, name, partial(sell, vehicle=sold)) as rival:
        mine = outcome(close)
    assert kinds([mine, rival.outcome()]) == [2]
    vehicle.refresh_from_db()
    return vehicle.customer == buyer, vehicle.plate


@pytest.mark.parametrize("point", [BEFORE_THE_LOCK, AFTER_THE_LOCK])
def test_a_car_sold_while_its_owner_closes_stays_with_the_buyer(point: tuple[Any, str]) -> None:
    assert sell_while_closing(*point) == (True, "BBB 222")


def test_control_without_the_lock_the_buyer_loses_the_car() -> None:
    with unlocked(customer_desk, Vehicle):
        assert sell_while_closing(*AFTER_THE_LOCK) == (False, "")


@on_mysql
def test_control_without_looking_again_the_buyer_loses_the_car() -> None:
    def whosever_it_is_now(rows: Any, pk: int) -> Vehicle | None:
        vehicle: Vehicle | None = lock_if_there(rows, pk)
        if vehicle is not None:
            vehicle.customer = Customer.objects.get(deleted_at__isnull=False)  # who is closing
        return vehicle

    with unhindered(), patch.object(customer_desk, "lock_if_there", whosever_it_is_now):
        assert sell_while_closing(*BEFORE_THE_LOCK) == (False, "")
