"""The back office's forms about accounts."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from unfold.forms import (
    AdminOwnPasswordChangeForm,
    AdminPasswordChangeForm,
    AuthenticationForm,
    UserChangeForm,
)
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from autoful import limits
from autoful.accounts import guessing, second_factor
from autoful.accounts.account import set_password
from autoful.accounts.models import User, normalize_email
from autoful.accounts.sign_in import record
from autoful.actor import NOBODY, Role, current_actor
from autoful.admin.forms import Settled


class CodeField(forms.CharField):
    """Six digits, with or without the space that apps show in the middle."""

    def __init__(self, **options: Any) -> None:
        digits = {"inputmode": "numeric", "autocomplete": "one-time-code"}
        widget = UnfoldAdminTextInputWidget(attrs=digits)
        super().__init__(**({"label": "Code", "max_length": 10, "widget": widget} | options))

    def to_python(self, value: Any) -> str:
        return "".join((super().to_python(value) or "").split())


class SignInForm(AuthenticationForm):
    """Signing in to the back office, limited as signing in to the API is.

    The code is asked for by those who have set one up: see second_factor.
    """

    code = CodeField(required=False, label="Code from your app, if you have set one up")
    error_messages: ClassVar = {
        **AuthenticationForm.error_messages,
        "invalid_login": "This e-mail and password do not open the back office. Capitals count in the "
        "password. Whoever forgot it gets a new one from the owner.",
    }

    def clean(self) -> Any:
        # First of all: a refused guess must not cost a hash, nor tell whether it was right.
        try:
            usage = limits.count("admin.login", NOBODY, no_sign_in_needed=True)
            if usage.wait:
                raise limits.TooManyRequests(usage)
            if self.cleaned_data.keys() >= {"username", "password"}:
                guessing.count_try(self.cleaned_data["username"])
        except limits.TooManyRequests as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # A right password that does not open this door; Django announces only wrong ones.
            record(user, "sign-in refused", hat=str(Role.BACK_OFFICE), actor=NOBODY)
            raise
        if user.has_second_factor():
            code = self.cleaned_data.get("code", "")
            if not code:
                # Whoever tries a stolen password comes no further, and leaves a trace.
                record(user, "code asked for", hat=str(Role.BACK_OFFICE), actor=NOBODY)
                raise ValidationError("Enter the code that your app shows, too.", code="no_code")
            if not second_factor.is_right(user, code):
                record(user, "sign-in refused", hat=str(Role.BACK_OFFICE), actor=NOBODY)
                raise ValidationError(
                    "That is not the code your app shows now, or too many wrong ones were tried. "
                    "Wait two minutes and try the next one.",
                    code="code",
                )
        guessing.remember_address(user.email)


class EmailField(forms.EmailField):
    widget = UnfoldAdminEmailInputWidget

    def __init__(self, **options: Any) -> None:
        defaults: dict[str, Any] = {"max_length": 254, "label": "E-mail"}
        super().__init__(**(defaults | options))

    def to_python(self, value: Any) -> Any:
        return normalize_email(super().to_python(value) or "")


class PasswordField(forms.CharField):
    """A new password, held to the shop's rules."""

    widget = UnfoldAdminPasswordWidget

    def __init__(self, **options: Any) -> None:
        defaults: dict[str, Any] = {"max_length": 128, "strip": False}
        super().__init__(**(defaults | options))
        self.widget.attrs["autocomplete"] = "new-password"

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value:
            validate_password(value)


class UserAddForm(forms.ModelForm):
    email = EmailField()
    password1 = PasswordField(label="Password")
    password2 = forms.CharField(
        label="Password again",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("email",)

    def clean_password2(self) -> str:
        again: str = self.cleaned_data["password2"]
        if again != self.cleaned_data.get("password1", again):
            raise ValidationError("The two passwords are not the same.")
        return again

    def save(self, commit: bool = True) -> User:
        self.instance.set_password(self.cleaned_data["password1"])
        return super().save(commit)


class RightsField(forms.ModelMultipleChoiceField):
    """Rights in the words of the pages: "Service tickets: change", "Parts: view what the shop pays"."""

    @staticmethod
    def label_from_instance(right: Any) -> str:
        kind = right.content_type.model_class()._meta
        # Django's own four say the kind once more: "Can change service ticket".
        what, _, model = right.codename.partition("_")
        if model != kind.model_name:
            what = right.name.removeprefix("Can ")
        return f"{capfirst(kind.verbose_name_plural)}: {what}"


class UserForm(UserChangeForm):
    email = EmailField()

    class Meta:
        model = User
        fields = "__all__"
        labels = {"is_superuser": "Superuser", "user_permissions": "Rights of their own"}
        help_texts = {
            "is_active": "Off: signs in nowhere any more, at once. Accounts are not deleted.",
            "is_superuser": "Sees and does everything, groups and rights of others too.",
            "groups": "What somebody in a group sees and does stands at the group.",
            "user_permissions": "Beside those of the groups.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            # Django's box shows how it is hashed, and pieces of the hash.
            self.fields["password"].widget = Settled("Set, and kept so that nobody can read it.")
            form = self.fields["password"].help_text.partition("<a")
            self.fields["password"].help_text = "".join(("Give a new one with ", *form[1:]))


class SetsPassword:
    """In place of Django's own saving, which writes the whole row as it was before the hash."""

    def set_password_and_save(
        self,
        user: User,
        password_field_name: str = "password1",  # noqa: S107
        commit: bool = True,
    ) -> User:
        password = self.cleaned_data[password_field_name]  # type: ignore[attr-defined]
        hashed = make_password(password)
        now = set_password(user=user, password_hash=hashed, actor=current_actor())
        # By these the session that it was done in goes on.
        user.password, user.token_version = now.password, now.token_version
        return user


class OwnPasswordForm(SetsPassword, AdminOwnPasswordChangeForm):
    """A new password for oneself; whoever found the desk unattended may not guess the old one there."""

    def clean_old_password(self) -> Any:
        try:
            guessing.count_try(self.user.email)
        except limits.TooManyRequests as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return super().clean_old_password()


class PasswordForm(SetsPassword, AdminPasswordChangeForm):
    """A new password for somebody. An account is closed by deactivating it, not by having none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True
