"""How stock moves: by a conditional UPDATE, with its ledger row in the same transaction.

The only writers of `quantity_in_stock`. The UPDATE comes first: it takes the row's lock, so what
is read after it is the balance, and a line inserted after it finds its foreign key locked already
(the other way round, most requests for one hot part ended in a deadlock).
"""

from collections.abc import Collection

from django.db.models import F
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from autoful import audit, written_once
from autoful.actor import Actor
from autoful.db import lock
from autoful.errors import InvalidField
from autoful.prepared import Move, Prepared, ask
from autoful.verbs import verb
from inventory.errors import (
    InsufficientStock,
    PartNotFound,
    StockMovedMeanwhile,
    StockTooLarge,
)
from inventory.models import LARGEST_QUANTITY, Part, StockMovement

Reason = StockMovement.Reason

PART = Prepared(lambda number: Part.objects.filter(pk=number))

# How many there are, for the condition of an UPDATE. A sum, which no index has: by the index on the
# stock MariaDB would lock the part's entry in that index before its row, and whoever begins with
# the row and changes the stock ends in a deadlock with it.
IN_STOCK = F("quantity_in_stock") + 0

# Prevents overselling: check and change are one statement, and the loser matches no row.
TAKE = Move(
    lambda part, quantity: Part.objects.filter(GreaterThanOrEqual(IN_STOCK, quantity), pk=part),
    lambda _part, quantity: {
        "quantity_in_stock": F("quantity_in_stock") - quantity,
        "version": F("version") + 1,
    },
    2,
)
ADD = Move(
    lambda part, _quantity, room: Part.objects.filter(LessThanOrEqual(IN_STOCK, room), pk=part),
    lambda _part, quantity, _room: {
        "quantity_in_stock": F("quantity_in_stock") + quantity,
        "version": F("version") + 1,
    },
    3,
)


@verb
def take(*, part_id: int, quantity: int, reference: str, actor: Actor) -> Part:
    """Take `quantity` (at least 1) out of stock for `reference`; returns the part as it is then.

    Raises InvalidField below 1, PartNotFound, InsufficientStock with what is available.
    """
    _demand_positive(quantity)
    while True:
        taken, parts = ask([TAKE.asked(part_id, quantity), PART.asked(part_id)])
        if not parts:
            raise PartNotFound
        part: Part = parts[0]
        if taken:
            break
        # Else some came back between the two statements: "1 asked for, 51 available".
        if part.quantity_in_stock < quantity:
            raise InsufficientStock(
                part=part.part_name, requested=quantity, available=part.quantity_in_stock
            )
    return _record(
        part=part,
        change=-quantity,
        reason=Reason.USED,
        reference=reference,
        actor=actor,
    )


@verb
def put_back(*, part_id: int, quantity: int, reference: str, actor: Actor) -> Part:
    """Put back what `reference` had taken; returns the part as it is then.

    Raises PartNotFound, StockTooLarge.
    """
    return _add(
        part_id=part_id,
        quantity=quantity,
        reason=Reason.RETURNED,
        reference=reference,
        actor=actor,
    )


@verb
def receive(*, part: Part, quantity: int, note: str = "", actor: Actor) -> Part:
    """Book a delivery of `quantity` (at least 1) into stock. Raises PartNotFound, StockTooLarge."""
    return _add(
        part_id=part.pk,
        quantity=quantity,
        reason=Reason.RECEIVED,
        note=note,
        actor=actor,
    )


@verb
def receive_delivery(*, lines: Collection[tuple[int, int]], note: str = "", actor: Actor) -> None:
    """Book what came at once into stock, all or nothing; `lines` are parts' numbers with quantities.

    Raises PartNotFound, StockTooLarge, InvalidField below 1.
    """
    # By part, whatever the lines' order: the order in which everybody locks parts.
    for part_id, quantity in sorted(lines):
        _add(part_id=part_id, quantity=quantity, reason=Reason.RECEIVED, note=note, actor=actor)


@verb
def set_quantity(
    *,
    part: Part,
    quantity: int,
    note: str = "",
    reason: StockMovement.Reason = Reason.ADJUSTED,
    was: int | None = None,
    actor: Actor,
) -> Part:
    """Set the stock to what was counted; the ledger gets the difference, if there is one.

    `was` is the stock that whoever counted has seen, if they have. Raises PartNotFound, InvalidField,
    StockMovedMeanwhile.
    """
    if not 0 <= quantity <= LARGEST_QUANTITY:
        raise InvalidField("quantity", f"A number from 0 to {LARGEST_QUANTITY} is needed.")
    # Locked before it is read: otherwise a sale between reading and writing would be undone.
    part = lock(Part.objects.all, part.pk, PartNotFound())
    if was is not None and was != part.quantity_in_stock:
        raise StockMovedMeanwhile(was=was, now=part.quantity_in_stock)
    change = quantity - part.quantity_in_stock
    if not change:
        return part
    Part.objects.filter(pk=part.pk).update(quantity_in_stock=quantity)
    part.quantity_in_stock = quantity
    return _record(part=part, change=change, reason=reason, note=note, actor=actor)


def _demand_positive(quantity: int) -> None:
    # Taking a negative quantity would be receiving without saying so.
    if quantity < 1:
        raise InvalidField("quantity", "At least 1 is needed.")


def _add(
    *,
    part_id: int,
    quantity: int,
    reason: StockMovement.Reason,
    reference: str = "",
    note: str = "",
    actor: Actor,
) -> Part:
    _demand_positive(quantity)
    room = LARGEST_QUANTITY - quantity
    added, parts = ask([ADD.asked(part_id, quantity, room), PART.asked(part_id)])
    if not parts:
        raise PartNotFound
    part: Part = parts[0]
    if not added:
        raise StockTooLarge(part=part.part_name, largest=LARGEST_QUANTITY)
    return _record(
        part=part,
        change=quantity,
        reason=reason,
        reference=reference,
        note=note,
        actor=actor,
    )


def _record(
    *,
    part: Part,
    change: int,
    reason: StockMovement.Reason,
    reference: str = "",
    note: str = "",
    actor: Actor,
) -> Part:
    """Write down what moved; `part` is as the UPDATE left it, and ours until the transaction ends."""
    written_once.leave(
        StockMovement(
            part=part,
            change=change,
            balance=part.quantity_in_stock,
            reason=reason,
            reference=reference,
            note=note,
            actor=actor.user,
            role=str(actor.role),
        )
    )
    audit.record_update(
        part,
        # The note is the ledger's: not everybody who may see a part may read that.
        why=f"{reason} for {reference}" if reference else str(reason),
        quantity_in_stock=(part.quantity_in_stock - change, part.quantity_in_stock),
    )
    return part
