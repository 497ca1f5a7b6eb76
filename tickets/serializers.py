"""Shapes of tickets, in and out."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from autoful.api.fields import (
    CountField,
    DateField,
    IdField,
    IdsField,
    TextField,
    TextOrNullField,
    WholeNumberField,
)
from customers.models import LARGEST_MILEAGE, VIN, Customer
from inventory.models import LARGEST_QUANTITY, Part
from mechanics.models import Mechanic
from mechanics.serializers import ColleagueSerializer, FirstNameField
from tickets.models import PartLine, ServiceTicket

MOST_MECHANICS = 50


class OpenTicketSerializer(serializers.Serializer[ServiceTicket]):
    customer_id = IdField()
    VIN = TextField(
        source="vin",
        max_length=17,
        min_length=11,
        validators=[RegexValidator(VIN, "11 to 17 digits and letters without I, O and Q.")],
    )
    service_desc = TextField(max_length=2000)
    service_date = DateField()
    notes = TextField(max_length=4000, required=False, allow_blank=True)
    mileage = CountField(max_value=LARGEST_MILEAGE, required=False, allow_null=True)


class EditTicketSerializer(OpenTicketSerializer):
    """Any subset; `status` moves by the table of allowed moves, a comeback with a `reason`."""

    customer_id = None  # type: ignore[assignment]  # DRF: takes the inherited field away
    status = serializers.ChoiceField(choices=ServiceTicket.Status.choices, required=False)
    reason = TextField(max_length=500, required=False, allow_blank=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"partial": True})


class TeamSerializer(serializers.Serializer[None]):
    """Either `mechanic_ids`, the whole team, or `add_ids` and `remove_ids`, the change."""

    mechanic_ids = IdsField(max_length=MOST_MECHANICS, required=False)
    add_ids = IdsField(max_length=MOST_MECHANICS, required=False)
    remove_ids = IdsField(max_length=MOST_MECHANICS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        whole = "mechanic_ids" in attrs
        change = "add_ids" in attrs or "remove_ids" in attrs
        if whole == change:
            raise serializers.ValidationError("Send mechanic_ids, or add_ids and remove_ids.")
        if both := set(attrs.get("add_ids", ())) & set(attrs.get("remove_ids", ())):
            raise serializers.ValidationError(
                f"Added and removed at once: {', '.join(map(str, sorted(both)))}."
            )
        return attrs


class AddPartSerializer(serializers.Serializer[None]):
    inventory_id = IdField()
    quantity_used = WholeNumberField(min_value=1, max_value=LARGEST_QUANTITY)


class TicketCustomerSerializer(serializers.ModelSerializer[Customer]):
    email = TextOrNullField()
    phone = TextOrNullField()

    class Meta:
        model = Customer
        fields = ("id", "name", "email", "phone")


class LinePartSerializer(serializers.ModelSerializer[Part]):
    class Meta:
        model = Part
        fields = ("id", "part_name", "price", "quantity_in_stock")


class PartLineSerializer(serializers.ModelSerializer[PartLine]):
    service_ticket_id = serializers.IntegerField(source="ticket_id")
    inventory_id = serializers.IntegerField(source="part_id")
    inventory = LinePartSerializer(source="part")

    class Meta:
        model = PartLine
        fields = (
            "id",
            "service_ticket_id",
            "inventory_id",
            "quantity_used",
            "unit_price",
            "inventory",
        )


class ServiceTicketSerializer(serializers.ModelSerializer[ServiceTicket]):
    """A ticket as its customer sees it."""

    VIN = serializers.CharField(source="vin")
    customer_id = serializers.IntegerField()
    customer = TicketCustomerSerializer()
    mechanics = ColleagueSerializer(source="assignments.mechanic", many=True)
    service_inventories = PartLineSerializer(source="part_lines", many=True)

    class Meta:
        model = ServiceTicket
        fields: tuple[str, ...] = (
            "id",
            "VIN",
            "service_date",
            "service_desc",
            "status",
            "customer_id",
            "customer",
            "mechanics",
            "service_inventories",
            "created_at",
            "updated_at",
        )


class ShopTicketSerializer(ServiceTicketSerializer):
    """A ticket as the shop's own people see it."""

    class Meta(ServiceTicketSerializer.Meta):
        fields = (
            *ServiceTicketSerializer.Meta.fields,
            "notes",
            "mileage",
            "completed_at",
        )


class HiddenVINField(serializers.CharField):
    def to_representation(self, value: str) -> str:
        return "*" * (len(value) - 6) + value[-6:]


class FirstNameSerializer(serializers.Serializer[Mechanic]):
    name = FirstNameField()


class PartNameSerializer(serializers.Serializer[Part]):
    part_name = serializers.CharField()


class PublicPartLineSerializer(serializers.Serializer[PartLine]):
    quantity_used = serializers.IntegerField()
    inventory = PartNameSerializer(source="part")


class PublicTicketSerializer(serializers.ModelSerializer[ServiceTicket]):
    """A ticket without anybody's private data."""

    VIN = HiddenVINField(source="vin", help_text="The last six behind asterisks.")
    mechanics = FirstNameSerializer(
        source="assignments.mechanic", many=True, help_text="First names."
    )
    service_inventories = PublicPartLineSerializer(
        source="part_lines", many=True, help_text="Names and quantities."
    )

    class Meta:
        model = ServiceTicket
        fields = (
            "id",
            "VIN",
            "service_date",
            "service_desc",
            "status",
            "mechanics",
            "service_inventories",
        )


class MyTicketSerializer(serializers.ModelSerializer[ServiceTicket]):
    VIN = serializers.CharField(source="vin")
    mechanics: Any = serializers.SlugRelatedField(
        source="assignments.mechanic", slug_field="name", many=True, read_only=True
    )

    class Meta:
        model = ServiceTicket
        fields = ("id", "VIN", "service_desc", "service_date", "status", "mechanics")
