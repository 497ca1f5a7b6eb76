"""The parts of a ticket."""

from dataclasses import dataclass

from autoful import audit
from autoful.actor import Actor
from autoful.errors import InvalidField
from autoful.prepared import Move, Prepared, ask
from autoful.verbs import verb
from inventory import stock
from inventory.errors import InsufficientStock
from inventory.models import LARGEST_QUANTITY, Part
from tickets.errors import LineChangedMeanwhile, LineNotOnTicket, LineTooLarge
from tickets.lifecycle import demand_open, lock_open_ticket, lock_ticket_and_ask
from tickets.models import PartLine, ServiceTicket

LINE = Prepared(lambda ticket, part: PartLine.objects.filter(ticket=ticket, part=part), 2)
SET = Move(
    lambda line, _quantity: PartLine.objects.filter(pk=line),
    lambda _line, quantity: {"quantity_used": quantity},
    2,
)


@dataclass(frozen=True, slots=True)
class PartAdded:
    """The line as it is now, the part with what is left of it, and whether the line is new."""

    line: PartLine
    part: Part
    is_new: bool


@verb
def add_part(*, ticket: ServiceTicket, part_id: int, quantity: int, actor: Actor) -> PartAdded:
    """Put `quantity` more of a part on the ticket and take it out of stock.

    A part already on the ticket keeps the price and cost its line was written with.
    Raises TicketNotFound, TicketClosed, LineTooLarge, PartNotFound, InsufficientStock (with what is
    available).
    """
    ticket, (lines,) = lock_ticket_and_ask(ticket.pk, LINE.asked(ticket.pk, part_id))
    demand_open(ticket)
    # Ours alone, since the ticket is locked; and changed before the part is, for which others wait.
    line: PartLine | None = next(iter(lines), None)
    if line is not None:
        line.ticket = ticket
        was = _set_quantity(line, line.quantity_used + quantity)
    part = stock.take(part_id=part_id, quantity=quantity, reference=ticket.reference, actor=actor)
    if line is not None:
        audit.record_update(line, quantity_used=(was, line.quantity_used))
        return PartAdded(line, part, is_new=False)
    # Stock before a new line: the other way round the line's foreign key takes a shared lock on the
    # part first, and two requests for one hot part wait for each other.
    line = PartLine.objects.create(
        ticket=ticket,
        part=part,
        quantity_used=quantity,
        unit_price=part.price,
        unit_cost=part.cost,
    )
    return PartAdded(line, part, is_new=True)


@verb
def change_quantity(
    *, ticket: ServiceTicket, line_id: int, quantity: int, was: int, actor: Actor
) -> PartLine:
    """Set how many of a part are on the ticket (at least 1); the difference moves out of stock, or back.

    `was` is what whoever asks has seen; of two who correct a line at once, the second is told.
    Raises TicketNotFound, TicketClosed, LineNotOnTicket, LineChangedMeanwhile, InvalidField,
    LineTooLarge, InsufficientStock (with what is available).
    """
    ticket = lock_open_ticket(ticket.pk)
    line = ticket.part_lines.select_related("part").filter(pk=line_id).first()
    if line is None:
        raise LineNotOnTicket
    if line.quantity_used != was:
        raise LineChangedMeanwhile(line.part.part_name, line.quantity_used)
    if quantity < 1:
        raise InvalidField("quantity_used", "At least 1 is needed; to have none, delete the line.")
    _demand_writable(quantity)
    more = quantity - was
    if more:
        move = stock.take if more > 0 else stock.put_back
        try:
            move(part_id=line.part_id, quantity=abs(more), reference=ticket.reference, actor=actor)
        except InsufficientStock as short:
            # Of what was asked for in all; what is on the ticket is there for it.
            there = was + short.facts["available"]
            raise InsufficientStock(
                part=line.part.part_name, requested=quantity, available=there
            ) from short
        _set_quantity(line, quantity)
        audit.record_update(line, quantity_used=(was, quantity))
    return line


@verb
def remove_line(
    *, ticket: ServiceTicket, line_id: int, was: int | None = None, actor: Actor
) -> tuple[PartLine, Part]:
    """Take a line off the ticket and put its parts back into stock.

    `was` is the quantity that whoever asks has seen, if they have.
    Returns the removed line and the part with its new stock.
    Raises TicketNotFound, TicketClosed, LineNotOnTicket, LineChangedMeanwhile.
    """
    ticket = lock_open_ticket(ticket.pk)
    line = ticket.part_lines.select_related("part").filter(pk=line_id).first()
    if line is None:
        raise LineNotOnTicket
    if was not in (None, line.quantity_used):
        raise LineChangedMeanwhile(line.part.part_name, line.quantity_used)
    part = stock.put_back(
        part_id=line.part_id,
        quantity=line.quantity_used,
        reference=ticket.reference,
        actor=actor,
    )
    line.delete()
    return line, part


def _set_quantity(line: PartLine, quantity: int) -> int:
    """Its ticket is locked, so the line is as it was read. Returns what it was, for whoever records it."""
    _demand_writable(quantity)
    was, line.quantity_used = line.quantity_used, quantity
    ask([SET.asked(line.pk, quantity)])
    return was


def _demand_writable(quantity: int) -> None:
    if quantity > LARGEST_QUANTITY:
        raise LineTooLarge(LARGEST_QUANTITY)
