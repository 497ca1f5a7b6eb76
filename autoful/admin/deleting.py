"""Deleting rows by their verb: what is said before, and what of it the verb would refuse."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.http import HttpRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from autoful.actor import Actor
from autoful.admin.people import back_office
from autoful.admin.whole import WholePages
from autoful.errors import DomainError

# Rows of a list with which something is done; each is a field of the question before.
MOST_AT_ONCE = 500


class DeletingPages(WholePages):
    """Of one row and of several. `remove` names the verb."""

    delete_notice = ""
    delete_confirmation_template = "admin/verb_delete.html"
    delete_selected_confirmation_template = "admin/verb_delete.html"

    def remove(self, obj: Any, actor: Actor) -> None:
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The question before says what the row is.
        may = super().has_delete_permission(request, obj)
        return bool(may and self.has_view_permission(request, obj))

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
        picked = len(request.POST.getlist(ACTION_CHECKBOX_NAME))
        of_all = ActionForm.base_fields["select_across"].to_python(
            request.POST.get("select_across")
        )
        found = queryset.values_list("pk")[: MOST_AT_ONCE + 1] if of_all else ()
        if max(picked, len(found)) > MOST_AT_ONCE:
            told = f"At most {MOST_AT_ONCE} rows at once. Narrow the list by a search or a filter."
            self.message_user(request, told, messages.ERROR)
            return redirect(request.get_full_path())
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
