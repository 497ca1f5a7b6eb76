"""Customers and their vehicles in a spreadsheet."""

from collections.abc import Sequence
from typing import Any

from django import forms

from autoful.sheets.cells import holdable
from autoful.sheets.columns import Column, Number, Text, YesNo
from autoful.sheets.entries import Entry
from autoful.sheets.sheet import RowForm, ShopSheet, number_column, state_column
from customers.forms import CustomerForm
from customers.models import Customer, Vehicle
from customers.querysets import Way, ways_to_reach
from customers.vehicles import normalize_plate, normalize_vin, vin_warning


class CustomerRowForm(RowForm, CustomerForm): ...


class VehicleRowForm(RowForm):
    customer = forms.ModelChoiceField(
        Customer.objects.existing(),
        required=False,
        error_messages={"invalid_choice": "There is no customer with this number."},
    )

    class Meta:
        model = Vehicle
        fields = ("vin", "customer", "plate", "colour", "make", "model", "year", "mileage")

    def clean_plate(self) -> str:
        # As it would be stored, or a file would change it anew each time; but what was stored before
        # plates had one spelling goes out and comes back as it is.
        plate, before = self.cleaned_data["plate"], self.initial.get("plate", "")
        same = holdable(plate) == holdable(before)
        return before if same else normalize_plate(plate)


class CustomerSheet(ShopSheet):
    """Who has closed the account is in no sheet."""

    model, form = Customer, CustomerRowForm

    number = number_column()
    name = Column("Name", "name", told="Required.")
    email = Column("E-mail", "email")
    phone = Column("Phone", "phone")
    signs_in = Column("Signs in", "user_id", YesNo(), read=False)
    tickets = Column("Tickets", "ticket_count", Number(), read=False)
    state = state_column()

    def __init__(self, page: Any, user: Any) -> None:
        super().__init__(page, user)
        self.mentioned: dict[Way, int] = {}
        self.reached: dict[Way, int] = {}

    def look_around(self, entries: Sequence[Entry]) -> None:
        ways = {way for e in entries if e.known is None for way in _ways(e.values)}
        self.reached = self.existing().who_is_reached(ways)

    def rows(self, rows: Any) -> Any:
        return rows.existing()

    def existing(self) -> Any:
        return Customer.objects.existing()

    def remarks(self, entry: Entry, before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        # A family may share a phone, so it is for people to say.
        said = []
        if entry.known and not entry.values.get("updated_at") and "name" in cleaned:
            # An old program's numbers are not ours.
            known = self.existing().filter(pk=entry.known.pk).exclude(name=cleaned["name"])
            said += [f"This is {name} until now." for name in known.values_list("name", flat=True)]
        for way in _ways(cleaned) if entry.known is None else ():
            name = self.by_field[way[0]].column_name.lower()
            row = self.mentioned.setdefault(way, entry.number)
            if row != entry.number:
                said.append(f"Row {row} has this {name}, too.")
            if (pk := self.reached.get(way)) is not None:
                said.append(
                    f"Customer {pk} has this {name}, too. If they are the "
                    "same, write that number into the column No."
                )
        return said


def _ways(values: dict[str, Any]) -> list[Way]:
    return ways_to_reach(phone=values.get("phone") or "", email=values.get("email") or "")


class Vin(Text):
    """In the one spelling in which a vehicle is looked up."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return normalize_vin(super().clean(value))


class VehicleSheet(ShopSheet):
    model, form, key = Vehicle, VehicleRowForm, "vin"

    number = number_column()
    vin = Column(
        "VIN", "vin", Vin(), told="Tells which vehicle it is where there is no No. Required."
    )
    plate = Column("Plate", "plate")
    make = Column("Make", "make", told="Empty for a new one: from the VIN, as the next two.")
    car_model = Column("Model", "model")
    year = Column("Year", "year", Number())
    colour = Column("Colour", "colour")
    mileage = Column("Mileage", "mileage", Number())
    customer = Column(
        "Customer no.", "customer", Number(), written="customer_id", told="The owner's number."
    )
    owner = Column("Owner", "owner", read=False, written="customer__name")
    state = state_column()

    def hidden(self, user: Any) -> set[str]:
        return set() if user.has_perm("customers.view_customer") else {"owner"}

    def rows(self, rows: Any) -> Any:
        return rows.select_related("customer")

    def remarks(self, entry: Entry, before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        vin = cleaned.get("vin", "")
        typed = entry.known is None or vin != before["vin"]
        warning = vin_warning(vin) if typed else None
        return [warning] if warning else []
