"""The races for parts, each shown twice: with the protection, and really happening without it.

Where it can be, the rival is let in at the one point that matters (see `autoful.testing.rivals`);
where it is the crowd that matters, everybody goes at once.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError

from autoful import audit
from autoful.actor import COMMAND
from autoful.prepared import ask
from autoful.testing.rivals import (
    at_once,
    kinds,
    many_connections,
    outcome,
    rival_after,
    rival_before,
    unclean,
    unhindered,
    unprotected,
    without_transactions,
)
from inventory import parts as part_shelf
from inventory import stock
from inventory.errors import InsufficientStock, PartHasHistory, PartNotFound
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from tests.soundness import faults
from tickets import lifecycle
from tickets import parts as ticket_parts
from tickets.errors import LineChangedMeanwhile, TicketClosed, TicketNotFound
from tickets.models import PartLine, ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db(transaction=True)

Status = ServiceTicket.Status


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def add(ticket: ServiceTicket, part: Part, quantity: int = 1) -> Any:
    return ticket_parts.add_part(ticket=ticket, part_id=part.pk, quantity=quantity, actor=COMMAND)


# --- The last units of a part ---------------------------------------------------------------------


def test_forty_rivals_for_the_last_units() -> None:
    part = PartFactory.create(quantity_in_stock=25)
    tickets = [ServiceTicketFactory.create() for _ in range(8)]
    outcomes = at_once(*[partial(add, tickets[n % 8], part, 2) for n in range(40)])
    assert kinds(outcomes, InsufficientStock) == [12, 28]
    part.refresh_from_db()
    assert part.quantity_in_stock == 1
    assert StockMovement.objects.filter(reason="used").count() == 12
    assert sum(line.quantity_used for line in PartLine.objects.all()) == 24
    assert faults() == []


def take_by_reading_first(*, part_id: int, quantity: int, reference: str, actor: Any) -> Part:
    """`stock.take` as one would write it who never met a second customer."""
    part = Part.objects.get(pk=part_id)
    if part.quantity_in_stock < quantity:
        raise InsufficientStock(part="", requested=quantity, available=part.quantity_in_stock)
    audit.record_update(part)  # nothing yet; the point at which the rival comes
    part.quantity_in_stock -= quantity
    part.save(update_fields=["quantity_in_stock"])
    StockMovement.objects.create(
        part=part,
        change=-quantity,
        balance=part.quantity_in_stock,
        reason="used",
        reference=reference,
    )
    return part


def take_last_unit(take: Any) -> list[Any]:
    part = PartFactory.create(quantity_in_stock=1)
    buy = partial(take, part_id=part.pk, quantity=1, actor=COMMAND)
    with rival_before(audit, "record_update", partial(buy, reference="ticket-2")) as rival:
        mine = outcome(partial(buy, reference="ticket-1"))
    return [mine, rival.outcome()]


def test_the_last_unit_is_sold_once() -> None:
    assert kinds(take_last_unit(stock.take), InsufficientStock) == [1, 1]


def test_control_reading_first_sells_the_last_unit_twice() -> None:
    with unhindered():
        assert kinds(take_last_unit(take_by_reading_first)) == [2]
    assert Part.objects.get().movements.filter(reason="used").count() == 2


def test_nobody_is_refused_what_just_came_back() -> None:
    """The rival comes when too few were found, and before it is said how many there are."""
    part = PartFactory.create(quantity_in_stock=1)
    delivery = partial(stock.receive, part=part, quantity=9, actor=COMMAND)
    one = SimpleNamespace(asked=lambda question: ask([question])[0])
    apart = patch.object(stock, "ask", lambda questions: [one.asked(q) for q in questions])
    with apart, rival_after(one, "asked", delivery) as rival:
        take = partial(stock.take, part_id=part.pk, quantity=2, reference="", actor=COMMAND)
        mine = outcome(take)
    assert unclean([mine, rival.outcome()]) == []
    # Kept out on SQLite, where the taking has the only transaction that writes.
    assert isinstance(mine, Part) or mine.facts["available"] < 2, mine
    assert faults() == []


def test_a_count_of_the_shelf_does_not_undo_a_sale() -> None:
    part = PartFactory.create(quantity_in_stock=10)
    sale = partial(stock.take, part_id=part.pk, quantity=3, reference="", actor=COMMAND)
    with rival_after(stock, "lock", sale) as rival:
        stock.set_quantity(part=part, quantity=20, actor=COMMAND)
    assert unclean([rival.outcome()]) == []
    part.refresh_from_db()
    assert part.quantity_in_stock == 17
    assert faults() == []


def test_control_without_the_lock_a_count_undoes_a_sale() -> None:
    part = PartFactory.create(quantity_in_stock=10)
    sale = partial(stock.take, part_id=part.pk, quantity=3, reference="", actor=COMMAND)
    with unprotected(stock), rival_after(stock, "lock", sale):
        stock.set_quantity(part=part, quantity=20, actor=COMMAND)
    assert faults() != []


# --- One line for a ticket's part -----------------------------------------------------------------


def test_a_part_added_by_many_at_once_is_one_line() -> None:
    part, ticket = PartFactory.create(quantity_in_stock=50), ServiceTicketFactory.create()
    outcomes = at_once(*[partial(add, ticket, part) for _ in range(12)])
    assert kinds(outcomes) == [12]
    assert PartLine.objects.get().quantity_used == 12
    assert sum(added.is_new for added in outcomes) == 1
    assert faults() == []


def add_while_another_adds() -> list[Any]:
    """The rival comes when the line was looked for, not found, and is about to be written."""
    part, ticket = PartFactory.create(quantity_in_stock=50), ServiceTicketFactory.create()
    with rival_before(PartLine, "save", partial(add, ticket, part)) as rival:
        mine = outcome(partial(add, ticket, part))
    return [mine, rival.outcome()]


def test_two_who_add_the_same_part_share_a_line() -> None:
    assert kinds(add_while_another_adds()) == [2]
    assert PartLine.objects.get().quantity_used == 2
    assert faults() == []


def test_control_without_locks_the_second_line_meets_the_unique_key() -> None:
    with unprotected(lifecycle), without_transactions():
        outcomes = add_while_another_adds()
    assert isinstance(outcomes[0], IntegrityError)
    assert faults() != []


# --- Two who correct one line ---------------------------------------------------------------------


def correct_while_another_corrects() -> list[Any]:
    """Both have seen two of a part on the ticket. The rival comes when the first one's line was read."""
    part = PartFactory.create(quantity_in_stock=50)
    ticket = ServiceTicketFactory.create(parts=[(part, 2)])
    line, correct = PartLine.objects.get(), ticket_parts.change_quantity
    seen = {"ticket": ticket, "line_id": line.pk, "was": 2, "actor": COMMAND}
    with rival_before(stock, "take", partial(correct, quantity=5, **seen)) as rival:
        mine = outcome(partial(correct, quantity=4, **seen))
    return [mine, rival.outcome()]


def test_of_two_who_correct_a_quantity_the_second_is_told() -> None:
    outcomes = correct_while_another_corrects()
    assert kinds(outcomes, LineChangedMeanwhile) == [1, 1]
    assert PartLine.objects.get().quantity_used in (4, 5)
    assert faults() == []


def test_control_without_the_lock_one_of_them_is_written_over() -> None:
    with unprotected(lifecycle), without_transactions():
        outcomes = correct_while_another_corrects()
    assert kinds(outcomes) == [2]
    assert faults() != []


# --- A part and the end of its ticket -------------------------------------------------------------


def cancel(ticket: ServiceTicket) -> ServiceTicket:
    return lifecycle.transition(ticket=ticket, to=Status.CANCELLED, actor=COMMAND)


def delete(ticket: ServiceTicket) -> None:
    lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)


def add_while(end: Any) -> list[Any]:
    """The rival comes when the ticket was found open."""
    part, ticket = PartFactory.create(quantity_in_stock=5), ServiceTicketFactory.create()
    with rival_before(stock, "take", partial(end, ticket)) as rival:
        mine = outcome(partial(add, ticket, part))
    return [mine, rival.outcome()]


@pytest.mark.parametrize("end", [cancel, delete])
def test_a_part_added_while_the_ticket_ends_is_back_in_stock(end: Any) -> None:
    assert kinds(add_while(end)) == [2]
    assert Part.objects.get().quantity_in_stock == 5
    assert not PartLine.objects.exists()
    assert faults() == []


@pytest.mark.parametrize("end", [cancel, delete])
def test_control_without_the_lock_a_part_is_lost_with_its_ticket(end: Any) -> None:
    with unprotected(lifecycle):
        outcomes = add_while(end)
    assert unclean(outcomes) or faults()


def end_while_adding(end: Any, method: str) -> list[Any]:
    """The rival comes when the parts have been put back and the ticket is about to be written."""
    part = PartFactory.create(quantity_in_stock=5)
    ticket = ServiceTicketFactory.create(parts=[(part, 2)])
    with rival_before(ServiceTicket, method, partial(add, ticket, part)) as rival:
        mine = outcome(partial(end, ticket))
    return [mine, rival.outcome()]


@pytest.mark.parametrize(
    ("end", "method", "refusal"),
    [(cancel, "save", TicketClosed), (delete, "delete", TicketNotFound)],
)
def test_an_ended_ticket_takes_no_part(end: Any, method: str, refusal: Any) -> None:
    assert kinds(end_while_adding(end, method), refusal) == [1, 1]
    assert Part.objects.get().quantity_in_stock == 5
    assert faults() == []


@pytest.mark.parametrize(("end", "method"), [(cancel, "save"), (delete, "delete")])
def test_control_without_the_lock_an_ended_ticket_takes_a_part(end: Any, method: str) -> None:
    with unprotected(lifecycle):
        outcomes = end_while_adding(end, method)
    assert unclean(outcomes) or faults()


def test_cancelled_and_deleted_at_once_parts_come_back_once() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    ticket = ServiceTicketFactory.create(parts=[(part, 2)])
    outcomes = at_once(*[partial(end, ticket) for end in (cancel, delete) * 3])
    assert unclean(outcomes) == []
    assert not ServiceTicket.objects.exists()
    assert Part.objects.get().quantity_in_stock == 5
    assert faults() == []


def test_control_without_the_lock_parts_come_back_twice() -> None:
    part = PartFactory.create(quantity_in_stock=5)
    ticket = ServiceTicketFactory.create(parts=[(part, 2)])
    with unprotected(lifecycle), rival_before(stock, "put_back", partial(cancel, ticket)):
        outcome(partial(cancel, ticket))
    assert faults() != []


# --- A part that is removed and used --------------------------------------------------------------


def delete_part_while_adding() -> list[Any]:
    """The rival comes when the part was found never used."""
    part, ticket = PartFactory.create(), ServiceTicketFactory.create()
    delete_part = partial(part_shelf.delete_part, part=part, actor=COMMAND)
    with rival_before(Part, "delete", partial(add, ticket, part)) as rival:
        mine = outcome(delete_part)
    return [mine, rival.outcome()]


def test_a_part_being_deleted_cannot_be_used() -> None:
    assert kinds(delete_part_while_adding(), PartNotFound) == [1, 1]
    assert not Part.objects.exists()
    assert not PartLine.objects.exists()
    assert faults() == []


def test_control_without_the_lock_a_used_part_is_deleted() -> None:
    with unprotected(part_shelf):
        assert unclean(delete_part_while_adding()) != []


def add_while_deleting_part() -> list[Any]:
    """The rival comes when the stock is down and the ledger does not know yet."""
    part, ticket = PartFactory.create(), ServiceTicketFactory.create()
    delete_part = partial(part_shelf.delete_part, part=part, actor=COMMAND)
    with rival_before(stock, "_record", delete_part) as rival:
        mine = outcome(partial(add, ticket, part))
    return [mine, rival.outcome()]


def test_a_part_being_used_cannot_be_deleted() -> None:
    assert kinds(add_while_deleting_part(), PartHasHistory) == [1, 1]
    assert PartLine.objects.get().quantity_used == 1
    assert faults() == []


def test_control_without_a_transaction_the_part_goes_while_it_is_taken() -> None:
    with unprotected(part_shelf), without_transactions():
        assert unclean(add_while_deleting_part()) != []
