"""A page between: what a verb needs to know is asked before it is called."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from autoful.actor import Actor
from autoful.admin import once
from autoful.admin.forms import add_refusal
from autoful.admin.pages import VerbAdmin
from autoful.admin.people import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError


class AskingPages(VerbAdmin):
    """Pages of an admin class on which a question comes before its verb."""

    def ask(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        form_class: type[forms.Form],
        do: Callable[[Any, dict[str, Any], Actor], str],
        shown: Callable[[Any], dict[str, Any]] | None = None,
        **context: Any,
    ) -> HttpResponse:
        """Ask what is on the form, call the verb, and say what `do` returns.

        `shown` is what the page says of the row now, for hidden fields. The template's `title`, `text`,
        `button` and `danger` are in `context`.
        """
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request, obj):
            raise PermissionDenied
        posted = request.POST.copy() if request.method == "POST" else None
        form = form_class(posted, initial=shown(obj) if shown else None)
        refused: DomainError | None = None
        if form.is_valid():
            try:
                step = partial(do, obj, form.cleaned_data, back_office(request))
                self.message_user(request, self.whole_or_not(request, step))
                return redirect(self.change_url(object_id))
            except DomainError as refusal:
                add_refusal(form, refused := refusal)
                if shown and posted is not None:
                    obj = self.get_object(request, unquote(object_id))
                    if obj is None:  # deleted meanwhile
                        self.message_user(request, refused.message, messages.ERROR)
                        return redirect("admin:index")
                    posted.update(shown(obj))
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "original": obj}
        context |= {
            "once": once.new(),
            "media": self.media + form.media,
            "form": form,
            "back": self.change_url(object_id),
            "subtitle": str(obj),
        }
        page = TemplateResponse(request, "admin/ask.html", context)
        return with_status_of(refused, page) if refused else page
