"""Whatever is done with parts, in whatever order: stock, ledger and tickets agree with a model."""

import io
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from autoful.actor import COMMAND
from autoful.errors import DomainError
from customers.tests.factories import CustomerFactory
from inventory import parts as part_shelf
from inventory import stock
from inventory.errors import InsufficientStock, PartHasHistory, PartNotFound
from inventory.models import Part
from tests.soundness import faults
from tickets import lifecycle
from tickets import parts as ticket_parts
from tickets.errors import (
    IllegalTransition,
    LineNotOnTicket,
    ReasonRequired,
    TicketClosed,
    TicketNotFound,
)
from tickets.models import PartLine, ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

OPEN = ("pending", "in_progress", "on_hold")
WHICH = st.integers(0, 3)
FEW = st.integers(1, 6)


class Shop(RuleBasedStateMachine):
    """`stock`, `used`, `status` and `lines` are the model; the database must say the same."""

    def __init__(self) -> None:
        super().__init__()
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.customer = CustomerFactory.create()
        self.stock: dict[int, Any] = {}  # None: deleted
        self.used: set[int] = set()
        self.status: dict[int, str] = {}
        self.lines: dict[tuple[int, int], int] = {}

    def teardown(self) -> None:
        try:
            assert faults() == []
            call_command("check_stock", stdout=io.StringIO())
        finally:
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

    def part(self, which: int) -> Part:
        """One of the parts there were, deleted ones too."""
        return Part(pk=list(self.stock)[which % len(self.stock)])

    def ticket(self, which: int) -> ServiceTicket:
        return ServiceTicket(pk=list(self.status)[which % len(self.status)])

    def expect(self, error: type[DomainError] | None) -> AbstractContextManager[Any]:
        return pytest.raises(error) if error else nullcontext()

    @initialize()
    def a_shop(self) -> None:
        for quantity in (0, 3):
            self.enter(quantity)
        self.open()

    @rule(quantity=st.integers(0, 8))
    def enter(self, quantity: int) -> None:
        fields = {"part_name": "Part", "price": Decimal("1.00")}
        part = part_shelf.enter_part(fields=fields, quantity_in_stock=quantity, actor=COMMAND)
        self.stock[part.pk] = quantity

    @rule()
    def open(self) -> None:
        self.status[ServiceTicketFactory.create(customer=self.customer).pk] = "pending"

    @rule(which=WHICH, quantity=FEW)
    def receive(self, which: int, quantity: int) -> None:
        part = self.part(which)
        gone = self.stock[part.pk] is None
        with self.expect(PartNotFound if gone else None):
            stock.receive(part=part, quantity=quantity, actor=COMMAND)
            self.stock[part.pk] += quantity

    @rule(which=WHICH, quantity=st.integers(0, 8))
    def count(self, which: int, quantity: int) -> None:
        part = self.part(which)
        gone = self.stock[part.pk] is None
        with self.expect(PartNotFound if gone else None):
            part_shelf.change_part(part=part, fields={}, quantity_in_stock=quantity, actor=COMMAND)
            self.stock[part.pk] = quantity

    @rule(which=WHICH)
    def delete_part(self, which: int) -> None:
        part = self.part(which)
        error: type[DomainError] | None = None
        if self.stock[part.pk] is None:
            error = PartNotFound
        elif part.pk in self.used:
            error = PartHasHistory
        with self.expect(error):
            part_shelf.delete_part(part=part, actor=COMMAND)
            self.stock[part.pk] = None

    @rule(which=WHICH, of=WHICH, quantity=FEW)
    def add(self, which: int, of: int, quantity: int) -> None:
        ticket, part = self.ticket(which), self.part(of)
        left = self.stock[part.pk]
        error: type[DomainError] | None = None
        if self.status[ticket.pk] == "deleted":
            error = TicketNotFound
        elif self.status[ticket.pk] not in OPEN:
            error = TicketClosed
        elif left is None:
            error = PartNotFound
        elif left < quantity:
            error = InsufficientStock
        with self.expect(error):
            added = ticket_parts.add_part(
                ticket=ticket, part_id=part.pk, quantity=quantity, actor=COMMAND
            )
            before = self.lines.get((ticket.pk, part.pk), 0)
            self.lines[ticket.pk, part.pk] = before + quantity
            self.stock[part.pk] -= quantity
            self.used.add(part.pk)
            assert added.is_new is (before == 0)
            assert added.line.quantity_used == before + quantity
            assert added.part.quantity_in_stock == self.stock[part.pk]

    @precondition(lambda self: PartLine.objects.exists())
    @rule(which=st.integers(0, 20), mine=st.booleans(), of=WHICH)
    def remove(self, which: int, mine: bool, of: int) -> None:
        lines = list(PartLine.objects.order_by("id"))
        line = lines[which % len(lines)]
        ticket = ServiceTicket(pk=line.ticket_id) if mine else self.ticket(of)
        error: type[DomainError] | None = None
        if self.status[ticket.pk] == "deleted":
            error = TicketNotFound
        elif self.status[ticket.pk] not in OPEN:
            error = TicketClosed
        elif ticket.pk != line.ticket_id:
            error = LineNotOnTicket
        with self.expect(error):
            removed, part = ticket_parts.remove_line(ticket=ticket, line_id=line.pk, actor=COMMAND)
            quantity = self.lines.pop((ticket.pk, line.part_id))
            self.stock[line.part_id] += quantity
            assert removed.quantity_used == quantity
            assert part.quantity_in_stock == self.stock[line.part_id]

    @rule(
        which=WHICH,
        to=st.sampled_from(["in_progress", "completed", "on_hold", "cancelled"]),
        reason=st.sampled_from(["", "It squeaks"]),
    )
    def move(self, which: int, to: str, reason: str) -> None:
        ticket = self.ticket(which)
        was = self.status[ticket.pk]
        error: type[DomainError] | None = None
        if was == "deleted":
            error = TicketNotFound
        elif (was, to) not in ALLOWED:
            error = IllegalTransition
        elif was == "completed" and not reason:
            error = ReasonRequired
        with self.expect(error):
            lifecycle.transition(ticket=ticket, to=to, reason=reason, actor=COMMAND)
            self.status[ticket.pk] = to
            if to == "cancelled":
                self.put_back(ticket.pk)

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        ticket = self.ticket(which)
        gone = self.status[ticket.pk] == "deleted"
        with self.expect(TicketNotFound if gone else None):
            lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)
            self.status[ticket.pk] = "deleted"
            self.put_back(ticket.pk)

    def put_back(self, ticket: int) -> None:
        for key in [key for key in self.lines if key[0] == ticket]:
            self.stock[key[1]] += self.lines.pop(key)

    @invariant()
    def the_database_says_the_same(self) -> None:
        there = {pk: quantity for pk, quantity in self.stock.items() if quantity is not None}
        assert min(there.values(), default=0) >= 0
        parts = Part.objects.annotate(ledger=Sum("movements__change", default=0))
        rows = list(parts.values_list("pk", "quantity_in_stock", "ledger"))
        assert {pk: quantity for pk, quantity, _ in rows} == there
        assert {pk: ledger for pk, _, ledger in rows} == there
        lines = list(PartLine.objects.values_list("ticket_id", "part_id", "quantity_used"))
        assert {(ticket, part): quantity for ticket, part, quantity in lines} == self.lines
        assert len(lines) == len(self.lines)
        tickets = dict(ServiceTicket.objects.values_list("pk", "status"))
        assert tickets == {pk: s for pk, s in self.status.items() if s != "deleted"}


# The table of domain.md, written out once more and not imported.
ALLOWED = {
    ("pending", "in_progress"),
    ("in_progress", "completed"),
    ("pending", "on_hold"),
    ("in_progress", "on_hold"),
    ("on_hold", "in_progress"),
    ("pending", "cancelled"),
    ("in_progress", "cancelled"),
    ("on_hold", "cancelled"),
    ("completed", "in_progress"),
}


def walk(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_stock_ledger_and_lines_always_agree() -> None:
    walk(examples=25, steps=25)


@pytest.mark.django_db
def test_control_a_verb_that_forgets_the_ledger_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(*, part: Part, quantity: int, **rest: object) -> Part:
        Part.objects.filter(pk=part.pk).update(quantity_in_stock=quantity)
        return Part.objects.get(pk=part.pk)

    monkeypatch.setattr(part_shelf, "set_quantity", forgetful)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        walk(examples=3, steps=10)
