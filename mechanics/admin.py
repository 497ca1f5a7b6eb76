"""The back office: mechanics."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from autoful.accounts.forms import EmailField, PasswordField
from autoful.accounts.permissions import may_manage
from autoful.actor import Actor
from autoful.admin import StandingFilter, VerbAdmin
from autoful.admin.people import back_office
from autoful.spelling import all_words
from mechanics.models import Mechanic
from mechanics.registration import approve, change_mechanic, close_mechanic, register_mechanic


class MechanicForm(forms.ModelForm):
    email = EmailField(help_text="The mechanic signs in with it.")
    password = PasswordField(
        help_text="At least 8 characters. For somebody who has an account already: its password, or a new "
        "one that you give them under Accounts first."
    )

    class Meta:
        model = Mechanic
        fields = ("name", "phone", "salary", "approved")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields and self.instance.user:
            self.initial["email"] = self.instance.user.email
        if "salary" in self.fields and self.instance.salary is not None:
            # The verb takes an empty one for "as it is".
            self.fields["salary"].required = True


@admin.register(Mechanic)
class MechanicAdmin(VerbAdmin):
    form = MechanicForm
    actions = ("approve_selected",)
    list_display = ("name", "account_email", "phone", "salary", "approved", "tickets")
    list_filter = (StandingFilter, "approved")
    list_select_related = ("user",)
    search_fields = ("name", "phone", "user__email")
    ordering = ("name", "id")
    fieldsets = ((None, {"fields": ("name", "email", "phone", "salary", "approved", "user")}),)
    add_fieldsets = ((None, {"fields": ("name", "email", "password", "phone", "salary")}),)
    private_fields = {"salary": "mechanics.view_salary", "user": "accounts.view_user"}
    delete_notice = (
        "This closes the mechanic's account and erases e-mail, phone and salary for good. They "
        "are taken off every open ticket; finished tickets keep the name."
    )

    icon = "engineering"

    def find(self, request: HttpRequest, text: str) -> Any:
        return Mechanic.objects.existing().filter(all_words(text, "name"))

    def found_as(self, request: HttpRequest, row: Mechanic) -> tuple[str, str]:
        return row.name, ", ".join(filter(None, ("Mechanic", row.phone)))

    @display(description="e-mail", ordering="user__email")
    def account_email(self, mechanic: Mechanic) -> str:
        return mechanic.email or "-"

    @display(description="tickets", ordering="ticket_count")
    def tickets(self, mechanic: Mechanic) -> int:
        return mechanic.ticket_count

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.existing().filter(approved=True)
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly: tuple[str, ...] = ("user",)
        if obj is None:
            return readonly
        if obj.user is None or not may_manage(request.user, obj.user):  # type: ignore[arg-type]
            readonly += ("email",)  # it is what that account signs in with
        if obj.approved:
            readonly += ("approved",)  # there is no way back but letting them go
        return readonly

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if change:
            # Passwords are set on the account's page, which knows whose may be.
            form.base_fields.pop("password", None)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_current(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_current(obj) and bool(super().has_delete_permission(request, obj))

    @admin.action(description="Approve", permissions=["change"])
    def approve_selected(self, request: HttpRequest, queryset: Any) -> None:
        mechanics = list(queryset.filter(approved=False).order_by("pk"))
        for mechanic in mechanics:
            approve(mechanic=mechanic, actor=back_office(request))
        self.message_user(request, f"Approved: {', '.join(map(str, mechanics)) or 'nobody new'}.")

    def enter(self, fields: dict[str, Any], actor: Actor) -> Mechanic:
        return register_mechanic(actor=actor, **fields)

    def change(self, obj: Mechanic, changed: dict[str, Any], actor: Actor) -> None:
        if changed.pop("approved", False):
            approve(mechanic=obj, actor=actor)
        if changed:
            change_mechanic(mechanic=obj, actor=actor, **changed)

    def remove(self, obj: Mechanic, actor: Actor) -> None:
        close_mechanic(mechanic=obj, actor=actor)


def is_current(mechanic: Mechanic | None) -> bool:
    return mechanic is None or mechanic.deleted_at is None
