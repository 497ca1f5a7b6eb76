"""What may be typed about a part, on its pages and in a row of a spreadsheet."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from inventory.models import LARGEST_QUANTITY, Part
from inventory.parts import FIELDS


class QuantityField(forms.IntegerField):
    widget = UnfoldAdminIntegerFieldWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LARGEST_QUANTITY} | kwargs)


class NoteForm(forms.Form):
    """What is said of a delivery."""

    note = forms.CharField(
        required=False,
        max_length=200,
        help_text="Supplier, delivery note. It stands in the ledger.",
        widget=UnfoldAdminTextInputWidget,
    )


class PartForm(forms.ModelForm):
    quantity_in_stock = QuantityField(label="Opening stock", initial=0)

    class Meta:
        model = Part
        fields = (*FIELDS, "quantity_in_stock")
