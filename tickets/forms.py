"""What may be typed on a ticket's pages."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from customers.models import Customer, Vehicle, validate_vin
from customers.vehicles import normalize_vin, vin_doubt
from tickets.models import ServiceTicket

SURE = "sure_of_vin"  # the answer to what is asked about a VIN: the VIN it was given for, behind
RIGHT = "right "  # it is typed correctly
NEW_CAR = "new "  # it is another car, which is new here
SAME_CAR = "same "  # it is the ticket's own car's, corrected
THIS_CAR = "this "  # it is a car of another customer


def is_same_car(answer: str) -> bool:
    """Whether the VIN that was typed is that of the ticket's own vehicle, corrected."""
    return answer.startswith(SAME_CAR)


class TickFor(UnfoldBooleanWidget):
    """A box to tick, which says by its value what it was ticked for."""

    def __init__(self, about: str) -> None:
        super().__init__(check_test=lambda ticked: ticked == about)
        self.about = about

    def format_value(self, value: Any) -> str:
        return self.about

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        return str(data.get(name, ""))


class MindsVin(forms.Form):
    """Asks about a VIN before a history begins under it, or goes on: one that was mixed up by a wrong VIN
    is not put in order by writing the right one.
    """

    # There is no box until there is something to ask.
    sure_of_vin = forms.CharField(required=False, widget=forms.HiddenInput)

    def ask(self, box: str, answer: str, text: str, label: str, at: str) -> None:
        """Ask at a field, with a box that gives this answer; not again where it was given."""
        if box in self.fields:
            self.fields[box].widget = TickFor(answer)
            self[box].label = label
        if self.cleaned_data.get(box) != answer:
            self.add_error(at, f"{text} tick “{label}”.")

    def ask_of_doubt(self, vin: str) -> None:
        """Of a VIN that is new here, and most likely mistyped."""
        if doubt := vin_doubt(vin):
            said = f"{doubt} If it is,"
            self.ask(SURE, f"{RIGHT}{vin}", said, "The VIN is right", at="vin")


class TicketForm(MindsVin, forms.ModelForm):
    # Whether whoever fills it in may know what is there already, and correct a vehicle.
    names_owners = names_vehicles = corrects_vehicles = False

    class Meta:
        model = ServiceTicket
        fields = ("vin", "service_desc", "notes", "service_date", "mileage")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop(SURE, None)  # an address does not answer what was not asked
        if "vin" in self.fields:
            # Django asks the column's when all else is looked at already.
            self.fields["vin"].validators.append(validate_vin)

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        vin, sure = self._vin(), ""
        known = Vehicle.objects.filter(vin=vin).select_related("customer").first() if vin else None
        if known is not None:
            customer = self._customer()
            of_another = customer and known.customer_id not in (None, customer.pk)
            # Asked while no vehicle had it: whoever said that it is the same car means none of these.
            meanwhile = cleaned.get(SURE) in (f"{SAME_CAR}{vin}", f"{NEW_CAR}{vin}")
            if of_another or meanwhile:
                self._ask_of_known(known)
        elif vin and self.corrects_vehicles and self.instance.pk and SURE in self.fields:
            sure = self._ask_which_car(vin)
        elif vin:
            self.ask_of_doubt(vin)
        cleaned[SURE] = sure  # no answer to what was not asked
        return cleaned

    def _ask_which_car(self, vin: str) -> str:
        """Of one that no vehicle here has: the answer, if it is one."""
        answer = self.cleaned_data.get(SURE, "")
        same, another = f"{SAME_CAR}{vin}", f"{NEW_CAR}{vin}"
        self[SURE].label = "Which car it is"
        self.fields[SURE].widget = UnfoldAdminRadioSelectWidget(
            choices=[
                (same, "The same car, whose VIN was mistyped"),
                (another, "Another car, which is new here"),
            ]
        )
        if answer in (same, another):
            return str(answer)
        doubt = f"{warning} " if (warning := vin_doubt(vin)) else ""
        self.add_error("vin", f"{doubt}No vehicle here has this VIN. Say below which car it is.")
        return ""

    def _vin(self) -> str:
        """The VIN that the ticket is to have and has not."""
        typed = self.cleaned_data.get("vin", "")
        return normalize_vin(typed) if typed and "vin" in self.changed_data else ""

    def _customer(self) -> Customer | None:
        return self.instance.customer

    def _ask_of_known(self, vehicle: Vehicle) -> None:
        what = f"the {vehicle.described}" if self.names_vehicles else "a vehicle"
        owner = str(vehicle.customer) if self.names_owners else "another customer"
        whose = f"of {owner}" if vehicle.customer_id else "that is here"
        text = f"This is {what} {whose}. If the ticket is for that one,"
        # At the box in which it was picked, or its VIN typed.
        at = "vehicle" if self.data.get("vehicle") and "vehicle" in self.fields else "vin"
        self.ask(SURE, f"{THIS_CAR}{vehicle.vin}", text, "It is this vehicle", at)


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
        if self._vin() and not self._customer() and "customer" not in self.errors:
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
        return normalize_vin(self.cleaned_data.get("vin", ""))

    def _customer(self) -> Customer | None:
        return self.cleaned_data.get("customer")


class ReasonForm(forms.Form):
    reason = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
