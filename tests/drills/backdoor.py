"""What a drill's shop is set out with, and what is found in it afterwards.

Run inside the shop, where the database is: `ours.ask("from tests.drills import backdoor; answer = …")`.
"""

from functools import cache
from typing import Any

from django.db.models import Sum

from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory
from autoful.accounts.tokens import issue
from autoful.actor import Role
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tickets.models import PartLine
from tickets.tests.factories import ServiceTicketFactory

OWNER = ("boss@example.com", PASSWORD)


def hire(mechanics: int) -> list[str]:
    """The owner of the back office, and a token for each of so many mechanics."""
    if not User.objects.filter(email=OWNER[0]).exists():
        SuperuserFactory.create(email=OWNER[0])
    hired = [MechanicFactory.create() for _ in range(mechanics)]
    return [str(issue(Role.MECHANIC, mechanic, mechanic.user)) for mechanic in hired]


def put_on_shelf(*quantities: int) -> list[int]:
    """New parts with so many in stock; their numbers."""
    return [PartFactory.create(quantity_in_stock=quantity).pk for quantity in quantities]


def open_tickets(count: int, parts: tuple[tuple[int, int], ...] = ()) -> list[int]:
    """New tickets with these parts (number, quantity) on each; their numbers."""
    on_each = [(Part.objects.get(pk=number), quantity) for number, quantity in parts]
    made = [ServiceTicketFactory.create(customer=_customer(), parts=on_each) for _ in range(count)]
    return [ticket.pk for ticket in made]


@cache
def _customer() -> Customer:
    return CustomerFactory.create(user=None)


def units(part: int) -> dict[str, Any]:
    """Where the units of a part are: in stock, and on tickets."""
    lines = PartLine.objects.filter(part=part)
    return {
        "stock": Part.objects.get(pk=part).quantity_in_stock,
        "on tickets": lines.aggregate(total=Sum("quantity_used", default=0))["total"],
    }
