"""Signing in over HTTP, the same for every role."""

from typing import Any

from django.conf import settings
from rest_framework.response import Response

from autoful.accounts.sign_in import sign_in
from autoful.actor import Role


def sign_in_answer(role: Role, credentials: dict[str, Any]) -> Response:
    """The contract's answer to a good sign-in."""
    profile, token = sign_in(role=role, **credentials)
    return Response(
        {
            "status": "success",
            "message": "Login successful",
            "role": str(role),
            "token": token,
            "auth_token": token,
            "expires_in": int(settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].total_seconds()),
            f"{role}_id": profile.pk,
            "name": profile.name,
        }
    )
