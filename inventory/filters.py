"""What a list of parts may be asked for, by whom."""

import django_filters

from autoful.api.filters import Ordering, TextFilter
from inventory.models import Part


class PublicPartFilter(django_filters.FilterSet):
    part_name = TextFilter(lookup_expr="icontains", max_length=255)
    part_number = TextFilter(max_length=64)
    category = TextFilter(lookup_expr="iexact", max_length=60)
    ordering = Ordering(fields=["id", "part_name", "price", "quantity_in_stock"])

    class Meta:
        model = Part
        fields: tuple[str, ...] = ()


class ShelvedPartFilter(PublicPartFilter):
    """Without the order of what the shop pays, which a cursor would tell to the cent."""

    location = TextFilter(lookup_expr="iexact", max_length=40)
    ordering = Ordering(fields=["id", "part_name", "price", "quantity_in_stock", "reorder_point"])


class PartFilter(ShelvedPartFilter):
    ordering = Ordering(
        fields=[
            "id",
            "part_name",
            "price",
            "quantity_in_stock",
            "cost",
            "reorder_point",
        ]
    )
