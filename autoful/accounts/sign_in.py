"""The one login rule."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in, user_login_failed

from autoful import audit
from autoful.accounts import guessing, tokens
from autoful.accounts.errors import AwaitingApproval, InvalidCredentials
from autoful.accounts.models import User, normalize_email
from autoful.actor import NOBODY, Actor, Role, acting


def sign_in(*, email: str, password: str, role: Role) -> tuple[tokens.Profile, str]:
    """The profile and a fresh token.

    Raises InvalidCredentials for everything that is wrong, in the same words and, because exactly
    one hash is computed whatever is wrong, in the same time; AwaitingApproval after a right
    password for a mechanic the back office has not approved yet; TooManyRequests before that hash,
    when the account has been tried too often.
    """
    email = normalize_email(email)
    guessing.count_try(email)
    user = User.objects.filter(email=email).first()
    # By the e-mail, so that it is asked for an unknown one too.
    profile = tokens.profiles(role).filter(user__email=email).first()
    if user is None:
        make_password(password)
    right = user is not None and user.check_password(password)
    if user is None or not right or not user.is_active or profile is None:
        # Recorded for an unknown e-mail too: otherwise the time this takes would tell who has an
        # account.
        with acting(NOBODY):
            audit.record_event(user or User(), "sign-in refused", hat=str(role))
        raise InvalidCredentials
    if not profile.may_sign_in():
        with acting(Actor(role, user, profile.pk)):
            audit.record_event(user, "sign-in refused", hat=str(role), awaiting="approval")
        raise AwaitingApproval
    with acting(Actor(role, user, profile.pk)):
        audit.record_event(user, "signed in")
    guessing.remember_address(email)
    return profile, str(tokens.issue(role, profile, user))


def audit_back_office_sign_ins() -> None:
    """Record sign-ins to the admin as well; Django announces them by signal."""

    def signed_in(user: User, **kwargs: Any) -> None:
        with acting(Actor(Role.BACK_OFFICE, user)):
            audit.record_event(user, "signed in")

    def refused(credentials: dict[str, Any], **kwargs: Any) -> None:
        email = normalize_email(str(credentials.get("username", "")))
        user = User.objects.filter(email=email).first() or User()
        with acting(NOBODY):
            audit.record_event(user, "sign-in refused", hat=str(Role.BACK_OFFICE))

    user_logged_in.connect(signed_in, dispatch_uid="autoful.signed_in", weak=False)
    user_login_failed.connect(refused, dispatch_uid="autoful.sign_in_refused", weak=False)
