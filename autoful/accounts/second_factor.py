"""The second factor of the back office: a code from an app on somebody's phone (TOTP, RFC 6238).

Optional, unless an account is told to have one. django-otp keeps the secrets, reckons the codes, takes
none twice, and makes whoever guesses wait longer each time.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django_otp.plugins.otp_totp.models import TOTPDevice

from autoful import audit
from autoful.accounts.errors import WrongCode
from autoful.accounts.models import User
from autoful.accounts.permissions import may_manage
from autoful.actor import Actor, Role
from autoful.errors import Forbidden
from autoful.verbs import verb

MOST_FAILURES = 7  # after which the wait before the next code grows no more: 2^7 seconds


def must_set_up(user: Any) -> bool:
    """Whether this member of staff may do nothing else first."""
    required = bool(getattr(user, "second_factor_required", False)) and user.is_staff
    return required and not user.has_second_factor()


def proposed(user: User, key: str = "") -> TOTPDevice:
    """What is to be put into the app, with this secret or a new one. It is kept by whoever proposes
    it, in their session: one that is the account's could have been seen by a thief before."""
    return TOTPDevice(user=user, confirmed=True, **({"key": key} if key else {}))


@verb
def confirm(*, user: User, key: str, code: str, actor: Actor) -> User:
    """From now on this app's codes are asked for at every sign-in, and those of an app before it are
    none any more. Every session and token of the account ends; returns it as it is then.

    Raises WrongCode.
    """
    user = _locked(user)
    TOTPDevice.objects.filter(user=user).delete()
    if not proposed(user, key).verify_token(code):
        raise WrongCode
    user.token_version += 1
    user.save(update_fields=["token_version"])
    audit.record_event(user, "second factor set up")
    return user


@verb
def require(*, users: Iterable[User], actor: Actor) -> None:
    """Let these accounts do nothing else in the back office before they have set one up.

    All or none. Raises Forbidden.
    """
    for user in sorted(users, key=lambda user: user.pk):
        _demand_may_decide(actor, user)
        user = _locked(user)
        user.second_factor_required = True
        user.save(update_fields=["second_factor_required"])


@verb
def remove(*, users: Iterable[User], actor: Actor) -> None:
    """Ask these accounts for no code any more, all or none: the phone is lost. Raises Forbidden.

    By their own person, or by whoever may set the account's password.
    """
    for user in sorted(users, key=lambda user: user.pk):
        _demand_may_decide(actor, user)
        _remove(_locked(user), own=actor.user == user)


def _demand_may_decide(actor: Actor, user: User) -> None:
    own = actor.user == user
    manages = actor.role is Role.BACK_OFFICE and actor.user and may_manage(actor.user, user)
    if not (own or manages or actor.role is Role.COMMAND):
        raise Forbidden("You may not decide how this account signs in.")


def _remove(user: User, *, own: bool) -> None:
    if own and user.second_factor_required and not user.is_superuser:
        raise Forbidden("Your account must have a second factor.")
    if TOTPDevice.objects.filter(user=user).delete()[0]:
        audit.record_event(user, "second factor removed")


def is_right(user: User, code: str) -> bool:
    """Whether this is the app's code of this half minute, and was not used before."""
    return _verified(user=user, code=code, actor=Actor(Role.NOBODY))


@verb
def _verified(*, user: User, code: str, actor: Actor) -> bool:
    # Locked: of two who bring one code at once, the second must find it used. A wrong one is not
    # raised, since the count of guesses has to stay.
    device = TOTPDevice.objects.filter(user=_locked(user), confirmed=True).first()
    if device is None:
        return False
    # django-otp doubles the wait for ever: whoever has the password could keep the owner out for days.
    # Two minutes are 700 guesses a day, of a million.
    device.throttling_failure_count = min(device.throttling_failure_count, MOST_FAILURES)
    return bool(device.verify_token(code))


def _locked(user: User) -> User:
    User.objects.filter(pk=user.pk).update(version=F("version"))
    return User.objects.get(pk=user.pk)
