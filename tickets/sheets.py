"""Service tickets in a spreadsheet."""

from collections.abc import Sequence
from typing import Any

from django import forms

from autoful.actor import Actor
from autoful.sheets.columns import Choice, Column, Day, Number
from autoful.sheets.entries import Entry
from autoful.sheets.sheet import RowForm, ShopSheet, number_column, state_column
from customers.models import Customer, Vehicle
from customers.sheets import Vin
from customers.vehicles import normalize_vin, vin_warning
from tickets.lifecycle import edit_ticket
from tickets.models import ServiceTicket

Status = ServiceTicket.Status


class TicketRowForm(RowForm):
    customer = forms.ModelChoiceField(
        # Of a ticket that is there also one who has closed the account; a new one is the verb's to refuse.
        Customer.objects.all(),
        error_messages={"invalid_choice": "There is no customer with this number."},
    )

    class Meta:
        model = ServiceTicket
        fields = (
            *("customer", "vin", "service_desc", "notes"),
            *("service_date", "mileage", "status"),
        )

    def clean_customer(self) -> Customer:
        customer: Customer = self.cleaned_data["customer"]
        if self.instance.pk is not None and self.instance.customer_id != customer.pk:
            raise forms.ValidationError("A ticket stays with its customer.")
        return customer


class TicketSheet(ShopSheet):
    """The status moves as everywhere: one step, and only where the table of moves allows it."""

    model, form = ServiceTicket, TicketRowForm

    number = number_column()
    customer = Column(
        "Customer no.",
        "customer",
        Number(),
        written="customer_id",
        told="Whose ticket it is. Required.",
    )
    customer_name = Column("Customer", "customer_name", read=False, written="customer__name")
    vin = Column("VIN", "vin", Vin(), told="Required.")
    service_desc = Column("Description", "service_desc", told="The customer sees this. Required.")
    notes = Column("Notes", "notes", told="Internal: the customer never sees this.")
    service_date = Column("Service date", "service_date", Day(), told="2026-03-31. Required.")
    mileage = Column("Mileage in", "mileage", Number())
    status = Column(
        "Status", "status", Choice(Status), told="Empty: pending for a new one, else as it is."
    )
    team = Column("Team", "team", read=False)
    state = state_column()

    def rows(self, rows: Any) -> Any:
        return rows.select_related("customer").with_team()

    def dehydrate_team(self, ticket: ServiceTicket) -> str:
        return ", ".join(one.mechanic.name for one in ticket.assignments.all())

    def __init__(self, page: Any, user: Any) -> None:
        super().__init__(page, user)
        self._names_owners = user.has_perm("customers.view_customer")
        self._owners: dict[str, int | None] = {}  # of the vehicles that are here

    def look_around(self, entries: Sequence[Entry]) -> None:
        vins = {normalize_vin(str(vin)) for e in entries if (vin := e.values.get("vin"))}
        known = Vehicle.objects.filter(vin__in=vins)
        self._owners = dict(known.values_list("vin", "customer"))

    def remarks(self, entry: Entry, before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        vin = cleaned.get("vin", "")
        customer = entry.known.customer if entry.known else cleaned.get("customer")
        owner = self._owners.get(vin)
        if not vin or (entry.known and before.get("vin") == vin):
            return []
        if vin not in self._owners:
            return [warning] if (warning := vin_warning(vin)) else []
        if not customer or owner in (None, customer.pk):
            return []
        whose = f"customer {owner}'s" if self._names_owners else "another customer's"
        return [f"The vehicle is {whose}."]

    def title(self, row: ServiceTicket) -> str:
        number = f"#{row.pk} " if row.pk else ""
        return f"{number}{row.service_desc}"[:100]

    def enter(self, fields: dict[str, Any], actor: Actor) -> ServiceTicket:
        status = fields.pop("status", Status.PENDING)
        ticket: ServiceTicket = super().enter(fields, actor)
        return edit_ticket(ticket=ticket, fields={}, status=status, actor=actor)

    def change(self, row: ServiceTicket, changed: dict[str, Any], actor: Actor) -> None:
        status = changed.pop("status", None)
        edit_ticket(ticket=row, fields=changed, status=status, actor=actor)
