"""The API's tokens: HS256, one hour, one role."""

import re
from functools import cache
from typing import Any, ClassVar, Protocol

from django.apps import apps
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from autoful.accounts.models import User
from autoful.actor import Actor, Role
from autoful.prepared import Prepared


class Profile(Protocol):
    """What a customer and a mechanic have in common: a number, an account, a name."""

    pk: Any
    user: User | None
    name: str
    sign_in_fields: ClassVar[tuple[str, ...]]  # that `may_sign_in` looks at

    def may_sign_in(self) -> bool:
        """Whether the role is open to its account now."""


def profiles(role: Role) -> Any:
    """The rows that stand for `role`, with their accounts."""
    return apps.get_model(settings.ROLES[role])._default_manager.select_related("user")


@cache
def _profile(role: Role) -> Prepared:
    # Every request with a token asks for this, and few ask more of the account than its number.
    rows = profiles(role)
    columns = ["user__is_active", "user__token_version", *rows.model.sign_in_fields]
    return Prepared(lambda number: rows.filter(pk=number).only(*columns))


def issue(role: Role, profile: Profile, user: User) -> AccessToken:
    """A token for that hat. `sub` is the number of the customer or mechanic."""
    token = AccessToken()
    token.payload.update(_claims(role, profile, user))
    return token


def _claims(role: Role, profile: Profile, user: User) -> dict[str, Any]:
    return {
        "sub": str(profile.pk),
        "role": str(role),
        "account": user.pk,
        "version": user.token_version,
    }


def bearer(token: Any) -> Actor | None:
    """Who a token, already checked for signature and expiry, speaks for now, or None.

    Asked at every request: a token dies with its account, its role or its password.
    """
    role, number = str(token.get("role")), str(token.get("sub"))
    if role not in settings.ROLES or not re.fullmatch("[0-9]{1,18}", number):
        return None
    profile = _profile(Role(role)).first(int(number))
    user = profile.user if profile else None
    if (
        user is None
        or not user.is_active
        or not profile.may_sign_in()
        or not _lives_as_long_as_ours(token)
    ):
        return None
    claims = _claims(Role(role), profile, user)
    # By type too: True is 1 to Python.
    if any(type(token.get(n)) is not type(v) or token.get(n) != v for n, v in claims.items()):
        return None
    return Actor(Role(role), user, profile.pk)


def _lives_as_long_as_ours(token: Any) -> bool:
    """Whether it ends no later after its beginning than we would have made it end."""
    begin, end = token.get("iat"), token.get("exp")
    longest = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].total_seconds()
    return type(begin) is int and type(end) is int and end - begin <= longest
