"""The back office: parts and their ledger."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from autoful import deferred
from autoful.actor import Actor
from autoful.admin import AskingPages, ReadOnlyAdmin, ReadOnlyInline
from autoful.admin.lists import MOST_LISTED, SEARCHED, newest
from autoful.admin.people import WITH_NAMES, SaysWho, back_office, colleagues_found_by
from autoful.sheets.pages import SheetPages
from autoful.sheets.writing import as_csv, record_export
from inventory import order_sheet, stock
from inventory.deliveries import DeliveryPage
from inventory.errors import PartHasHistory
from inventory.forms import NoteForm, PartForm, QuantityField
from inventory.models import Part, StockMovement
from inventory.parts import change_part, delete_part, enter_part
from inventory.remarks import about_number, about_price
from inventory.sheets import PartSheet


class ReceiveForm(NoteForm):
    quantity = QuantityField(min_value=1, label="Quantity delivered")
    field_order = ("quantity", "note")


class CountForm(forms.Form):
    quantity = QuantityField(label="Quantity counted")
    was = QuantityField(required=False, widget=forms.HiddenInput)  # in stock, as the page says
    note = forms.CharField(
        max_length=200,
        label="Reason",
        help_text="Why the stock was not right.",
        widget=UnfoldAdminTextInputWidget,
    )


class LedgerInline(SaysWho, ReadOnlyInline):
    model = StockMovement
    verbose_name_plural = "Ledger: the latest 25 movements"
    fields = ("created_at", "reason", "change", "balance", "reference", "who", "note")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*WITH_NAMES)


class LowStockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", "At or below reorder point"), ("none", "Out of stock")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "low":
            return queryset.to_order()
        return queryset.low(0) if self.value() == "none" else queryset


class UnmovedFilter(admin.SimpleListFilter):
    title = "dead stock"
    parameter_name = "unmoved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), f"Not moved for {days} days") for days in (90, 180, 365, 730)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        # Any number of days may be typed into the address.
        days = self.value() or ""
        if not (days.isdecimal() and len(days) <= 4):
            return queryset
        # Found once, and not again when they are counted: each part is looked up in the ledger.
        unmoved = Part.objects.unmoved_since(timezone.now() - timedelta(days=int(days)))
        return queryset.filter(pk__in=deferred.numbers_of(unmoved, 0, MOST_LISTED))


@admin.register(Part)
class PartAdmin(DeliveryPage, AskingPages, SheetPages):
    form = PartForm
    sheet = PartSheet
    inlines = (LedgerInline,)
    actions_list = (*DeliveryPage.actions_list, "order_sheet")
    actions_detail = ("receive", "adjust")
    list_before_template = "admin/inventory/above_list.html"
    list_display = (
        *("part_name", "part_number", "category", "price", "cost"),
        *("quantity_in_stock", "reorder_point", "location"),
    )
    list_filter = (LowStockFilter, UnmovedFilter, "category")
    search_fields = SEARCHED
    search_help_text = "Part number, words of the name, category or location."
    ordering = ("part_name", "id")
    fieldsets = (
        (None, {"fields": ("part_name", "part_number", "category")}),
        ("Money", {"fields": (("price", "cost"),)}),
        ("Stock", {"fields": ("quantity_in_stock", "reorder_point", "location")}),
    )
    private_fields = {"cost": "inventory.view_cost"}
    delete_notice = (
        "A part that was never used on a ticket is removed with its ledger. One that was used "
        "stays: set its stock and reorder point to 0 to stop selling it."
    )

    icon = "inventory_2"

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        return [
            Q(pk__in=newest(Part.objects.found_by(text))),
            Q(category__icontains=text) | Q(location__istartswith=text),
        ]

    def find(self, request: HttpRequest, text: str) -> Any:
        return Part.objects.found_by(text)

    def picked_as(self, request: HttpRequest, row: Part) -> str:
        number = f" ({row.part_number})" if row.part_number else ""
        return f"{row}{number}, {row.quantity_in_stock} in stock"

    def found_as(self, request: HttpRequest, row: Part) -> tuple[str, str]:
        number = f"{row.part_number}, " if row.part_number else ""
        return row.part_name, f"{number}{row.quantity_in_stock} in stock"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Stock moves only with a line in the ledger: by `receive` and `adjust`.
        return ("quantity_in_stock",) if obj else ()

    def sees_cost(self, request: HttpRequest) -> bool:
        return "cost" not in self.hidden_fields(request.user)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more: dict[str, Any] = {}
        if self.sees_cost(request) and request.method == "GET":
            more = {"value": Part.objects.value(), "currency": settings.AUTOFUL_CURRENCY}
        return super().changelist_view(request, more | (extra_context or {}))

    @action(description="Order sheet", icon="receipt_long", url_path="order-sheet")
    def order_sheet(self, request: HttpRequest) -> HttpResponseBase:
        """What is to be ordered, for the printer or, with ?format=csv, for a spreadsheet."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        day, sees_cost = timezone.localdate(), self.sees_cost(request)
        if request.GET.get("format") == "csv":
            header, rows = order_sheet.header, order_sheet.rows
            name = f"order-sheet-{day}.csv"
            record_export(back_office(request), "order sheet", "csv")
            return as_csv(name, header(sees_cost=sees_cost), rows(sees_cost=sees_cost))
        parts = list(islice(order_sheet.parts(), order_sheet.PRINTED + 1))
        shown = parts[: order_sheet.PRINTED]
        costs = [part.cost_of_needed for part in shown]
        context = {
            "parts": shown,
            "more": len(parts) > len(shown),
            "total": sum((cost for cost in costs if cost is not None), Decimal(0)),
            "unknown": costs.count(None),
            "sees_cost": sees_cost,
            "currency": settings.AUTOFUL_CURRENCY,
            "day": day,
            "back": reverse("admin:inventory_part_changelist"),
        }
        return TemplateResponse(request, "admin/inventory/order_sheet.html", context)

    @action(description="Receive delivery", icon="local_shipping", permissions=["change"])
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(part: Part, answer: dict[str, Any], actor: Actor) -> str:
            part = stock.receive(part=part, actor=actor, **answer)
            return f"{answer['quantity']} received; {part.quantity_in_stock} in stock."

        return self.ask(
            request,
            object_id,
            form_class=ReceiveForm,
            do=do,
            title="Receive delivery",
            text=self._stock_now(request, object_id),
            button="Book into stock",
        )

    @action(description="Adjust stock", icon="inventory", permissions=["change"])
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(part: Part, answer: dict[str, Any], actor: Actor) -> str:
            part = stock.set_quantity(part=part, actor=actor, **answer)
            return f"Stock set; {part.quantity_in_stock} in stock."

        return self.ask(
            request,
            object_id,
            form_class=CountForm,
            do=do,
            title="Adjust stock",
            text=f"{self._stock_now(request, object_id)} Enter what is on the shelf. The difference goes "
            "into the ledger.",
            shown=lambda part: {"was": part.quantity_in_stock},
            button="Set stock",
        )

    def _stock_now(self, request: HttpRequest, object_id: str) -> str:
        part = self.get_object(request, unquote(object_id))
        return f"{part.quantity_in_stock} in stock now." if part else ""

    def enter(self, fields: dict[str, Any], actor: Actor) -> Part:
        quantity = fields.pop("quantity_in_stock")
        return enter_part(fields=fields, quantity_in_stock=quantity, actor=actor)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        told, typed = [], set(form.changed_data)
        if typed & {"price", "cost"} and self.sees_cost(request):
            told += about_price(obj.price, obj.cost)
        if "part_number" in typed and obj.part_number:
            others = Part.objects.filter(part_number__iexact=obj.part_number).exclude(pk=obj.pk)
            told += [about_number(str(other.part_number)) for other in others[:1]]
        for remark in told:
            self.message_user(request, f"{obj}: {remark}", messages.WARNING)

    def change(self, obj: Part, changed: dict[str, Any], actor: Actor) -> None:
        change_part(part=obj, fields=changed, actor=actor)

    def staying(self, rows: Iterable[Part]) -> list[str]:
        used = Part.objects.filter(pk__in=[part.pk for part in rows]).used()
        return [PartHasHistory(part=part.part_name).message for part in used]

    def remove(self, obj: Part, actor: Actor) -> None:
        delete_part(part=obj, actor=actor)


@admin.register(StockMovement)
class StockMovementAdmin(SaysWho, ReadOnlyAdmin):
    list_display = (
        *("created_at", "part", "kind", "change", "balance"),
        *("reference", "who", "note"),
    )
    list_filter = ("reason", "created_at")
    list_select_related = ("part", *WITH_NAMES)
    search_fields = SEARCHED
    search_help_text = (
        "Part, part number, ticket-42, or who it was; words of the note in the newest 20,000."
    )
    ordering = ("-id",)

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        people = colleagues_found_by(request, text)
        return [
            Q(reference=text),
            Q(part__in=newest(Part.objects.found_by(text))),
            Q(actor__in=newest(people)),
            self.recently(Q(note__icontains=text)),
        ]

    @display(
        description="reason",
        ordering="reason",
        label={
            "received": "success",
            "used": "info",
            "returned": "primary",
            "adjusted": "warning",
        },
    )
    def kind(self, movement: StockMovement) -> tuple[str, str]:
        return movement.reason, movement.get_reason_display()
