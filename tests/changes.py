"""Every way to change a row that stands in a list."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from autoful.accounts.tests.factories import PASSWORD
from autoful.actor import COMMAND
from customers import registration as customer_desk
from customers.models import Customer
from customers.tests.factories import CustomerFactory, valid_vin
from inventory import parts as part_shelf
from inventory import stock
from inventory.tests.factories import PartFactory
from mechanics import registration as mechanic_desk
from mechanics.tests.factories import MechanicFactory
from tickets import assignment, lifecycle
from tickets import parts as ticket_parts
from tickets.models import Assignment, PartLine
from tickets.tests.factories import ServiceTicketFactory


class Shop:
    """One of each thing, and every way to change one."""

    def __init__(self) -> None:
        self.part = PartFactory.create(quantity_in_stock=50)
        self.spare = PartFactory.create()
        self.mechanic = MechanicFactory.create()
        self.other = MechanicFactory.create(approved=False)
        self.customer = CustomerFactory.create()
        self.walk_in = CustomerFactory.create(user=None)
        self.ticket = ServiceTicketFactory.create(
            customer=self.customer, mechanics=[self.mechanic], parts=[(self.part, 2)]
        )

    def team(self, *ids: int) -> None:
        assignment.set_team(ticket=self.ticket, mechanic_ids=ids, actor=COMMAND)

    def move(self, to: str) -> None:
        lifecycle.transition(ticket=self.ticket, to=to, actor=COMMAND)

    def change_part(self, **fields: Any) -> None:
        part_shelf.change_part(part=self.part, fields=fields, actor=COMMAND)

    def approve_and_assign(self) -> None:
        mechanic_desk.approve(mechanic=self.other, actor=COMMAND)
        assignment.assign(ticket=self.ticket, mechanic_id=self.other.pk, actor=COMMAND)

    def save(self, row: Any, field: str, value: Any) -> None:
        row.refresh_from_db()
        setattr(row, field, value)
        row.save()

    def open(self) -> None:
        lifecycle.open_ticket(
            customer_id=self.customer.pk,
            vin=valid_vin(1),
            service_desc="Brakes",
            service_date=datetime.date(2025, 6, 1),
            actor=COMMAND,
        )


PERSON: dict[str, Any] = {
    "name": "Ann New",
    "phone": "+1 555 0199",
    "password": PASSWORD,
    "actor": COMMAND,
}
NEW_PART = {"part_name": "A new part", "price": Decimal(5)}
CHANGES: dict[str, dict[str, Callable[[Shop], Any]]] = {
    "customers": {
        "register": lambda s: customer_desk.register_customer(email="ann@example.com", **PERSON),
        "enter_walk_in": lambda s: customer_desk.enter_walk_in(name="Walk In", actor=COMMAND),
        "change": lambda s: customer_desk.change_customer(
            customer=s.customer, name="Changed", actor=COMMAND
        ),
        "close": lambda s: customer_desk.close_customer(customer=s.customer, actor=COMMAND),
        "open_ticket": Shop.open,
        "delete_ticket": lambda s: lifecycle.delete_ticket(ticket=s.ticket, actor=COMMAND),
        "plain save": lambda s: s.save(s.customer, "phone", "+1 555 0000"),
        "plain delete": lambda s: s.walk_in.delete(),
        "plain create": lambda s: Customer.objects.create(name="Plain"),
    },
    "mechanics": {
        "register": lambda s: mechanic_desk.register_mechanic(email="ann@example.com", **PERSON),
        "approve": lambda s: mechanic_desk.approve(mechanic=s.other, actor=COMMAND),
        "change name": lambda s: mechanic_desk.change_mechanic(
            mechanic=s.mechanic, name="Changed", actor=COMMAND
        ),
        "change e-mail": lambda s: mechanic_desk.change_mechanic(
            mechanic=s.mechanic, email="changed@example.com", actor=COMMAND
        ),
        "close": lambda s: mechanic_desk.close_mechanic(mechanic=s.mechanic, actor=COMMAND),
        "plain save": lambda s: s.save(s.mechanic, "salary", Decimal(1)),
        "plain save of the account": lambda s: s.save(s.mechanic.user, "email", "x@example.com"),
        "plain delete": lambda s: s.other.delete(),
    },
    "inventory": {
        "enter": lambda s: part_shelf.enter_part(
            fields=NEW_PART, quantity_in_stock=1, actor=COMMAND
        ),
        "change": lambda s: s.change_part(part_name="Changed"),
        "delete": lambda s: part_shelf.delete_part(part=s.spare, actor=COMMAND),
        "receive": lambda s: stock.receive(part=s.part, quantity=3, actor=COMMAND),
        "count": lambda s: stock.set_quantity(part=s.part, quantity=3, actor=COMMAND),
        "take": lambda s: stock.take(part_id=s.part.pk, quantity=1, reference="", actor=COMMAND),
        "put back": lambda s: stock.put_back(
            part_id=s.part.pk, quantity=1, reference="", actor=COMMAND
        ),
        "add to a ticket": lambda s: ticket_parts.add_part(
            ticket=s.ticket, part_id=s.spare.pk, quantity=1, actor=COMMAND
        ),
        "remove from a ticket": lambda s: ticket_parts.remove_line(
            ticket=s.ticket, line_id=s.ticket.part_lines.get().pk, actor=COMMAND
        ),
        "cancel": lambda s: s.move("cancelled"),
        "delete the ticket": lambda s: lifecycle.delete_ticket(ticket=s.ticket, actor=COMMAND),
        "plain save": lambda s: s.save(s.part, "location", "elsewhere"),
        "plain delete": lambda s: s.spare.delete(),
    },
    "service_tickets": {
        "open": Shop.open,
        "edit": lambda s: lifecycle.edit_ticket(
            ticket=s.ticket, fields={"service_desc": "Changed"}, actor=COMMAND
        ),
        "move": lambda s: s.move("in_progress"),
        "cancel": lambda s: s.move("cancelled"),
        "delete": lambda s: lifecycle.delete_ticket(ticket=s.ticket, actor=COMMAND),
        "assign": Shop.approve_and_assign,
        "release": lambda s: assignment.release(
            ticket=s.ticket, mechanic_id=s.mechanic.pk, actor=COMMAND
        ),
        "set team": Shop.team,
        "change team": lambda s: assignment.change_team(
            ticket=s.ticket, remove_ids=[s.mechanic.pk], actor=COMMAND
        ),
        "add part": lambda s: ticket_parts.add_part(
            ticket=s.ticket, part_id=s.part.pk, quantity=1, actor=COMMAND
        ),
        "remove part": lambda s: ticket_parts.remove_line(
            ticket=s.ticket, line_id=s.ticket.part_lines.get().pk, actor=COMMAND
        ),
        "customer's name": lambda s: customer_desk.change_customer(
            customer=s.customer, name="Changed", actor=COMMAND
        ),
        "customer closes": lambda s: customer_desk.close_customer(
            customer=s.customer, actor=COMMAND
        ),
        "mechanic's e-mail": lambda s: mechanic_desk.change_mechanic(
            mechanic=s.mechanic, email="changed@example.com", actor=COMMAND
        ),
        "mechanic leaves": lambda s: mechanic_desk.close_mechanic(
            mechanic=s.mechanic, actor=COMMAND
        ),
        "part's price": lambda s: s.change_part(price=Decimal(1)),
        "part's stock": lambda s: stock.receive(part=s.part, quantity=3, actor=COMMAND),
        "plain save": lambda s: s.save(s.ticket, "notes", "Changed"),
        "plain save of a mechanic": lambda s: s.save(s.mechanic, "name", "Changed"),
        "plain delete of an assignment": lambda s: Assignment.objects.get().delete(),
        "plain delete of a line": lambda s: PartLine.objects.get().delete(),
    },
}
EVERY_CHANGE = [(path, name) for path, changes in CHANGES.items() for name in changes]
