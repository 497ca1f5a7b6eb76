"""The back office: parts and their ledger."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from autoful.actor import Actor
from autoful.admin import ReadOnlyAdmin, ReadOnlyInline, VerbAdmin
from inventory import stock
from inventory.models import LARGEST_QUANTITY, Part, StockMovement
from inventory.parts import FIELDS, change_part, delete_part, enter_part


class QuantityField(forms.IntegerField):
    widget = UnfoldAdminIntegerFieldWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LARGEST_QUANTITY} | kwargs)


class PartForm(forms.ModelForm):
    quantity_in_stock = QuantityField(label="Opening stock", initial=0)

    class Meta:
        model = Part
        fields = (*FIELDS, "quantity_in_stock")


class DeliveryForm(forms.Form):
    quantity = QuantityField(min_value=1, label="Quantity delivered")
    note = forms.CharField(
        required=False,
        max_length=200,
        help_text="Supplier, delivery note.",
        widget=UnfoldAdminTextInputWidget,
    )


class CountForm(forms.Form):
    quantity = QuantityField(label="Quantity counted")
    note = forms.CharField(
        max_length=200,
        label="Reason",
        help_text="Why the stock was not right.",
        widget=UnfoldAdminTextInputWidget,
    )


class LedgerInline(ReadOnlyInline):
    model = StockMovement
    verbose_name_plural = "Ledger: the latest 50 movements"
    fields = ("created_at", "reason", "change", "balance", "reference", "actor", "note")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("actor")


class LowStockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", "At or below reorder point"), ("none", "Out of stock")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "low":
            return queryset.low()
        return queryset.low(0) if self.value() == "none" else queryset


@admin.register(Part)
class PartAdmin(VerbAdmin):
    form = PartForm
    actions_detail = ("receive", "adjust")
    list_display = (
        *("part_name", "part_number", "category", "price", "cost"),
        *("quantity_in_stock", "reorder_point", "location"),
    )
    list_filter = (LowStockFilter, "category")
    search_fields = ("part_name", "part_number", "category", "location")
    ordering = ("part_name", "id")
    fieldsets = (
        (None, {"fields": ("part_name", "part_number", "category")}),
        ("Money", {"fields": (("price", "cost"),)}),
        ("Stock", {"fields": ("quantity_in_stock", "reorder_point", "location")}),
    )
    private_fields = {"cost": "inventory.view_part"}
    delete_notice = (
        "A part that was never used on a ticket is removed with its ledger. One that was used "
        "stays: set its stock and reorder point to 0 to stop selling it."
    )

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [LedgerInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Stock moves only with a line in the ledger: by `receive` and `adjust`.
        return ("quantity_in_stock",) if obj else ()

    @action(description="Receive delivery", icon="local_shipping", permissions=["change"])
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(part: Part, answer: dict[str, Any], actor: Actor) -> str:
            part = stock.receive(part=part, actor=actor, **answer)
            return f"{answer['quantity']} received; {part.quantity_in_stock} in stock."

        return self.ask(
            request,
            object_id,
            form_class=DeliveryForm,
            do=do,
            title="Receive delivery",
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
            text="Enter what is on the shelf. The difference goes into the ledger.",
            button="Set stock",
        )

    def enter(self, fields: dict[str, Any], actor: Actor) -> Part:
        quantity = fields.pop("quantity_in_stock")
        return enter_part(fields=fields, quantity_in_stock=quantity, actor=actor)

    def change(self, obj: Part, changed: dict[str, Any], actor: Actor) -> None:
        change_part(part=obj, fields=changed, actor=actor)

    def remove(self, obj: Part, actor: Actor) -> None:
        delete_part(part=obj, actor=actor)


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "part", "kind", "change", "balance"),
        *("reference", "actor", "role", "note"),
    )
    list_filter = ("reason", "created_at")
    list_select_related = ("part", "actor")
    search_fields = ("part__part_name", "part__part_number", "=reference", "note", "actor__email")
    ordering = ("-id",)

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
