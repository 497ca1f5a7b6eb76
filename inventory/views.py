from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from autoful.api.inputs import checked
from autoful.api.permissions import PublicRead, WorksHere
from autoful.api.viewsets import ShopViewSet
from autoful.api.whole_lists import Whole
from autoful.errors import Forbidden
from inventory import parts
from inventory.errors import PartNotFound
from inventory.filters import PartFilter, PublicPartFilter, ShelvedPartFilter
from inventory.models import Part
from inventory.schema import inventory_docs
from inventory.serializers import (
    ChangePartSerializer,
    EnterPartSerializer,
    LowStockSerializer,
    PartSerializer,
    PublicPartSerializer,
    SearchSerializer,
    ShelvedPartSerializer,
)


def parts_by_name() -> Any:
    return Part.objects.order_by("part_name", "id")


def parts_named(text: str) -> Any:
    return parts_by_name().named(text)


@inventory_docs
class PartViewSet(ShopViewSet):
    """Parts and their stock. What the shop pays for them is for its own people."""

    list_name = "inventory"
    view_permission = "inventory.view_part"
    not_found = PartNotFound
    permissions = {
        "list": PublicRead(),
        "retrieve": PublicRead(),
        "search": WorksHere("inventory.view_part"),
        "low_stock": WorksHere("inventory.view_part"),
        "create": WorksHere("inventory.add_part"),
        "update": WorksHere("inventory.change_part"),
        "destroy": WorksHere("inventory.delete_part"),
    }
    inputs = {"create": EnterPartSerializer, "update": ChangePartSerializer}
    public_serializer_class = PublicPartSerializer
    filterset_class = PartFilter
    public_filterset_class = PublicPartFilter

    @property
    def serializer_class(self) -> Any:  # type: ignore[override]
        return PartSerializer if self.sees_cost() else ShelvedPartSerializer

    def sees_cost(self) -> bool:
        return self.actor.works_here("inventory.view_cost")

    def filterset_for_caller(self) -> Any:
        filterset = super().filterset_for_caller()
        hidden = filterset is PartFilter and not self.sees_cost()
        return ShelvedPartFilter if hidden else filterset

    def audience(self) -> str:
        audience = super().audience()
        return "shelves" if audience == "shop" and not self.sees_cost() else audience

    def get_queryset(self) -> Any:
        return parts_by_name()

    def body(self) -> dict[str, Any]:
        fields = super().body()
        if "cost" in fields and not self.sees_cost():
            raise Forbidden("You may not see what the shop pays for parts, and so not say it.")
        return fields

    def create(self, request: Request) -> Response:
        fields = self.body()
        quantity = fields.pop("quantity_in_stock")
        part = parts.enter_part(fields=fields, quantity_in_stock=quantity, actor=self.actor)
        return self.answer(part, status=201)

    def update(self, request: Request, pk: str) -> Response:
        part = self.get_object()
        fields = self.body()
        quantity = fields.pop("quantity_in_stock", None)
        return self.answer(
            parts.change_part(
                part=part, fields=fields, quantity_in_stock=quantity, actor=self.actor
            )
        )

    def destroy(self, request: Request, pk: str) -> Response:
        part = self.get_object()
        parts.delete_part(part=part, actor=self.actor)
        return Response({"message": f"{part.part_name} deleted successfully"})

    @action(detail=False)
    def search(self, request: Request) -> HttpResponseBase:
        asked = checked(SearchSerializer, request.query_params)
        text = asked["part_name"]
        return self.found(self.rows(Whole(parts_named, of=(text,)), "parts"))

    @action(detail=False, url_path="low-stock")
    def low_stock(self, request: Request) -> HttpResponseBase:
        threshold = checked(LowStockSerializer, request.query_params).get("threshold")
        threshold = None if threshold is None else int(threshold)
        # Whatever is below a point of its own stands at the emptier end; from the other one it
        # would take a walk past every part of the shop.
        both_ends = threshold is not None
        rows = self.rows(self.get_queryset().low(threshold), "parts", both_ends=both_ends)
        total = rows["pagination"]["total_items"]
        return self.found({"threshold": threshold, "count": total, **rows})
