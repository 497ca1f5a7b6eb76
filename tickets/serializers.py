"""Shapes of tickets, in and out."""

from typing import Any, TypedDict

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from autoful.api.fields import (
    CountField,
    DateField,
    IdField,
    IdsField,
    TextField,
    WholeNumberField,
)
from customers.models import LARGEST_MILEAGE, VIN, Customer
from inventory.models import LARGEST_QUANTITY, Part
from mechanics.serializers import ColleagueSerializer
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
    email = serializers.SerializerMethodField()
    phone = serializers.SerializerMethodField()

    class Meta:
        model = Customer
        fields = ("id", "name", "email", "phone")

    def get_email(self, customer: Customer) -> str | None:
        return customer.email or None

    def get_phone(self, customer: Customer) -> str | None:
        return customer.phone or None


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
    mechanics = serializers.SerializerMethodField()
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

    @extend_schema_field(ColleagueSerializer(many=True))
    def get_mechanics(self, ticket: ServiceTicket) -> Any:
        team = [assignment.mechanic for assignment in ticket.assignments.all()]
        return ColleagueSerializer(team, many=True).data


class ShopTicketSerializer(ServiceTicketSerializer):
    """A ticket as the shop's own people see it."""

    class Meta(ServiceTicketSerializer.Meta):
        fields = (
            *ServiceTicketSerializer.Meta.fields,
            "notes",
            "mileage",
            "completed_at",
        )


class FirstName(TypedDict):
    name: str


class PartName(TypedDict):
    part_name: str


class PublicPartLine(TypedDict):
    quantity_used: int
    inventory: PartName


class PublicTicketSerializer(serializers.ModelSerializer[ServiceTicket]):
    """A ticket without anybody's private data."""

    VIN = serializers.SerializerMethodField(help_text="The last six behind asterisks.")
    mechanics = serializers.SerializerMethodField(help_text="First names.")
    service_inventories = serializers.SerializerMethodField(help_text="Names and quantities.")

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

    def get_VIN(self, ticket: ServiceTicket) -> str:
        return "*" * (len(ticket.vin) - 6) + ticket.vin[-6:]

    def get_mechanics(self, ticket: ServiceTicket) -> list[FirstName]:
        return [{"name": a.mechanic.first_name} for a in ticket.assignments.all()]

    def get_service_inventories(self, ticket: ServiceTicket) -> list[PublicPartLine]:
        return [
            {
                "quantity_used": line.quantity_used,
                "inventory": {"part_name": line.part.part_name},
            }
            for line in ticket.part_lines.all()
        ]


class MyTicketSerializer(serializers.ModelSerializer[ServiceTicket]):
    VIN = serializers.CharField(source="vin")
    mechanics = serializers.SerializerMethodField()

    class Meta:
        model = ServiceTicket
        fields = ("id", "VIN", "service_desc", "service_date", "status", "mechanics")

    def get_mechanics(self, ticket: ServiceTicket) -> list[str]:
        return [assignment.mechanic.name for assignment in ticket.assignments.all()]
