"""The shapes of signing in, the same for every role."""

from rest_framework import serializers

from autoful.api.fields import PASSWORD_BOX, EmailField, TextField


class SignInSerializer(serializers.Serializer[None]):
    email = EmailField()
    # No rules here: a password that could never be right is simply not right.
    password = TextField(
        write_only=True,
        trim_whitespace=False,
        max_length=128,
        style=PASSWORD_BOX,
    )
