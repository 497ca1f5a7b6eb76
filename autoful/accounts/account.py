"""Opening, changing and closing an account, always as a part of a hat's own verb.

A hash takes a fifth of a second, so it is computed before the transaction begins: inside it, the
embedded database would keep every other writer waiting.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, models, transaction
from django.utils.crypto import salted_hmac

from autoful import audit
from autoful.accounts import guessing
from autoful.accounts.errors import EmailTaken
from autoful.accounts.models import User, normalize_email
from autoful.accounts.permissions import may_decide_sign_in
from autoful.actor import Actor, Role
from autoful.db import lock, lock_if_there
from autoful.errors import Forbidden, InvalidField, Missing
from autoful.verbs import verb


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account is opened with: a new e-mail and hash, or the account that has them."""

    role: Role
    email: str
    password_hash: str
    account_id: int | None = None


def credentials(*, email: str, password: str, role: Role) -> Credentials:
    """Hash the password, or match it with the account that has this e-mail, for a second hat.

    Raises EmailTaken when that account has another password, is closed, or wears the hat already;
    TooManyRequests when it has been tried too often. Exactly one hash is computed, whatever the
    answer; none for TooManyRequests.
    """
    email = normalize_email(email)
    guessing.count_try(email)  # matching a password is trying it
    existing = User.objects.filter(email=email).first()
    if existing is None:
        return Credentials(role, email, make_password(password))
    right = existing.check_password(password)
    if not right or not existing.is_active or hasattr(existing, role):
        raise EmailTaken
    if existing.has_second_factor():  # the password alone gets it no further hat
        raise EmailTaken
    return Credentials(role, email, existing.password, existing.pk)


def open_account(found: Credentials) -> User:
    """The account for `credentials`; raises EmailTaken when somebody else was faster."""
    if found.account_id is not None:
        # Locked and looked at again: since its password was matched it may have been closed,
        # have got another one, or have put on this hat in another request.
        user = lock_if_there(User.objects.all, found.account_id)
        if user is None or not _is_same(user, found) or hasattr(user, found.role):
            raise EmailTaken
        return user
    try:
        with transaction.atomic():
            return User.objects.create(email=found.email, password=found.password_hash)
    except IntegrityError as taken:
        raise EmailTaken from taken


def _is_same(user: User, found: Credentials) -> bool:
    """Whether it is still the account whose password was matched."""
    return user.is_active and (user.email, user.password) == (found.email, found.password_hash)


def change_account(
    *,
    user: User,
    hat: models.Model,
    email: str | None,
    password_hash: str | None,
    actor: Actor,
) -> User:
    """Change what is given; returns the account as it is then. A new password ends every token and session of the account.

    `hat` is the customer or mechanic it is changed under, locked. The e-mail is the account's, so
    a hat that keeps it on its own row gets it too, and every hat shows it. Raises InvalidField, EmailTaken, Forbidden for anybody but the account's
    own person and a back office that may do all that the account may.
    """
    # Locked: otherwise two changes through two hats would raise `token_version` once.
    user = lock(User.objects.all, user.pk, Missing("Account not found."))
    fields = []
    if email is not None and not normalize_email(email):
        raise InvalidField("email", "An account needs an e-mail to sign in with.")
    if email is not None and normalize_email(email) != user.email:
        user.email = normalize_email(email)
        fields.append("email")
    if password_hash is not None:
        user.password = password_hash
        user.token_version += 1
        fields += ["password", "token_version"]
    if fields and not may_decide_sign_in(actor, user):
        raise Forbidden("You may not change how this account signs in.")
    if fields:
        try:
            with transaction.atomic():
                user.save(update_fields=fields)
        except IntegrityError as taken:
            raise EmailTaken from taken
    for role in settings.ROLES if "email" in fields else ():
        worn = getattr(user, role, None)
        if worn is not None and worn != hat:
            # Its row shows another e-mail from here on, so whoever read it before must be told.
            worn = lock_if_there(type(worn)._default_manager.all, worn.pk)
        if worn is not None and worn.email != user.email:
            worn.email = user.email
            worn.save(update_fields=["email", "updated_at"])
    return user


@verb
def set_password(*, user: User, password_hash: str, actor: Actor) -> User:
    """Give an account another password, which ends its tokens and sessions; returns it as it is then.

    Nothing else of it is written: it may have been deactivated while the password was hashed.
    Raises Forbidden for anybody but its own person and a back office that may do all that it may.
    """
    user = lock(User.objects.all, user.pk, Missing("Account not found."))
    if not may_decide_sign_in(actor, user):
        raise Forbidden("You may not change how this account signs in.")
    user.password = password_hash
    user.token_version += 1
    user.save(update_fields=["password", "token_version"])
    return user


def closed_email(account_id: int) -> str:
    """What stands in a closed account in place of its e-mail, which must be unique.

    Nobody can guess it: otherwise somebody could register it, and the account could not be closed.
    """
    secret = salted_hmac("autoful.accounts.closed", str(account_id)).hexdigest()
    return f"closed-{account_id}-{secret[:16]}@account.invalid"


def close_account(*, user: User) -> None:
    """Close the account unless it still wears another hat: no sign-in, no e-mail, no tokens.

    The row stays, because the ledger and the audit trail point at it.
    """
    # Locked, so that of two hats taken off at once the second one sees that it was the last.
    user = lock(User.objects.all, user.pk, Missing("Account not found."))
    if user.has_role():
        return
    user.email = closed_email(user.pk)
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["email", "is_active", "password", "token_version"])
    audit.erase_personal_data(user, ("email",))
