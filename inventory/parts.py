"""Entering, changing and removing parts."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from autoful import written_once
from autoful.actor import Actor
from autoful.db import lock
from autoful.money import to_cents
from autoful.verbs import verb
from inventory.errors import PartHasHistory, PartNotFound, PartNumberTaken
from inventory.models import Part, StockMovement
from inventory.stock import set_quantity

FIELDS = (
    "part_name",
    "part_number",
    "category",
    "price",
    "cost",
    "reorder_point",
    "location",
)


@verb
def enter_part(*, fields: Mapping[str, Any], quantity_in_stock: int, actor: Actor) -> Part:
    """A new part, its first stock in the ledger as the opening balance. Raises PartNumberTaken."""
    part = Part()
    _write(part, fields)
    return set_quantity(
        part=part,
        quantity=quantity_in_stock,
        reason=StockMovement.Reason.OPENING,
        actor=actor,
    )


@verb
def change_part(
    *,
    part: Part,
    fields: Mapping[str, Any],
    quantity_in_stock: int | None = None,
    note: str = "",
    actor: Actor,
) -> Part:
    """Change what is given; a new quantity is recorded as a stock adjustment.

    Prices on tickets stay as they were written. Raises PartNotFound, PartNumberTaken.
    """
    part = lock(Part.objects.all, part.pk, PartNotFound())
    _write(part, fields)
    if quantity_in_stock is not None:
        part = set_quantity(part=part, quantity=quantity_in_stock, note=note, actor=actor)
    return part


@verb
def delete_part(*, part: Part, actor: Actor) -> None:
    """Remove a part that no ticket ever used, with its ledger.

    Raises PartNotFound, PartHasHistory.
    """
    # The lock makes a ticket that is taking this part wait, or lets us see that it did.
    part = lock(Part.objects.all, part.pk, PartNotFound())
    written_once.last.write_now()  # movements, if a verb around this one left some
    if Part.objects.filter(pk=part.pk).used().exists():
        raise PartHasHistory(part=part.part_name)
    part.delete()


def _write(part: Part, fields: Mapping[str, Any]) -> None:
    changed = [name for name in FIELDS if name in fields]
    for name in changed:
        value = fields[name]
        if name in ("price", "cost") and value is not None:
            value = to_cents(value)
        setattr(part, name, value or None if name == "part_number" else value)
    try:
        with transaction.atomic():
            part.save(update_fields=None if part._state.adding else [*changed, "updated_at"])
    except IntegrityError as refused:
        others = Part.objects.exclude(pk=part.pk).filter(part_number=part.part_number)
        if part.part_number and others.exists():
            raise PartNumberTaken from refused
        raise
