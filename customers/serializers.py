"""Shapes of customers, in and out."""

from typing import Any

from rest_framework import serializers

from autoful.api.fields import EmailField, PasswordField, PhoneField, TextField
from customers.models import Customer, initialled

# What an answer nests: the newest tickets, not ten years of a fleet's.
MOST_NESTED_TICKETS = 100


class RegisterCustomerSerializer(serializers.Serializer[Customer]):
    name = TextField(max_length=120)
    email = EmailField()
    phone = PhoneField()
    password = PasswordField()


class ChangeCustomerSerializer(RegisterCustomerSerializer):
    """Any subset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"partial": True})


class TicketSummarySerializer(serializers.Serializer[Any]):
    """A ticket inside something else."""

    id = serializers.IntegerField()
    VIN = serializers.CharField(source="vin")
    service_date = serializers.DateField()
    service_desc = serializers.CharField()
    status = serializers.CharField()


class InitialledNameField(serializers.CharField):
    """What the public is told of a customer's name."""

    def to_representation(self, value: str) -> str:
        return initialled(value)


class PublicCustomerSerializer(serializers.ModelSerializer[Customer]):
    name = InitialledNameField()

    class Meta:
        model = Customer
        fields = ("id", "name", "ticket_count")


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields: tuple[str, ...] = ("id", "name", "email", "phone", "ticket_count")


class CustomerDetailSerializer(CustomerSerializer):
    service_tickets: Any = serializers.ListSerializer(
        child=TicketSummarySerializer(),
        max_length=MOST_NESTED_TICKETS,
        help_text=f"The newest {MOST_NESTED_TICKETS}; `ticket_count` counts all.",
    )

    class Meta(CustomerSerializer.Meta):
        fields = (*CustomerSerializer.Meta.fields, "service_tickets")
