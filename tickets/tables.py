"""The tickets of a customer and of a vehicle, on their pages."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from autoful.admin.inlines import ReadOnlyFormSet, ReadOnlyInline
from customers.admin import CustomerAdmin, VehicleAdmin
from customers.models import Customer, Vehicle
from tickets.models import ServiceTicket

OFFERED = 6  # vehicles of a customer for which a ticket is a click away


class TicketsFormSet(ReadOnlyFormSet):
    """Offers new tickets, too: of each way its title, and the form that is filled in so far."""

    @property
    def for_known(self) -> list[tuple[str, str]]:
        """For a vehicle, or for those of a customer: told to whoever may see vehicles."""
        if isinstance(self.instance, Vehicle):
            return [("New ticket", _new(vehicle=self.instance.pk))]
        customer: Customer = self.instance
        return [
            (f"New ticket: {car.described} {car.plate}", _new(vehicle=car.pk, customer=customer.pk))
            for car in customer.vehicles.order_by("-id")[:OFFERED]
        ]

    @property
    def for_another(self) -> list[tuple[str, str]]:
        """For what else a customer brings."""
        if isinstance(self.instance, Vehicle) or self.instance.deleted_at:
            return []
        return [("New ticket: another vehicle", _new(customer=self.instance.pk))]


def _new(**known: Any) -> str:
    return f"{reverse('admin:tickets_serviceticket_add')}?{urlencode(known)}"


class TicketsTable(ReadOnlyInline):
    model = ServiceTicket
    formset = TicketsFormSet
    verbose_name_plural = f"Tickets: the latest {ReadOnlyFormSet.limit}"
    ordering = ("-id",)
    template_before = "admin/tickets/new_for.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("customer", "vehicle")

    @display(description="no.")
    def number(self, ticket: ServiceTicket) -> SafeString:
        url = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
        link = '<a href="{}" class="text-primary-600 dark:text-primary-400">#{}</a>'
        return format_html(link, url, ticket.pk)

    @display(description="status")
    def state(self, ticket: ServiceTicket) -> str:
        return ticket.get_status_display()

    @display(description="work")
    def work(self, ticket: ServiceTicket) -> str:
        return Truncator(ticket.service_desc).chars(80)


@CustomerAdmin.also_shows
class TicketsOfCustomer(TicketsTable):
    fk_name = "customer"
    fields = ("number", "service_date", "vehicle", "work", "state")


@VehicleAdmin.also_shows
class TicketsOfVehicle(TicketsTable):
    fk_name = "vehicle"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Of a car that has changed hands they tell who had it before.
        owner = ["customer"] if request.user.has_perm("customers.view_customer") else []
        return ["number", "service_date", *owner, "work", "mileage", "state"]
