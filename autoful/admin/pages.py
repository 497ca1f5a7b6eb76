"""Pages of the back office: those that verbs write, and those that nobody does.

An admin class says how a row is shown and which verb is called. What may happen is the verb's to
say, in the same words as through the API; a page is written whole or not at all.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from autoful.actor import Actor
from autoful.admin import once
from autoful.admin.deleting import DeletingPages
from autoful.admin.forms import PicksRows, add_refusal, is_row_number, minding_others
from autoful.admin.history_page import HistoryPage
from autoful.admin.inlines import ReadOnlyInline
from autoful.admin.links import NoDeadLinks
from autoful.admin.lists import ShopList
from autoful.admin.people import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError, Missing

Inline = TypeVar("Inline", bound=ReadOnlyInline)


class ShopAdmin(PicksRows, HistoryPage, ShopList):
    """A page of the back office."""

    warn_unsaved_form = True
    icon = "search"  # beside what the search box found

    @classmethod
    def also_shows(cls, table: type[Inline]) -> type[Inline]:
        """Put a table at the end of this page; for an app that knows this one, and not the other way."""
        cls.inlines = (*cls.inlines, table)
        return table

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        # A new row has nothing to be read yet.
        tables = super().get_inlines(request, obj)
        return [table for table in tables if obj or not issubclass(table, ReadOnlyInline)]

    def is_number_of(self, text: str, row: Any) -> bool:
        """Whether the shop calls the row by this number: the search box tells it before all else."""
        return False

    def find(self, request: HttpRequest, text: str) -> Any:
        """The rows that the search box of every page finds by `text`; none, unless a page says which."""
        return self.model._default_manager.none()

    def picked_as(self, request: HttpRequest, row: Any) -> str:
        """How a row is told from the others in a box where one is picked."""
        return str(row)

    def found_as(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        """What is told of a row that was found: its title, and a word more."""
        return str(row), capfirst(self.opts.verbose_name)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        hidden = self.hidden_fields(request.user)

        def seen(fields: Any) -> list[Any]:
            return [
                tuple(seen(field)) if isinstance(field, list | tuple) else field
                for field in fields
                if not isinstance(field, str) or field not in hidden
            ]

        sets = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": seen(options["fields"])}) for title, options in sets]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form: type[forms.ModelForm] = super().get_form(request, obj, change=change, **kwargs)
        return minding_others(form) if change else form

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any) -> Any:
        if not all(is_row_number(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise SuspiciousOperation("an action on rows that are none")
        return super().response_action(request, queryset, *args)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> Any:
        # Django asks whether it was deleted; it may also be somebody else's.
        what = f"{opts.verbose_name} {unquote(object_id)}"
        self.message_user(request, f"There is no {what}, or you may not see it.", messages.WARNING)
        return redirect(f"{self.admin_site.name}:index")

    # The audit trail is the one history. Django's own log would keep the names of people whose
    # data has been erased, and knows nothing of what the API changed.

    def log_addition(self, *args: Any) -> Any: ...

    def log_change(self, *args: Any) -> Any: ...

    def log_deletions(self, *args: Any) -> Any: ...

    def construct_change_message(self, *args: Any) -> Any:
        # Django asks the formsets what they saved, which the verbs did.
        return ""


class ReadOnlyAdmin(NoDeadLinks, ShopAdmin):
    """Rows that are shown and never written by hand, whoever is signed in."""

    actions = None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # What never changes has no history.
        context = {"show_history": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VerbAdmin(DeletingPages, ShopAdmin):
    """Whose rows only verbs write: `enter`, `change` and `remove` name them.

    Saving a page, inlines included, is one transaction. A DomainError undoes all of it and comes
    back on the form with what was typed; a lost race is tried again.
    """

    change_form_before_template = "admin/once.html"

    def enter(self, fields: dict[str, Any], actor: Actor) -> Any:
        """Write a new row and return it."""
        raise NotImplementedError

    def change(self, obj: Any, changed: dict[str, Any], actor: Actor) -> None:
        """Write the fields of `obj` that the form changed."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        more = {"once": once.new(), **(extra_context or {})}
        page = partial(super().changeform_view, request, object_id, form_url, more)
        if request.method != "POST":
            return page()
        try:
            return self.whole_or_not(request, partial(self.held, request, object_id, page))
        except DomainError as refusal:
            if object_id is not None and isinstance(refusal, once.SentAlready):
                # Without what was typed, which would stand there to be saved once more.
                self.message_user(request, refusal.message, messages.WARNING)
                return redirect(self.change_url(object_id))
            # Once more from the start, this time with a form that does not pass: get_form().
            request.refusal = refusal  # type: ignore[attr-defined]
            return with_status_of(refusal, page())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        if not hasattr(request, "refusal"):
            return form
        refusal = request.refusal

        class Refused(form):  # type: ignore[valid-type, misc]
            def clean(self) -> Any:
                cleaned = super().clean()
                add_refusal(self, refusal)
                return cleaned

        return Refused

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = back_office(request)
        if not change:
            obj.pk = self.enter(form.cleaned_data, actor).pk
            obj._state.adding = False
        elif changed := {f: form.cleaned_data[f] for f in form.changed_data}:
            self.change(obj, changed, actor)
        # The form wrote what was typed into obj; from here on it is what the verb made of it.
        try:
            obj.refresh_from_db()
        except self.model.DoesNotExist as gone:  # nothing was typed, so no verb has looked for it
            raise Missing(f"This {self.opts.verbose_name} was deleted meanwhile.") from gone

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save_by_verbs(form.instance, back_office(request))
