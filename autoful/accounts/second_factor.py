"""The second factor of the back office: a code from an app on somebody's phone (TOTP, RFC 6238).

Optional, unless an account is told to have one. django-otp keeps the secrets, reckons the codes, takes
none twice, and makes whoever guesses wait longer each time.
"""

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


def has_one(user: User) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def must_set_up(user: Any) -> bool:
    """Whether this member of staff may do nothing else first."""
    required = bool(getattr(user, "second_factor_required", False)) and user.is_staff
    return required and not has_one(user)


@verb
def begin(*, user: User, actor: Actor) -> TOTPDevice:
    """The secret that is to be put into the app; the same one until it is confirmed."""
    _lock(user)
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False)
    return device


@verb
def confirm(*, user: User, code: str, actor: Actor) -> None:
    """From now on this app's codes are asked for at every sign-in, and those of an app before it are
    none any more. Raises WrongCode.
    """
    _lock(user)
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(code):
        raise WrongCode
    TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    audit.record_event(user, "second factor set up")


@verb
def remove(*, user: User, actor: Actor) -> None:
    """Ask this account for no code any more: the phone is lost. Raises Forbidden.

    By its owner, or by whoever may set the account's password.
    """
    own = actor.user == user
    manages = actor.role is Role.BACK_OFFICE and actor.user and may_manage(actor.user, user)
    if not (own or manages or actor.role is Role.COMMAND):
        raise Forbidden("You may not decide how this account signs in.")
    _lock(user)
    if TOTPDevice.objects.filter(user=user).delete()[0]:
        audit.record_event(user, "second factor removed")


def is_right(user: User, code: str) -> bool:
    """Whether this is the app's code of this half minute, and was not used before."""
    return _verified(user=user, code=code, actor=Actor(Role.NOBODY))


@verb
def _verified(*, user: User, code: str, actor: Actor) -> bool:
    # Locked: of two who bring one code at once, the second must find it used. A wrong one is not
    # raised, since the count of guesses has to stay.
    _lock(user)
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return device is not None and bool(device.verify_token(code))


def _lock(user: User) -> None:
    User.objects.filter(pk=user.pk).update(version=F("version"))
