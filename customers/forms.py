"""What may be typed about a customer, on their page and in a row of a spreadsheet."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.widgets import UnfoldBooleanWidget

from autoful.accounts.forms import EmailField
from customers.models import Customer

ASKED = "somebody_new"  # when there is somebody with the same phone, e-mail or car


class CustomerForm(forms.ModelForm):
    email = EmailField(required=False)

    class Meta:
        model = Customer
        fields = ("name", "email", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.user_id is not None and "email" in self.fields:
            self.fields["email"].required = True
            self.fields["email"].help_text = "The customer signs in with it."


class WhoItIs(forms.Form):
    """Whoever has this phone, e-mail or name already may be the one at the counter: ask, or there are two
    of them, each with half of a history."""

    # There is no box until there is something to ask.
    somebody_new = forms.BooleanField(
        required=False, label="It is somebody new", widget=forms.HiddenInput
    )
    names_customers = True  # whether whoever fills it in may know who is there

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop(ASKED, None)  # an address does not answer what was not asked
        self.known: list[Customer] = []

    def look_for(self, cleaned: dict[str, Any]) -> list[Customer]:
        """Who it may be: by phone or e-mail, or by the whole name where neither is told."""
        customers = Customer.objects.existing()
        phone, email = cleaned.get("phone", ""), cleaned.get("email", "")
        if phone or email:
            return list(customers.reached_at(phone, email)[:3])
        return list(customers.filter(name__iexact=cleaned.get("name", "")).order_by("-id")[:3])

    def question(self) -> str:
        raise NotImplementedError

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        if not self.names_customers:
            return cleaned
        sure = cleaned.get(ASKED)
        self.known = [] if sure else self.look_for(cleaned)
        if sure or self.known:
            self.fields[ASKED].widget = UnfoldBooleanWidget()
        if self.known:
            raise ValidationError(self.question(), code="known")
        return cleaned


class NewCustomerForm(WhoItIs, CustomerForm):
    def question(self) -> str:
        url = "admin:customers_customer_change"
        links = ((reverse(url, args=(one.pk,)), one.name) for one in self.known)
        return format_html(
            "This may be {}, who is here already. Open that page, or tick “It is somebody new”.",
            format_html_join(", ", '<a href="{}">{}</a>', links),
        )
