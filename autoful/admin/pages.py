"""Pages of the back office: those that verbs write, and those that nobody does.

An admin class says how a row is shown and which verb is called. What may happen is the verb's to
say, in the same words as through the API, and a refused page is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import SuspiciousOperation
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from autoful.accounts.models import User
from autoful.actor import Actor, Role
from autoful.admin import once
from autoful.admin.forms import PicksRows, add_refusal, is_row_number, minding_others
from autoful.admin.history_page import HistoryPage
from autoful.admin.inlines import ReadOnlyInline
from autoful.admin.links import NoDeadLinks
from autoful.admin.lists import ShopList
from autoful.api.errors import with_status_of
from autoful.db import retrying
from autoful.errors import DomainError, Missing

T = TypeVar("T")
Inline = TypeVar("Inline", bound=ReadOnlyInline)


def back_office(request: HttpRequest) -> Actor:
    """Who is signed in, as the verbs are told."""
    return Actor(Role.BACK_OFFICE, cast(User, request.user))


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


class VerbAdmin(ShopAdmin):
    """Whose rows only verbs write: `enter`, `change` and `remove` name them.

    Saving a page, inlines included, is one transaction. A DomainError undoes all of it and comes
    back on the form with what was typed; a lost race is tried again.
    """

    delete_notice = ""
    # The column in which a row of the page is locked.
    held_by = "version"
    change_form_before_template = "admin/once.html"
    delete_confirmation_template = "admin/verb_delete.html"
    delete_selected_confirmation_template = "admin/verb_delete.html"

    def enter(self, fields: dict[str, Any], actor: Actor) -> Any:
        """Write a new row and return it."""
        raise NotImplementedError

    def change(self, obj: Any, changed: dict[str, Any], actor: Actor) -> None:
        """Write the fields of `obj` that the form changed."""
        raise NotImplementedError

    def remove(self, obj: Any, actor: Actor) -> None:
        raise NotImplementedError

    def whole_or_not(self, request: HttpRequest, step: Callable[[], T]) -> T:
        """Do `step` in one transaction, again when it loses a race. Raises DomainError.

        The verbs inside join this transaction, so the retry has to stand here.
        """
        # What an undone try told the person did not happen.
        queue = cast(Any, messages.get_messages(request))._queued_messages
        said = len(queue)

        def attempt() -> T:
            del queue[said:]
            word = once.claim(request, back_office(request))
            answer = step()
            if word is not None and isinstance(answer, TemplateResponse):
                word.delete()  # the page comes back with what is wrong, and nothing is saved
            return answer

        once.tidy(request)
        try:
            return retrying(attempt, f"admin.{self.opts.model_name}")()
        except DomainError:
            del queue[said:]
            raise

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
            return self.whole_or_not(request, partial(self._held, object_id, page))
        except DomainError as refusal:
            if object_id is not None and isinstance(refusal, once.SentAlready):
                # Without what was typed, which would stand there to be saved once more.
                self.message_user(request, refusal.message, messages.WARNING)
                return redirect(self.change_url(object_id))
            # Once more from the start, this time with a form that does not pass: get_form().
            request.refusal = refusal  # type: ignore[attr-defined]
            return with_status_of(refusal, page())

    def _held(self, object_id: str | None, page: Callable[[], T]) -> T:
        """Nobody else writes the row between the look at what they have changed and the verbs: of two who
        save at once the second is told, too. An UPDATE that changes nothing: whoever saves a page as it
        was leaves its version alone. Two nodes of a cluster then fight it out in the verbs."""
        if object_id is not None and is_row_number(number := unquote(object_id)):
            row = self.model._base_manager.filter(pk=number)
            row.update(**{self.held_by: F(self.held_by)})
        return page()

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

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        page = partial(super().delete_view, request, object_id, extra_context)
        if request.method != "POST":
            return page()
        try:
            return self.whole_or_not(request, page)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return redirect(self.change_url(object_id))

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:
        step = partial(super().response_action, request, queryset)
        try:
            response = self.whole_or_not(request, step)
        except DomainError as refusal:
            self.message_user(request, f"{refusal.message} Nothing was changed.", messages.ERROR)
            return redirect(request.get_full_path())
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            rows = response.context_data.get("queryset", ())
            response.context_data["notice"] = self.get_delete_notice(rows)
            response.context_data["staying"] = self.staying(rows)
        return response

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        rows = [context["object"]]
        more = {"notice": self.get_delete_notice(rows), "staying": self.staying(rows)}
        return super().render_delete_form(request, {**more, **context})

    def get_delete_notice(self, rows: Iterable[Any]) -> str:
        """What is said before these rows are deleted."""
        return self.delete_notice

    def staying(self, rows: Iterable[Any]) -> list[str]:
        """What the verb would say of those among these rows that it does not delete: before it is asked."""
        return []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Django would list every row that hangs on these; what goes and stays is the verb's to say.
        shown = [str(obj) for obj in objs]
        return shown, {self.opts.verbose_name_plural: len(shown)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(obj, back_office(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset.order_by("pk"):
            self.remove(obj, back_office(request))

    def change_url(self, object_id: Any) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=(object_id,))
