"""Shapes of mechanics, in and out."""

from typing import Any

from rest_framework import serializers

from autoful.api.fields import EmailField, MoneyField, PasswordField, PhoneField, TextField
from customers.serializers import MOST_NESTED_TICKETS, TicketSummarySerializer
from mechanics.models import Mechanic, first_name


class RegisterMechanicSerializer(serializers.Serializer[Mechanic]):
    name = TextField(max_length=120)
    email = EmailField()
    phone = PhoneField()
    salary = MoneyField()
    password = PasswordField()


class ChangeMechanicSerializer(RegisterMechanicSerializer):
    """Any subset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"partial": True})


class ColleagueSerializer(serializers.ModelSerializer[Mechanic]):
    """A mechanic as the others see them: no salary."""

    email = serializers.EmailField(source="user.email", allow_null=True)  # none without an account

    class Meta:
        model = Mechanic
        fields: tuple[str, ...] = ("id", "name", "email", "phone")


class MechanicSerializer(ColleagueSerializer):
    """A mechanic as they and the back office see them."""

    class Meta(ColleagueSerializer.Meta):
        fields = (*ColleagueSerializer.Meta.fields, "salary", "approved")


class ColleagueDetailSerializer(ColleagueSerializer):
    service_tickets: Any = serializers.ListSerializer(
        child=TicketSummarySerializer(),
        source="assignments.ticket",
        max_length=MOST_NESTED_TICKETS,
    )

    class Meta(ColleagueSerializer.Meta):
        fields = (*ColleagueSerializer.Meta.fields, "service_tickets")


class MechanicDetailSerializer(MechanicSerializer, ColleagueDetailSerializer):
    class Meta(MechanicSerializer.Meta):
        fields = (*MechanicSerializer.Meta.fields, "service_tickets")


class TopMechanicSerializer(serializers.ModelSerializer[Mechanic]):
    class Meta:
        model = Mechanic
        fields = ("id", "name", "ticket_count")


class FirstNameField(serializers.CharField):
    """What the public is told of a mechanic's name."""

    def to_representation(self, value: str) -> str:
        return first_name(value)


class PublicTopMechanicSerializer(TopMechanicSerializer):
    name = FirstNameField()
