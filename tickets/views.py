from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from autoful.actor import Role
from autoful.api.permissions import IsCustomer, PublicRead, WorksHere
from autoful.api.preconditions import tagged
from autoful.api.viewsets import ShopViewSet
from autoful.api.whole_lists import Whole
from autoful.prepared import Prepared
from customers.models import Customer
from customers.vehicles import check_digit_warning
from tickets import assignment, lifecycle, parts
from tickets.errors import TicketNotFound
from tickets.filters import PublicTicketFilter, TicketFilter
from tickets.models import ServiceTicket
from tickets.schema import my_ticket_docs, ticket_docs
from tickets.serializers import (
    AddPartSerializer,
    EditTicketSerializer,
    MyTicketSerializer,
    OpenTicketSerializer,
    PublicTicketSerializer,
    ServiceTicketSerializer,
    ShopTicketSerializer,
    TeamSerializer,
)


@ticket_docs
class ServiceTicketViewSet(ShopViewSet):
    """Service tickets, their teams and their parts."""

    list_name = "service_tickets"
    view_permission = "tickets.view_serviceticket"
    not_found = TicketNotFound
    permissions = {
        "list": PublicRead(),
        "retrieve": PublicRead(),
        "create": WorksHere("tickets.add_serviceticket"),
        "destroy": WorksHere("tickets.delete_serviceticket"),
        **dict.fromkeys(
            [
                "partial_update",
                "assign_mechanic",
                "remove_mechanic",
                "edit_mechanics",
                "add_inventory",
                "remove_inventory",
            ],
            WorksHere("tickets.change_serviceticket"),
        ),
    }
    inputs = {
        "create": OpenTicketSerializer,
        "partial_update": EditTicketSerializer,
        "edit_mechanics": TeamSerializer,
        "add_inventory": AddPartSerializer,
    }
    public_serializer_class = PublicTicketSerializer
    owner, owner_column = Role.CUSTOMER, "customer_id"
    filterset_class = TicketFilter
    public_filterset_class = PublicTicketFilter

    def get_queryset(self) -> Any:
        return ServiceTicket.objects.order_by("-id")

    @property
    def serializer_class(self) -> Any:  # type: ignore[override]
        return ShopTicketSerializer if self.sees_all() else ServiceTicketSerializer

    def create(self, request: Request) -> Response:
        ticket = lifecycle.open_ticket(**self.body(), actor=self.actor)
        return self._written(ticket, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        ticket = self.get_object()
        fields = self.body()
        move = {name: fields.pop(name) for name in ("status", "reason") if name in fields}
        return self._written(
            lifecycle.edit_ticket(ticket=ticket, fields=fields, **move, actor=self.actor)
        )

    def destroy(self, request: Request, pk: str) -> Response:
        lifecycle.delete_ticket(ticket=self.get_object(), actor=self.actor)
        return Response({"message": "Service Ticket deleted successfully"})

    @action(
        detail=True,
        methods=["put"],
        url_path="assign-mechanic/(?P<mechanic_id>[0-9]{1,18})",
    )
    def assign_mechanic(self, request: Request, pk: str, mechanic_id: str) -> Response:
        ticket = self.get_object()
        return self._written(
            assignment.assign(ticket=ticket, mechanic_id=int(mechanic_id), actor=self.actor)
        )

    @action(
        detail=True,
        methods=["put"],
        url_path="remove-mechanic/(?P<mechanic_id>[0-9]{1,18})",
    )
    def remove_mechanic(self, request: Request, pk: str, mechanic_id: str) -> Response:
        ticket = self.get_object()
        return self._written(
            assignment.release(ticket=ticket, mechanic_id=int(mechanic_id), actor=self.actor)
        )

    @action(detail=True, methods=["put"], url_path="edit-mechanics")
    def edit_mechanics(self, request: Request, pk: str) -> Response:
        ticket = self.get_object()
        body = self.body()
        change = assignment.set_team if "mechanic_ids" in body else assignment.change_team
        return self._written(change(ticket=ticket, **body, actor=self.actor))

    @action(detail=True, methods=["post"], url_path="add-inventory")
    def add_inventory(self, request: Request, pk: str) -> Response:
        ticket = self.get_object()
        body = self.body()
        quantity = body["quantity_used"]
        added = parts.add_part(
            ticket=ticket,
            part_id=body["inventory_id"],
            quantity=quantity,
            actor=self.actor,
        )
        answer = {
            "message": f"Added {quantity}x {added.part.part_name} to service ticket",
            "part": added.part.part_name,
            "quantity_used": added.line.quantity_used,
            "stock_remaining": added.part.quantity_in_stock,
            "service_inventory_id": added.line.pk,
        }
        return tagged(Response(answer, status=201 if added.is_new else 200), added.line.ticket)

    @action(
        detail=True,
        methods=["put"],
        url_path="remove-inventory/(?P<line_id>[0-9]{1,18})",
    )
    def remove_inventory(self, request: Request, pk: str, line_id: str) -> Response:
        ticket = self.get_object()
        line, part = parts.remove_line(ticket=ticket, line_id=int(line_id), actor=self.actor)
        answer = {
            "message": f"Removed {line.quantity_used}x {part.part_name} from service ticket",
            "part": part.part_name,
            "quantity_restored": line.quantity_used,
            "stock_remaining": part.quantity_in_stock,
        }
        return tagged(Response(answer), line.ticket)

    def _written(self, ticket: ServiceTicket, status: int = 200) -> Response:
        """The ticket as the verb left it, with a warning when its VIN looks mistyped."""
        warning = check_digit_warning(ticket.vin)
        more = {"warnings": {"VIN": [warning]}} if warning else {}
        return self.answer(ticket, status, more=more)


def tickets_of(customer: int) -> QuerySet[ServiceTicket]:
    """A customer's, newest first."""
    return ServiceTicket.objects.order_by("-id").filter(customer=customer)


TICKET_COUNT = Prepared(lambda n: Customer.objects.filter(pk=n).values_list("ticket_count"))


@my_ticket_docs
class MyTicketViewSet(ShopViewSet):
    """The tickets of the customer who asks."""

    list_name = "my_tickets"
    view_permission = "tickets.view_serviceticket"
    not_found = TicketNotFound
    permissions = {"my_tickets": IsCustomer()}
    inputs = {}
    serializer_class = public_serializer_class = MyTicketSerializer

    def get_queryset(self) -> Any:
        return tickets_of(self.actor.profile_id or 0)

    @action(detail=False)
    def my_tickets(self, request: Request) -> HttpResponseBase:
        customer = self.actor.profile_id or 0
        mine = Whole(tickets_of, TICKET_COUNT.asked(customer), of=(customer,))
        return self.found(self.rows(mine, "tickets"))
