"""What may be typed on a ticket's pages."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from customers.models import Customer, Vehicle
from customers.vehicles import normalize_vin
from tickets.models import ServiceTicket

SURE = "same_vehicle"  # asked for when the vehicle is another customer's


class TickFor(UnfoldBooleanWidget):
    """A box to tick, which says by its value what it was ticked for."""

    def __init__(self, about: str) -> None:
        super().__init__(check_test=lambda ticked: ticked == about)
        self.about = about

    def format_value(self, value: Any) -> str:
        return self.about

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        return str(data.get(name, ""))


class TicketForm(forms.ModelForm):
    """A ticket. Whose car it is, is asked before it goes onto somebody else's ticket: a history that was
    mixed up by a wrong VIN is not put in order by writing the right one.
    """

    # The VIN for which the box was ticked; there is no box until there is something to ask.
    same_vehicle = forms.CharField(
        required=False, label="It is this vehicle", widget=forms.HiddenInput
    )
    # Whether whoever fills it in may know what is there already.
    names_owners = names_vehicles = False

    class Meta:
        model = ServiceTicket
        fields = ("vin", "service_desc", "notes", "service_date", "mileage")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop(SURE, None)  # an address does not answer what was not asked

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        vin, customer = self._vin(), self._customer()
        theirs = Vehicle.objects.filter(vin=vin).select_related("customer")
        if vin and customer and (other := theirs.of_another(customer).first()):
            if SURE in self.fields:
                self.fields[SURE].widget = TickFor(vin)
            if cleaned.get(SURE) != vin:
                self._ask(other)
        return cleaned

    def _vin(self) -> str:
        """The VIN that the ticket is to have and has not."""
        typed = self.cleaned_data.get("vin", "")
        return normalize_vin(typed) if typed and "vin" in self.changed_data else ""

    def _customer(self) -> Customer | None:
        return self.instance.customer

    def _ask(self, vehicle: Vehicle) -> None:
        what = f"the {vehicle.described}" if self.names_vehicles else "a vehicle"
        owner = str(vehicle.customer) if self.names_owners else "another customer"
        self.add_error(
            "vin",
            f"This is {what} of {owner}. If the ticket is for that one, tick “It is this vehicle”.",
        )


class NewTicketForm(TicketForm):
    """A new one, for a vehicle that is picked or one whose VIN is typed."""

    class Meta(TicketForm.Meta):
        fields = ("vehicle", "customer", *TicketForm.Meta.fields)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, help_text in (
            ("vehicle", "Known vehicle", "Find it by plate, VIN, make, or its owner."),
            ("vin", "VIN", "Of a vehicle that is new here."),
            ("customer", "Customer", "Empty: the vehicle's owner."),
        ):
            if name in self.fields:
                self.fields[name].required = False
                self.fields[name].label, self.fields[name].help_text = label, help_text

    def clean(self) -> Any:
        self._take_from_vehicle()
        cleaned = super().clean()
        if not self.cleaned_data.get("vin") and not self.errors.keys() & {"vin", "vehicle"}:
            self.add_error("vehicle", "Find the vehicle here, or type its VIN below.")
        if not self._customer() and "customer" not in self.errors:
            self.add_error(
                "customer", "Whose ticket is it? The shop knows no owner of this vehicle."
            )
        return cleaned

    def _take_from_vehicle(self) -> None:
        cleaned = self.cleaned_data
        vehicle, vin = cleaned.get("vehicle"), cleaned.get("vin", "")
        if vehicle is None and vin:
            vehicle = Vehicle.objects.filter(vin=normalize_vin(vin)).first()
        elif vehicle is not None and vin and normalize_vin(vin) != vehicle.vin:
            self.add_error("vin", "This is another VIN than that of the vehicle above.")
        if vehicle is not None:
            cleaned["vin"] = vehicle.vin
            cleaned["customer"] = cleaned.get("customer") or vehicle.customer

    def _vin(self) -> str:
        return str(self.cleaned_data.get("vin", ""))

    def _customer(self) -> Customer | None:
        return self.cleaned_data.get("customer")


class ReasonForm(forms.Form):
    reason = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
