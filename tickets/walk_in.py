"""The counter's form: somebody new, with a car that is new here, and what is to be done."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
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
    UnfoldBooleanWidget,
)

from autoful.accounts.forms import EmailField
from autoful.admin import VerbAdmin
from autoful.admin.forms import add_refusal
from autoful.admin.pages import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError
from customers.models import Customer, Vehicle
from customers.vehicles import check_digit_warning, normalize_vin
from tickets.lifecycle import open_for_walk_in
from tickets.models import ServiceTicket

# unfold hides its pages until Alpine has begun, and nothing hidden takes `autofocus`.
FOCUSED = {"autofocus": True, "x-init": "setTimeout(() => $el.focus(), 50)"}
ASKED = "somebody_new"  # when there is somebody with the same phone or car


def _typed(model: Any, name: str, **options: Any) -> Any:
    """The field of a form that takes what the column does."""
    column: Field[Any, Any] = model._meta.get_field(name)
    # Django asks a column's validators when a row is checked, which here the verbs do not.
    defaults = {"widget": UnfoldAdminTextInputWidget, "validators": column.validators}
    return column.formfield(**(defaults | options))


class WalkInForm(forms.Form):
    name = _typed(Customer, "name", widget=UnfoldAdminTextInputWidget(attrs=FOCUSED))
    phone = _typed(Customer, "phone")
    email = EmailField(required=False)
    somebody_new = forms.BooleanField(
        required=False, label="It is somebody new", widget=UnfoldBooleanWidget
    )
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: list[Customer] = []

    def clean(self) -> Any:
        """Whoever has this phone, e-mail or car may be the one at the counter: ask, or there are two
        of them, each with half of a history."""
        cleaned = super().clean() or {}
        if not cleaned.get(ASKED):
            customers = Customer.objects.existing()
            reached = customers.reached_at(cleaned.get("phone", ""), cleaned.get("email", ""))[:3]
            owners = customers.filter(vehicles__vin=normalize_vin(cleaned.get("vin", "")))
            self.known = list(dict.fromkeys([*owners, *reached]))
        if self.known:
            names = ", ".join(customer.name for customer in self.known)
            raise ValidationError(
                f"{names} has this phone, e-mail or vehicle already. Open the ticket for them, or "
                "tick “It is somebody new”.",
                code="known",
            )
        return cleaned


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
            fields = {name: typed for name, typed in form.cleaned_data.items() if name != ASKED}
            step = partial(open_for_walk_in, actor=back_office(request), **fields)
            try:
                opened = self.whole_or_not(request, step)
            except DomainError as refusal:
                add_refusal(form, refused := refusal)
            else:
                self.message_user(request, f"#{opened.pk} is open for {opened.customer}.")
                if warning := check_digit_warning(opened.vin):
                    self.message_user(request, warning, messages.WARNING)
                return redirect("admin:tickets_serviceticket_change", opened.pk)
        if not form.known and ASKED not in request.POST:
            form.fields[ASKED].widget = forms.HiddenInput()
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form}
        context |= {"title": "Walk-in", "button": "Open the ticket"}
        context["back"] = reverse("admin:tickets_serviceticket_changelist")
        page = TemplateResponse(request, "admin/tickets/walk_in.html", context)
        return with_status_of(refused, page) if refused else page
