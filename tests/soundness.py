"""What is always true in a shop, and that nothing changed, asked of every row."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.db.models import Sum

from autoful import recount
from autoful.accounts.models import User
from autoful.errors import DomainError
from autoful.models import Tally
from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from mechanics.models import Mechanic
from tickets.models import Assignment, PartLine, ServiceTicket


def faults() -> list[str]:
    """Everything that is wrong in the shop, in words; nothing, whatever has been done to it."""
    kept = [str(difference) for difference in recount.differences()]
    return [*_stock_faults(), *_line_faults(), *_team_faults(), *_people_faults(), *kept]


def _stock_faults() -> list[str]:
    found = [
        f"{part}: {part.quantity_in_stock} in stock, {part.ledger} in the ledger"
        for part in Part.objects.out_of_balance()
    ]
    found += [f"{part}: negative" for part in Part.objects.filter(quantity_in_stock__lt=0)]
    for part in Part.objects.all():
        balance = 0
        for movement in part.movements.order_by("id"):
            balance += movement.change
            if movement.balance != balance:
                found.append(f"{part}: movement {movement.pk} says {movement.balance}")
        found += _audit_faults(part)
    return found


def _audit_faults(part: Part) -> list[str]:
    """Every movement has its audit entry, in the same order."""
    entries = LogEntry.objects.get_for_object(part).filter(changes__has_key="quantity_in_stock")
    told = [entry.changes["quantity_in_stock"] for entry in entries.order_by("id")]
    moved = [[m.balance - m.change, m.balance] for m in part.movements.order_by("id")]
    # A new part's own entry says how many it began with: none.
    return [] if told[1:] == moved else [f"{part}: audit {told[1:]}, ledger {moved}"]


def _line_faults() -> list[str]:
    used = Counter(
        {
            (row["reference"], row["part_id"]): -row["total"]
            for row in StockMovement.objects.exclude(reference="")
            .values("reference", "part_id")
            .annotate(total=Sum("change"))
            .order_by()
        }
    )
    lines: Counter[tuple[str, int]] = Counter()
    seen: Counter[tuple[str, int]] = Counter()
    for line in PartLine.objects.select_related("ticket"):
        lines[line.ticket.reference, line.part_id] += line.quantity_used
        seen[line.ticket.reference, line.part_id] += 1
    found = [
        f"{key}: {used[key]} taken from stock, {lines[key]} on the ticket"
        for key in {*used, *lines}
        if used[key] != lines[key]
    ]
    found += [f"{key}: {count} lines" for key, count in seen.items() if count > 1]
    closed = PartLine.objects.filter(ticket__status=ServiceTicket.Status.CANCELLED)
    return found + [f"line {line.pk} on a cancelled ticket" for line in closed]


def _team_faults() -> list[str]:
    gone = Assignment.objects.filter(
        mechanic__deleted_at__isnull=False, ticket__status__in=ServiceTicket.OPEN
    )
    found = [f"{assignment}, open, though the mechanic left" for assignment in gone]
    cancelled = Assignment.objects.filter(ticket__status=ServiceTicket.Status.CANCELLED)
    found += [f"{assignment}, though it is cancelled" for assignment in cancelled]
    pairs = Counter(Assignment.objects.values_list("ticket_id", "mechanic_id"))
    return found + [f"{pair} assigned {count} times" for pair, count in pairs.items() if count > 1]


def _people_faults() -> list[str]:
    found = [
        f"ticket {ticket.pk} opened after its customer was gone"
        for ticket in ServiceTicket.objects.filter(customer__deleted_at__isnull=False)
        if ticket.customer.deleted_at and ticket.created_at > ticket.customer.deleted_at
    ]
    found += [
        f"{vehicle} belongs to a closed customer"
        for vehicle in Vehicle.objects.filter(customer__deleted_at__isnull=False)
    ]
    for model in (Customer, Mechanic):
        found += [
            f"{model.__name__} {profile.pk} points at a closed account"
            for profile in model.objects.filter(user__email__endswith="@account.invalid")
        ]
    vins = Counter(Vehicle.objects.values_list("vin", flat=True))
    return found + [f"{vin}: {count} vehicles" for vin, count in vins.items() if count > 1]


def effects(prefix: str) -> dict[str, list[tuple[str, int, int, int]]]:
    """By request id that begins with `prefix`: what its audit entries say it did to parts and part
    lines, in order, as (part or line, its number, change, what it is then).

    An entry of anything else stands as (its model, its number, 0, 0): something was done.
    """
    found: dict[str, list[tuple[str, int, int, int]]] = {}
    counted = {Part: ("part", "quantity_in_stock"), PartLine: ("line", "quantity_used")}
    entries = LogEntry.objects.filter(cid__startswith=prefix).exclude(action=LogEntry.Action.ACCESS)
    for entry in entries.select_related("content_type").order_by("id"):
        model = entry.content_type.model_class()
        kind, field = counted.get(model, (model._meta.model_name, ""))
        old, new = (n or 0 for n in entry.changes.get(field, (0, 0)))
        theirs = entry.cid.rpartition(".")[0]  # the id that the client brought
        found.setdefault(theirs, []).append((kind, int(entry.object_pk), new - old, new))
    return found


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every column of every row that the shop has, versions and audit entries among them."""
    models = [User, LogEntry, Tally]
    for app in ("customers", "mechanics", "inventory", "tickets"):
        models += apps.get_app_config(app).get_models()
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models
    }


@contextmanager
def refused(error: type[DomainError], **facts: Any) -> Iterator[Any]:
    """What is inside raises `error` with these facts, and leaves everything as it was."""
    before = everything()
    with pytest.raises(error) as raised:
        yield raised
    assert {name: raised.value.facts.get(name) for name in facts} == facts
    assert everything() == before
