"""How signing in is documented, the same for every role."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from autoful.accounts.serializers import SignInSerializer
from autoful.api.schema import documented


def sign_in_docs(role: str, email: str, number: int, name: str) -> Any:
    text, whole = serializers.CharField, serializers.IntegerField
    return documented(
        f"Sign in as a {role}",
        inline_serializer(
            f"{role.capitalize()}SignedIn",
            {
                "status": text(),
                "message": text(),
                "role": serializers.ChoiceField([role]),
                "token": text(help_text="Send it as `Authorization: Bearer …`."),
                "auth_token": text(help_text="The same, for older clients."),
                "expires_in": whole(help_text="Seconds."),
                f"{role}_id": whole(),
                "name": text(),
            },
        ),
        {
            "status": "success",
            "message": "Login successful",
            "role": role,
            "token": "eyJhbGciOiJIUzI1NiJ9…",
            "auth_token": "eyJhbGciOiJIUzI1NiJ9…",
            "expires_in": 3600,
            f"{role}_id": number,
            "name": name,
        },
        body=SignInSerializer,
        body_example={"email": email, "password": "correct horse battery"},
        auth=[],
        description=f"The token says who you are, as a {role}. Wrong e-mail, wrong password, "
        "wrong role, unknown and deactivated are the same 401 in the same time.",
        refusals={
            401: {"code": "invalid_credentials", "message": "Invalid email or password."},
            403: {
                "code": "awaiting_approval",
                "message": "Your account is awaiting approval by the shop's back office.",
            },
        },
    )
