"""What may be typed about a customer, on their page and in a row of a spreadsheet."""

from typing import Any

from django import forms

from autoful.accounts.forms import EmailField
from customers.models import Customer


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
