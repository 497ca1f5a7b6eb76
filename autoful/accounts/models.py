"""One person, one account: an e-mail and a password. Roles are profiles that point here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import validate_email
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from autoful.fields import ExactCharField


def normalize_email(email: str) -> str:
    """The one spelling an address is stored and looked up in."""
    return email.strip().lower()


LETS_IN = ("is_active", "is_staff")  # columns of an account


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalize_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """`token_version` is part of every token: raising it ends them all. `version` is the lock."""

    # Pages and API ask for one, too; the command that makes the first account asks here.
    email = ExactCharField("e-mail", max_length=254, unique=True, validators=[validate_email])
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Unselect this instead of deleting the account.",
    )
    is_staff = models.BooleanField(
        "back office", default=False, help_text="May sign in to the back office."
    )
    second_factor_required = models.BooleanField(
        "second factor required",
        default=False,
        db_default=False,
        help_text="Must set up a code from an app before anything else in the back office.",
    )
    version = models.PositiveBigIntegerField(default=0, editable=False)
    token_version = models.PositiveIntegerField(default=1, editable=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    _password: str | None  # AbstractBaseUser's, unknown to its stubs

    objects = UserManager()

    class Meta:
        verbose_name = "account"
        # Few among all the customers.
        indexes: ClassVar = [models.Index(fields=["is_staff"], name="user_staff")]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        # `_password` is set by set_password() and emptied when Django only re-hashes the same
        # password, so this is true just when the password really changed, through any door.
        is_new_password = self._password is not None and not self._state.adding
        written = kwargs.get("update_fields")
        # Whoever is let in again signs in again: a stolen token or session is not let in with them.
        is_let_out = any(not getattr(self, name) for name in LETS_IN if name in (written or ()))
        if is_new_password or is_let_out:
            self.token_version += 1
            if written is not None:
                kwargs["update_fields"] = {*written, "token_version"}
        with transaction.atomic(savepoint=False):  # as in ShopModel.save
            super().save(*args, **kwargs)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self.token_version += 1

    def get_session_auth_hash(self) -> str:
        # What ends tokens ends sessions: a new password, and a second factor that is set up.
        return self._with_version(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        yield from map(self._with_version, super().get_session_auth_fallback_hash())

    def _with_version(self, of_password: str) -> str:
        return salted_hmac(
            "autoful.accounts.session", f"{of_password}.{self.token_version}"
        ).hexdigest()

    def has_second_factor(self) -> bool:
        """Whether a code is asked for when this account signs in to the back office."""
        devices = apps.get_model("otp_totp", "TOTPDevice")._default_manager
        return bool(devices.filter(user=self, confirmed=True).exists())

    def has_role(self) -> bool:
        """Whether any hat is left: customer, mechanic or back office."""
        return self.is_staff or any(
            apps.get_model(model)._default_manager.filter(user=self).exists()
            for model in settings.ROLES.values()
        )
