"""Who is calling: a token's customer or mechanic, or a signed-in session's member of staff.

`request.auth` is the Actor; nobody leaves it empty.
"""

from functools import lru_cache
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import aware_utcnow

from autoful.accounts import second_factor
from autoful.accounts.tokens import bearer
from autoful.actor import NOBODY, Actor, Role, identify


def actor_of(request: Request) -> Actor:
    return request.auth if isinstance(request.auth, Actor) else NOBODY


@lru_cache(maxsize=4096)
def _signed(raw_token: bytes) -> Token:
    """The token, whose signature is ours. That does not change until the process ends, so it is
    looked at once; when it expires, and whether its account may still sign in, at each request.
    """
    return AccessToken(raw_token)  # type: ignore[arg-type]


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer …`. A bad token is a 401 even where none is needed."""

    def authenticate(self, request: Request) -> Any:
        found = super().authenticate(request)
        if found is None:
            return None
        actor = bearer(found[1])
        if actor is None:
            raise AuthenticationFailed("This token is no longer good. Sign in again.")
        identify(actor)
        return actor.user, actor

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, space, rest = header.partition(b" ")
        if scheme.lower() == b"bearer":  # a scheme is written in any case, says RFC 9110
            header = b"Bearer" + space + rest
        try:
            return super().get_raw_token(header)
        except AuthenticationFailed as malformed:
            # Simple JWT says it in a dict, which is not the shape of our errors.
            raise AuthenticationFailed(
                "The Authorization header must read: Bearer <token>."
            ) from malformed

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            token = _signed(raw_token)
            token.check_exp(current_time=aware_utcnow())
            return token
        except Exception as wrong:  # odd claims raise whatever the library meets them with
            raise AuthenticationFailed(
                "The token is invalid or has expired. Sign in again."
            ) from wrong

    def get_user(self, validated_token: Token) -> Any:
        return None  # `bearer` answers this, for the role and not for the account


class BackOfficeAuthentication(SessionAuthentication):
    """A session of the back office; CSRF enforced. Other sessions mean nothing here."""

    def authenticate(self, request: Request) -> Any:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated or not user.is_staff:
            return None
        if second_factor.must_set_up(user):
            return None
        super().authenticate(request)
        actor = Actor(Role.BACK_OFFICE, user)
        identify(actor)
        return user, actor
