"""Service tickets for tests, made by the shop's own verbs."""

import datetime
from collections.abc import Iterable
from typing import Any

import factory

from autoful.actor import COMMAND
from customers.tests.factories import CustomerFactory, valid_vin
from inventory.models import Part
from mechanics.models import Mechanic
from tickets.assignment import assign
from tickets.lifecycle import open_ticket, transition
from tickets.models import ServiceTicket
from tickets.parts import add_part

Status = ServiceTicket.Status

# The moves by which a new ticket comes to each status.
WAYS: dict[str, tuple[str, ...]] = {
    Status.PENDING: (),
    Status.IN_PROGRESS: (Status.IN_PROGRESS,),
    Status.ON_HOLD: (Status.ON_HOLD,),
    Status.COMPLETED: (Status.IN_PROGRESS, Status.COMPLETED),
    Status.CANCELLED: (Status.CANCELLED,),
}


class ServiceTicketFactory(factory.django.DjangoModelFactory[ServiceTicket]):
    """A ticket with its vehicle: `ServiceTicketFactory(mechanics=[mike], parts=[(pads, 2)])`.

    The team and the parts are put on it before it moves to `status`.
    """

    class Meta:
        model = ServiceTicket

    customer = factory.SubFactory(CustomerFactory)
    vin = factory.Sequence(lambda n: valid_vin(500_000 + n))
    service_desc = "Oil change"
    service_date = datetime.date(2025, 3, 14)
    status = Status.PENDING
    mechanics: Iterable[Mechanic] = ()
    parts: Iterable[tuple[Part, int]] = ()

    @classmethod
    def _create(cls, model_class: type[ServiceTicket], *args: Any, **fields: Any) -> ServiceTicket:
        status = fields.pop("status")
        mechanics, parts = fields.pop("mechanics"), fields.pop("parts")
        ticket = open_ticket(customer_id=fields.pop("customer").pk, actor=COMMAND, **fields)
        for mechanic in mechanics:
            assign(ticket=ticket, mechanic_id=mechanic.pk, actor=COMMAND)
        for part, quantity in parts:
            add_part(ticket=ticket, part_id=part.pk, quantity=quantity, actor=COMMAND)
        for move in WAYS[status]:
            transition(ticket=ticket, to=move, actor=COMMAND)
        ticket.refresh_from_db()
        return ticket
