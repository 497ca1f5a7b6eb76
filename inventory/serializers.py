"""Shapes of parts, in and out."""

from typing import Any

from rest_framework import serializers

from autoful.api.fields import CountField, MoneyField, PriceField, TextField
from inventory.models import LARGEST_QUANTITY, Part


class EnterPartSerializer(serializers.Serializer[Part]):
    part_name = TextField(max_length=255)
    price = PriceField()
    quantity_in_stock = CountField(max_value=LARGEST_QUANTITY)
    cost = MoneyField(required=False, allow_null=True)
    part_number = TextField(max_length=64, required=False, allow_null=True)
    category = TextField(max_length=60, required=False, allow_blank=True)
    reorder_point = CountField(max_value=LARGEST_QUANTITY, required=False)
    location = TextField(max_length=40, required=False, allow_blank=True)


class ChangePartSerializer(EnterPartSerializer):
    """Any subset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"partial": True})


class LowStockSerializer(serializers.Serializer[None]):
    """The query of the low-stock list."""

    threshold = serializers.RegexField(r"^[0-9]{1,7}$", required=False)


class SearchSerializer(serializers.Serializer[None]):
    """The query of the search."""

    part_name = TextField(max_length=255)


class PublicPartSerializer(serializers.ModelSerializer[Part]):
    class Meta:
        model = Part
        fields: tuple[str, ...] = (
            "id",
            "part_name",
            "part_number",
            "category",
            "price",
            "quantity_in_stock",
        )


class ShelvedPartSerializer(PublicPartSerializer):
    """A part for those who work here and are not to know what the shop pays."""

    class Meta(PublicPartSerializer.Meta):
        fields = (*PublicPartSerializer.Meta.fields, "reorder_point", "location")


class PartSerializer(ShelvedPartSerializer):
    class Meta(ShelvedPartSerializer.Meta):
        fields = (
            *PublicPartSerializer.Meta.fields,
            "cost",
            "reorder_point",
            "location",
        )
