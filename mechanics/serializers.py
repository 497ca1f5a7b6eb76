"""Shapes of mechanics, in and out."""

from typing import Any

from rest_framework import serializers

from autoful.api.fields import EmailField, MoneyField, PasswordField, PhoneField, TextField
from mechanics.models import Mechanic


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

    email = serializers.EmailField(allow_null=True)  # none without an account

    class Meta:
        model = Mechanic
        fields: tuple[str, ...] = ("id", "name", "email", "phone")


class MechanicSerializer(ColleagueSerializer):
    """A mechanic as they and the back office see them."""

    class Meta(ColleagueSerializer.Meta):
        fields = (*ColleagueSerializer.Meta.fields, "salary", "approved")


class TopMechanicSerializer(serializers.ModelSerializer[Mechanic]):
    ticket_count = serializers.IntegerField()

    class Meta:
        model = Mechanic
        fields = ("id", "name", "ticket_count")


class PublicTopMechanicSerializer(TopMechanicSerializer):
    name = serializers.CharField(source="first_name")
