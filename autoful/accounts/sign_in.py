"""The one login rule."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models import F

from autoful import audit
from autoful.accounts import guessing, tokens
from autoful.accounts.errors import AwaitingApproval, InvalidCredentials
from autoful.accounts.models import User, normalize_email
from autoful.actor import NOBODY, Actor, Role
from autoful.verbs import verb


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
        record(user, "sign-in refused", hat=str(role), actor=NOBODY)
        raise InvalidCredentials
    actor = Actor(role, user, profile.pk)
    if not profile.may_sign_in():
        record(user, "sign-in refused", hat=str(role), awaiting="approval", actor=actor)
        raise AwaitingApproval
    record(user, "signed in", actor=actor)
    guessing.remember_address(email)
    return profile, str(tokens.issue(role, profile, user))


@verb
def record(user: User | None, event: str, *, actor: Actor, **facts: Any) -> None:
    """Leave an entry about an account that was tried; None when there is none."""
    audit.record_event(_again(user.pk if user else 0) or User(), event, **facts)


def _again(account_id: int) -> User | None:
    """The account, locked by an UPDATE that changes nothing, and read again.

    It may have been closed while its password was hashed, and the entry would bring back the e-mail
    that was erased. Both statements are made for an unknown e-mail too, as everything here is.
    """
    account = User.objects.filter(pk=account_id)
    account.update(version=F("version"))
    return account.first()


def audit_back_office_sign_ins() -> None:
    """Record sign-ins to the admin as well; Django announces them by signal."""

    def signed_in(user: User, **kwargs: Any) -> None:
        record(user, "signed in", actor=Actor(Role.BACK_OFFICE, user))

    def refused(credentials: dict[str, Any], **kwargs: Any) -> None:
        email = normalize_email(str(credentials.get("username", "")))
        user = User.objects.filter(email=email).first()
        record(user, "sign-in refused", hat=str(Role.BACK_OFFICE), actor=NOBODY)

    user_logged_in.connect(signed_in, dispatch_uid="autoful.signed_in", weak=False)
    user_login_failed.connect(refused, dispatch_uid="autoful.sign_in_refused", weak=False)
