"""The back office: tickets with their team, parts and timeline."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, TextField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.text import Truncator
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from autoful.accounts.admin import UserAdmin
from autoful.accounts.models import User
from autoful.actor import Actor
from autoful.admin.lists import SEARCHED
from autoful.admin.people import back_office
from autoful.sheets.pages import SheetPages
from customers.finding import customers_found, vehicles_found
from customers.querysets import vin_begins
from mechanics.models import first_name
from tickets.filters import DueFilter
from tickets.forms import SURE, NewTicketForm, TicketForm, is_same_car
from tickets.inlines import PartLineInline, TeamInline
from tickets.lifecycle import (
    delete_ticket,
    delete_tickets,
    edit_ticket,
    open_ticket,
)
from tickets.models import OWN_WORK, ServiceTicket
from tickets.moves import MovePages
from tickets.records import by_number
from tickets.remarks import (
    Before,
    about_mileage,
    about_vehicle,
    about_vin,
    about_work,
    left_alone,
    left_behind,
)
from tickets.sheets import TicketSheet
from tickets.tables import TicketsOfCustomer, TicketsOfVehicle
from tickets.timeline import Timeline
from tickets.walk_in import WalkInPage

__all__ = ["ServiceTicketAdmin", "TicketsOfCustomer", "TicketsOfVehicle"]

Status = ServiceTicket.Status

EARLIER = 5  # tickets of the same vehicle
LATEST = 30  # events of the timeline; the history has all

COLOURS = {
    Status.PENDING: "info",
    Status.IN_PROGRESS: "primary",
    Status.ON_HOLD: "warning",
    Status.COMPLETED: "success",
    Status.CANCELLED: "danger",
}


UserAdmin.remarks.append(about_work)


@admin.register(ServiceTicket)
class ServiceTicketAdmin(WalkInPage, MovePages, SheetPages):
    sheet = TicketSheet
    list_display = ("number", "customer", "vehicle", "work", "team", "service_date", "state")
    list_filter = ("status", DueFilter, "service_date")
    list_select_related = ("customer", "vehicle")
    sortable_by = ("number", "service_date", "state")  # what an index has in order
    search_fields = SEARCHED
    search_help_text = (
        "Number, VIN, plate, make, model, customer or phone; words of the description in the newest "
        "20,000."
    )
    ordering = ("-id",)
    autocomplete_fields = ("customer", "vehicle")
    form = TicketForm
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    change_form_outer_before_template = "admin/tickets/above.html"
    change_form_outer_after_template = "admin/tickets/timeline.html"
    fieldsets = (
        (None, {"fields": ("vin", SURE)}),
        ("Work", {"fields": ("service_desc", "notes", ("service_date", "mileage"))}),
    )
    add_fieldsets = (
        (None, {"fields": ("vehicle", "vin", "customer", SURE)}),
        ("Work", {"fields": ("service_desc", "notes", ("service_date", "mileage"))}),
    )
    delete_notice = (
        "The ticket is removed with its team and timeline, and its parts go back into stock. "
        "To keep it for the books, cancel it instead."
    )

    icon = "build"
    history_of = Timeline

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        ways = [*by_number(text, "pk"), vin_begins(text)]
        cars = vehicles_found(request, text, service_tickets__in=among)
        customers = customers_found(request, text, service_tickets__in=among)
        ways += [Q(vehicle__in=cars), Q(customer__in=customers)]
        return [*ways, self.recently(Q(service_desc__icontains=text))]

    def is_number_of(self, text: str, row: ServiceTicket) -> bool:
        return by_number(text, "pk") == [Q(pk=row.pk)]

    def find(self, request: HttpRequest, text: str) -> Any:
        """By its number; or what is open of the customers and the cars that the box finds too: whoever
        calls about their car asks for that."""
        tickets = self.get_queryset(request).select_related("customer", "vehicle")
        numbered = tickets.filter(*by_number(text, "pk"))
        if by_number(text, "pk") and numbered.exists():
            return numbered
        whose = Q(customer__in=customers_found(request, text))
        found = whose | Q(vehicle__in=vehicles_found(request, text))
        return tickets.filter(found, status__in=ServiceTicket.OPEN).order_by("-pk")

    def found_as(self, request: HttpRequest, row: ServiceTicket) -> tuple[str, str]:
        return f"#{row.pk} {row.customer}", f"{row.vehicle}, {row.get_status_display().lower()}"

    @display(description="no.", ordering="id")
    def number(self, ticket: ServiceTicket) -> str:
        return f"#{ticket.pk}"

    @display(description="status", ordering="status", label=COLOURS)
    def state(self, ticket: ServiceTicket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()

    @display(description="work")
    def work(self, ticket: ServiceTicket) -> str:
        return Truncator(ticket.service_desc).chars(60)

    @display(description="team")
    def team(self, ticket: ServiceTicket) -> str:
        return ", ".join(first_name(a.mechanic.name) for a in ticket.assignments.all()) or "-"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Which tickets, get_queryset says.
        return self.sees_all(request) or bool(request.user.has_perm(OWN_WORK))

    def sees_all(self, request: HttpRequest) -> bool:
        return bool(super().has_view_permission(request))

    def get_queryset(self, request: HttpRequest) -> Any:
        tickets = super().get_queryset(request).with_team()
        sees_own = not self.sees_all(request) and request.user.has_perm(OWN_WORK)
        return tickets.worked_on_by(request.user) if sees_own else tickets

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [TeamInline, PartLineInline]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        sees = request.user.has_perm
        names = {"names_owners": sees("customers.view_customer")}
        names["names_vehicles"] = sees("customers.view_vehicle")
        names["corrects_vehicles"] = names["names_vehicles"] and sees("customers.change_vehicle")
        asked = TicketForm if change else NewTicketForm
        form = type(asked.__name__, (asked,), names)
        return super().get_form(request, obj, change=change, **({"form": form} | kwargs))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        # Who only reads a ticket is asked nothing.
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return [
            (title, options | {"fields": [name for name in options["fields"] if name != SURE]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"service_date": timezone.localdate()} | super().get_changeform_initial_data(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        ticket = self.get_object(request, object_id)
        more = {}
        if ticket is not None:
            more = {"moves": self.moves(request, ticket), **self.at_a_glance(request, ticket)}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def at_a_glance(self, request: HttpRequest, ticket: ServiceTicket) -> dict[str, Any]:
        """Who brings which car, what was done to it before, and what has happened to this ticket."""
        tickets = self.get_queryset(request)
        before = tickets.filter(vehicle=ticket.vehicle_id, pk__lt=ticket.pk)
        # When the page is written, and not while somebody else waits for what a save has locked.
        told: Any = SimpleLazyObject(lambda: self.history(request, ticket).read(0, LATEST + 1))
        return {
            "ticket": ticket,
            "sees_all": self.sees_all(request),
            "before": before.prefetch_related(None).order_by("-id")[:EARLIER],
            "parts_total": ticket.parts_total(),
            "currency": settings.AUTOFUL_CURRENCY,
            "timeline": SimpleLazyObject(lambda: told[:LATEST]),
            "told_more": SimpleLazyObject(lambda: len(told) > LATEST),
        }

    def enter(self, fields: dict[str, Any], actor: Actor) -> ServiceTicket:
        # The VIN says which vehicle.
        told = {name: typed for name, typed in fields.items() if name in TicketForm.Meta.fields}
        return open_ticket(customer_id=fields["customer"].pk, actor=actor, **told)

    def change(self, obj: ServiceTicket, changed: dict[str, Any], actor: Actor) -> None:
        same_car = is_same_car(changed.get(SURE, ""))
        edit_ticket(ticket=obj, fields=changed, same_car=same_car, actor=actor)

    def remove(self, obj: ServiceTicket, actor: Actor) -> None:
        delete_ticket(ticket=obj, actor=actor)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        ticket_ids = queryset.values_list("pk", flat=True)
        delete_tickets(ticket_ids=ticket_ids, actor=back_office(request))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        had, before = (obj.vehicle_id, form.initial.get("mileage")), Before.of(obj.vin)
        on_the_clock = obj.vehicle.mileage if change else None
        super().save_model(request, obj, form, change)
        typed, user = form.changed_data, cast(User, request.user)
        another_vehicle = not change or obj.vehicle_id != had[0]
        told = [*about_vin(obj, before)] if "vin" in typed else []
        if not another_vehicle:
            # Under the VIN that was written first there may be another car by now.
            before = Before(known=True, mileage=on_the_clock)
        told += about_vehicle(obj, before, user) if another_vehicle else []
        if another_vehicle or "mileage" in typed:
            told += about_mileage(obj, before, user, was=had[1])
        told += left_behind(*had, user) if change and (obj.vehicle_id, obj.mileage) != had else []
        told += left_alone(had[0], user) if change and another_vehicle else []
        for remark in told:
            self.message_user(request, remark, messages.WARNING)
