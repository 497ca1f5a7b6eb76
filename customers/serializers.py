"""Shapes of customers, in and out."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from autoful.api.fields import EmailField, PasswordField, PhoneField, TextField
from customers.models import Customer
from customers.querysets import MOST_NESTED_TICKETS, newest_tickets


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


class PublicCustomerSerializer(serializers.ModelSerializer[Customer]):
    name = serializers.CharField(source="public_name")
    ticket_count = serializers.IntegerField()

    class Meta:
        model = Customer
        fields = ("id", "name", "ticket_count")


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    ticket_count = serializers.IntegerField()

    class Meta:
        model = Customer
        fields: tuple[str, ...] = ("id", "name", "email", "phone", "ticket_count")


class CustomerDetailSerializer(CustomerSerializer):
    service_tickets = serializers.SerializerMethodField(
        help_text=f"The newest {MOST_NESTED_TICKETS}; `ticket_count` counts all."
    )

    class Meta(CustomerSerializer.Meta):
        fields = (*CustomerSerializer.Meta.fields, "service_tickets")

    @extend_schema_field(TicketSummarySerializer(many=True))
    def get_service_tickets(self, customer: Customer) -> Any:
        return TicketSummarySerializer(newest_tickets(customer), many=True).data
