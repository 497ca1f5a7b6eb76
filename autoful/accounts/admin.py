"""The back office: accounts and groups; beside it the page of the audit trail."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, ClassVar

import django_otp.plugins.otp_totp.admin  # noqa: F401
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.decorators import display

from autoful.accounts import second_factor, trail_page  # noqa: F401  # registers its page
from autoful.accounts.errors import EmailTaken
from autoful.accounts.forms import PasswordForm, RightsField, UserAddForm, UserForm
from autoful.accounts.groups import delete_groups
from autoful.accounts.models import User
from autoful.accounts.permissions import may_manage
from autoful.admin import VerbAdmin
from autoful.admin.people import back_office
from autoful.errors import DomainError

admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)  # its page shows the secrets


class GivesRights(VerbAdmin):
    """A page on which rights are chosen, those that some page asks for; or read, line by line."""

    rights = "user_permissions"

    @display(description="rights")
    def rights_in_words(self, row: Any) -> str:
        rights = getattr(row, self.rights).select_related("content_type")
        words = ((RightsField.label_from_instance(right),) for right in rights)
        return format_html_join(mark_safe("<br>"), "{}", words) or "-"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        chosen = request.user.is_superuser
        return fieldsets if chosen else [(t, self._read(more)) for t, more in fieldsets]

    def _read(self, options: Any) -> dict[str, Any]:
        fields = ["rights_in_words" if name == self.rights else name for name in options["fields"]]
        return options | {"fields": fields}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "rights_in_words")

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            pages = ContentType.objects.get_for_models(*self.admin_site._registry).values()
            rights = Permission.objects.filter(content_type__in=pages)
            # With their kinds: otherwise each right would be asked for its own.
            kwargs["queryset"] = rights.select_related("content_type")
            kwargs["form_class"] = RightsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(User)
class UserAdmin(GivesRights, DjangoUserAdmin):  # type: ignore[misc]
    """Accounts. Never deleted, because the ledger points at them: deactivated."""

    form, add_form, change_password_form = UserForm, UserAddForm, PasswordForm
    list_display = ("email", "roles", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    # Otherwise every row would be asked for each of its hats.
    list_select_related = tuple(settings.ROLES)
    search_fields = ("email",)
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "password", "roles")}),
        (
            "Back office",
            {
                "fields": (
                    *("is_active", "is_staff", "second_factor_required"),
                    *("is_superuser", "groups", "user_permissions"),
                )
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2", "is_staff")}),)
    readonly_fields = ("roles", "last_login", "date_joined")
    actions = ("require_second_factor", "remove_second_factor")
    # What other apps have to say of an account that was written, each by a function of its own.
    remarks: ClassVar[list[Callable[[User], Iterable[str]]]] = []
    grants = ("is_staff", "is_superuser", "groups", "user_permissions")

    @display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(role for role in settings.ROLES if hasattr(user, role)) or "-"

    @admin.action(description="Require a second factor", permissions=["change"])
    def require_second_factor(self, request: HttpRequest, queryset: Any) -> None:
        told = self._managed(request, queryset)
        second_factor.require(users=told, actor=back_office(request))
        self.message_user(request, f"Asked to set one up: {', '.join(map(str, told)) or 'nobody'}.")

    @admin.action(description="Remove the second factor (phone lost)", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: Any) -> None:
        told = self._managed(request, queryset.exclude(pk=request.user.pk))
        if queryset.filter(pk=request.user.pk).exists():
            # Not by whoever finds the desk unattended.
            said = "Your own you turn off on the page “Second factor”, with the phone at hand."
            self.message_user(request, said, messages.WARNING)
        second_factor.remove(users=told, actor=back_office(request))
        names = ", ".join(map(str, told)) or "nobody"
        told_too = "Whoever must have one sets it up at the next sign-in."
        self.message_user(request, f"No code is asked for any more: {names}. {told_too}")

    def user_change_password(self, request: HttpRequest, id: str, *args: Any) -> Any:  # noqa: A002
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("admin:password_change")  # there, the old one is asked for
        try:
            return super().user_change_password(request, id, *args)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return redirect(request.path)

    def _managed(self, request: HttpRequest, queryset: Any) -> list[User]:
        """Those of the back office among them whose sign-in this person may decide."""
        staff = queryset.filter(is_staff=True).order_by("pk")
        return [user for user in staff if self.has_change_permission(request, user)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Also asked before a password is set.
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_manage(request.user, obj))  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        if not request.user.is_superuser:
            readonly += self.grants
        if obj is not None and any(hasattr(obj, role) for role in settings.ROLES):
            # A customer's address is written in two places; the customer's own page knows both.
            readonly += ("email",)
        if obj == request.user:
            # Who shuts themselves out may be the last who could let them in again.
            readonly += ("is_active", "is_staff", "is_superuser")
            if not request.user.is_superuser:
                readonly += ("second_factor_required",)
        return readonly

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # By name: the whole row would undo a password that was changed since the page was opened.
        columns = {field.name for field in User._meta.concrete_fields}
        changed = columns & set(form.changed_data)
        try:
            with transaction.atomic():
                if not change:
                    obj.save()
                elif changed:
                    obj.save(update_fields=changed)
        except IntegrityError as taken:  # by somebody who was faster
            raise EmailTaken from taken

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user = form.instance
        if user.is_staff and user.is_active and not user.get_all_permissions():
            told = f"{user} may sign in to the back office, and sees nothing there: put them into a group."
            self.message_user(request, told, messages.WARNING)
        for remark in chain.from_iterable(about(user) for about in self.remarks):
            self.message_user(request, remark, messages.WARNING)
        if not user.is_staff and user.groups.exists():
            told = (
                f"{user} is in a group, and may not sign in to the back office: tick “Back office”."
            )
            self.message_user(request, told, messages.WARNING)


@admin.register(Group)
class GroupAdmin(GivesRights, DjangoGroupAdmin):  # type: ignore[misc]
    """Who may change groups may give themselves any permission: superusers alone."""

    fields = ("name", "permissions")
    rights = "permissions"
    held_by = "name"  # Django's table has no version
    delete_notice = "Whoever is in it leaves it, and no longer sees and does what it allowed."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        obj.save()

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        delete_groups(group_ids=[obj.pk], actor=back_office(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        group_ids = list(queryset.values_list("pk", flat=True))
        delete_groups(group_ids=group_ids, actor=back_office(request))
