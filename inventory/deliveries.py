"""A delivery of several parts, booked into stock on one page: all of it or nothing."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from autoful.admin import VerbAdmin, once
from autoful.admin.forms import RowPicker, label_cells
from autoful.admin.people import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError
from inventory import stock
from inventory.forms import NoteForm, QuantityField
from inventory.models import Part, StockMovement

ROWS, MOST_ROWS = 10, 100


class DeliveredForm(forms.Form):
    part = forms.ModelChoiceField(
        Part.objects.all(),
        widget=RowPicker(StockMovement._meta.get_field("part"), admin.site),
    )
    quantity = QuantityField(min_value=1)


class DeliveredFormSet(BaseFormSet):
    def clean(self) -> None:
        # What has errors of its own says so itself.
        if not any(self.errors) and not any(form.has_changed() for form in self.forms):
            raise forms.ValidationError("Say which parts came, and how many of each.")

    def add_fields(self, form: Any, index: Any) -> None:
        super().add_fields(form, index)
        label_cells(form, index)

    @property
    def delivered(self) -> list[tuple[int, int]]:
        rows = [form.cleaned_data for form in self.forms if form.has_changed()]
        return [(row["part"].pk, row["quantity"]) for row in rows]


class DeliveryPage(VerbAdmin):
    """The page of that form, on the list of parts."""

    actions_list: tuple[str, ...] = ("delivery",)

    @action(
        description="Receive delivery",
        icon="local_shipping",
        url_path="delivery",
        permissions=["change"],
    )
    def delivery(self, request: HttpRequest) -> HttpResponse:
        """Several parts that came at once."""
        posted = request.POST if request.method == "POST" else None
        form, rows = NoteForm(posted), _rows(request)(posted, prefix="rows")
        refused: DomainError | None = None
        # Both are asked, so that all that is wrong is said at once.
        if all([form.is_valid(), rows.is_valid()]):
            lines, note = rows.delivered, form.cleaned_data["note"]
            step = partial(
                stock.receive_delivery, lines=lines, note=note, actor=back_office(request)
            )
            try:
                self.whole_or_not(request, step)
            except DomainError as refusal:
                form.add_error(None, (refused := refusal).message)
            else:
                parts = len({part for part, _ in lines})
                pieces = sum(quantity for _, quantity in lines)
                said = (
                    f"{pieces:,} of 1 part" if parts == 1 else f"{pieces:,} pieces of {parts} parts"
                )
                self.message_user(request, f"Booked into stock: {said}.")
                return redirect("admin:inventory_part_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form}
        context |= {"rows": rows, "media": self.media + rows.media, "title": "Receive delivery"}
        context |= {"button": "Book into stock", "more": MOST_ROWS if len(rows) <= ROWS else 0}
        context["once"] = once.new()
        context["back"] = reverse("admin:inventory_part_changelist")
        page = TemplateResponse(request, "admin/inventory/delivery.html", context)
        return with_status_of(refused, page) if refused else page


def _rows(request: HttpRequest) -> Any:
    """A form of as many rows as are asked for."""
    asked = MOST_ROWS if "long" in request.GET else ROWS
    return formset_factory(
        DeliveredForm,
        formset=DeliveredFormSet,
        extra=asked,
        max_num=MOST_ROWS,
        absolute_max=MOST_ROWS,
        validate_max=True,
    )
