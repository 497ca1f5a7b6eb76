"""The counter's form: somebody new, with a car that is new here, and what is to be done."""

from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from autoful.accounts.forms import EmailField
from autoful.accounts.models import User
from autoful.admin import VerbAdmin, once
from autoful.admin.forms import add_refusal
from autoful.admin.people import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError
from customers.forms import ASKED, WhoItIs
from customers.models import Customer, Vehicle
from customers.vehicles import normalize_plate, normalize_vin
from tickets.forms import SURE, MindsVin
from tickets.lifecycle import open_for_walk_in, open_ticket
from tickets.models import ServiceTicket
from tickets.remarks import (
    Before,
    about_mileage,
    about_reaching,
    about_vehicle,
    about_vin,
    kept,
    kept_of,
)

# unfold hides its pages until Alpine has begun, and nothing hidden takes `autofocus`.
FOCUSED = {"autofocus": True, "x-init": "setTimeout(() => $el.focus(), 50)"}

KNOWN = "known_customer"
OTHER_CAR = "other_car"  # than the one that has this plate
QUESTIONS = (ASKED, SURE, OTHER_CAR)
OF_THE_CAR = ("plate", "make", "model", "year")


def _typed(model: Any, name: str, **options: Any) -> Any:
    """The field of a form that takes what the column does."""
    column: Field[Any, Any] = model._meta.get_field(name)
    # Django asks a column's validators when a row is checked, which here the verbs do not; the least
    # number, already here.
    checks = [check for check in column.validators if not isinstance(check, MinValueValidator)]
    defaults = {"widget": UnfoldAdminTextInputWidget, "validators": checks}
    return column.formfield(**(defaults | options))


class WalkInForm(MindsVin, WhoItIs):
    name = _typed(Customer, "name", widget=UnfoldAdminTextInputWidget(attrs=FOCUSED))
    phone = _typed(Customer, "phone")
    email = EmailField(required=False)
    vin = _typed(Vehicle, "vin", help_text="")
    plate = _typed(Vehicle, "plate")
    service_desc = _typed(
        ServiceTicket, "service_desc", widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    notes = _typed(ServiceTicket, "notes", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    mileage = _typed(ServiceTicket, "mileage", widget=UnfoldAdminIntegerFieldWidget)
    service_date = _typed(
        ServiceTicket,
        "service_date",
        widget=UnfoldAdminSingleDateWidget,
        initial=timezone.localdate,
    )

    # Last, where whoever types the VIN alone need not pass them.
    make = _typed(Vehicle, "make", help_text="Empty: from the VIN, as the next two.")
    model = _typed(Vehicle, "model")
    year = _typed(Vehicle, "year", widget=UnfoldAdminIntegerFieldWidget)
    other_car = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("name", "phone", "email", ASKED, "vin", SURE, "plate", OTHER_CAR)
    customer: Customer | None = None  # who is here already, and was picked

    def clean(self) -> Any:
        self._look_at_the_car()
        try:
            return super().clean()
        except ValidationError:
            # One of those who were asked about, by the button with their name.
            chosen = self.data.get(KNOWN, "")
            self.customer = next((one for one in self.known if str(one.pk) == chosen), None)
            if self.customer is None:
                raise
            return self.cleaned_data

    def _look_at_the_car(self) -> None:
        """Of one that is new here: whether its VIN may be mistyped."""
        vin, plate = normalize_vin(self.cleaned_data.get("vin", "")), self.cleaned_data.get("plate")
        if not vin or Vehicle.objects.filter(vin=vin).exists():
            return
        self.ask_of_doubt(vin)
        same_plate = Vehicle.objects.with_plate(normalize_plate(plate)) if plate else None
        if same_plate is not None and (other := same_plate.first()):
            text = f"This plate is on the {other} already. If it is that car, type its VIN; if not,"
            self.ask(OTHER_CAR, f"{vin} {other.pk}", text, "It is another car", at="plate")

    def look_for(self, cleaned: dict[str, Any]) -> list[Customer]:
        vin = normalize_vin(cleaned.get("vin", ""))
        owners = Customer.objects.existing().filter(vehicles__vin=vin)
        return list(dict.fromkeys([*owners, *super().look_for(cleaned)]))

    def begin_at(self) -> None:
        """Put the cursor into the first field that is wrong."""
        wrong = (name for name in self.fields if name in self.errors)
        if first := next(wrong, None):
            for attr in FOCUSED:
                self.fields["name"].widget.attrs.pop(attr, None)
            self.fields[first].widget.attrs |= FOCUSED

    def question(self) -> str:
        names = " or ".join(customer.name for customer in self.known)
        return f"This may be {names}, who is here already, or whose vehicle it is. Say below who it is."


class WalkInPage(VerbAdmin):
    """The page of that form, on the list of tickets."""

    actions_list = ("walk_in",)

    def has_walk_in_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whose phone or vehicle it is, it tells.
        needed = ("customers.add_customer", "customers.view_customer", "customers.view_vehicle")
        return self.has_add_permission(request) and request.user.has_perms(needed)

    @action(
        description="Walk-in",
        icon="person_add",
        url_path="walk-in",
        permissions=["walk_in"],
    )
    def walk_in(self, request: HttpRequest) -> HttpResponse:
        """Somebody new with a car that is new here: customer, vehicle and ticket in one form."""
        form = WalkInForm(request.POST if request.method == "POST" else None)
        refused: DomainError | None = None
        if form.is_valid():
            fields = {k: typed for k, typed in form.cleaned_data.items() if k not in QUESTIONS}
            car = {name: fields.pop(name) for name in OF_THE_CAR}
            car["plate"] = normalize_plate(car["plate"])
            before, user = Before.of(fields["vin"]), cast(User, request.user)
            known, actor = form.customer, back_office(request)
            step = partial(open_for_walk_in, car=car, actor=actor, **fields)
            if known is not None:
                told_of = {name: fields.pop(name) for name in ("name", "phone", "email")}
                step = partial(open_ticket, customer_id=known.pk, car=car, actor=actor, **fields)
            try:
                opened = self.whole_or_not(request, step)
            except DomainError as refusal:
                add_refusal(form, refused := refusal)
            else:
                self.message_user(request, f"#{opened.pk} is open for {opened.customer}.")
                told = [*about_vin(opened, before), *about_vehicle(opened, before, user)]
                told += about_mileage(opened, before, user)
                told += kept(opened.vehicle, car)
                told += about_reaching(opened.customer)
                told += kept_of(known, told_of) if known is not None else []
                for remark in told:
                    self.message_user(request, remark, messages.WARNING)
                return redirect("admin:tickets_serviceticket_change", opened.pk)
        form.begin_at()
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form}
        context |= {"title": "Walk-in", "button": "Open the ticket"}
        context |= {"once": once.new(), "media": self.media + form.media}
        context["back"] = reverse("admin:tickets_serviceticket_changelist")
        page = TemplateResponse(request, "admin/tickets/walk_in.html", context)
        return with_status_of(refused, page) if refused else page
