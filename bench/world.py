"""A filled shop, as the requests see it, and the changes that a measurement needs."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Sum

from autoful.accounts import tokens
from autoful.actor import Role
from bench.filling import customer_count
from customers.models import Customer, Vehicle
from inventory.models import LARGEST_QUANTITY, Part, StockMovement
from mechanics.models import Mechanic
from tickets.models import PartLine, ServiceTicket

HOT_PART = 1


@dataclass(frozen=True)
class Filled:
    """A shop as `filling` left it."""

    tickets: int

    @property
    def customers(self) -> int:
        return customer_count(self.tickets)

    def chance(self, use: str) -> random.Random:
        """The same in every run, so that runs can be compared."""
        return random.Random(use)

    def mechanic(self) -> str:
        """A token; good for an hour, so a new one for each endpoint."""
        mechanic = Mechanic.objects.select_related("user").order_by("id")[0]
        assert mechanic.user
        return str(tokens.issue(Role.MECHANIC, mechanic, mechanic.user))

    def customer_tokens(self, numbers: Iterable[int]) -> list[str]:
        found = Customer.objects.select_related("user").filter(pk__in=list(numbers))
        return [str(tokens.issue(Role.CUSTOMER, c, c.user)) for c in found if c.user]

    def cars(self, numbers: Iterable[int]) -> list[tuple[int, str]]:
        """Customers with the VINs of their cars."""
        found = Vehicle.objects.filter(customer__in=list(numbers))
        return [(number, vin) for number, vin in found.values_list("customer", "vin") if number]

    def open_tickets(self, most: int) -> list[int]:
        """The newest that may still get parts."""
        found = ServiceTicket.objects.filter(status__in=ServiceTicket.OPEN).order_by("-id")
        return list(found.values_list("pk", flat=True)[:most])

    def lines(self, tickets: Iterable[int]) -> set[tuple[int, int]]:
        """Which ticket has which part already."""
        found = PartLine.objects.filter(ticket__in=list(tickets))
        return set(found.values_list("ticket", "part"))

    def parts(self) -> list[int]:
        return list(Part.objects.order_by("id").values_list("pk", flat=True))


def deliver_plenty() -> None:
    """Fill all shelves, with a row in the ledger for each part, as a delivery would."""
    room = f"{LARGEST_QUANTITY} - quantity_in_stock"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stockmovement (part_id, `change`, balance, reason, reference,"
            f" actor_id, role, note, created_at) SELECT id, {room}, {LARGEST_QUANTITY},"
            f" '{StockMovement.Reason.RECEIVED}', '', 1, 'mechanic', '', NOW(6)"
            f" FROM inventory_part WHERE {room} > 0"
        )
        Part.objects.update(quantity_in_stock=LARGEST_QUANTITY, version=F("version") + 1)


def pieces_used() -> int:
    """How many pieces of parts are on all tickets."""
    return int(PartLine.objects.aggregate(pieces=Sum("quantity_used"))["pieces"] or 0)


def parts_whose_lines_differ() -> list[int]:
    """Parts of which the ledger says that others were used than are on tickets."""
    of_tickets = (StockMovement.Reason.USED, StockMovement.Reason.RETURNED)
    said = StockMovement.objects.filter(reason__in=of_tickets).order_by().values_list("part")
    ledger = {part: -change for part, change in said.annotate(Sum("change")) if change}
    on_tickets = PartLine.objects.order_by().values_list("part").annotate(Sum("quantity_used"))
    lines = dict(on_tickets)
    return sorted(part for part, _ in set(ledger.items()) ^ set(lines.items()))
