"""What is sent from a page is done whole or not at all, once, and on a row that nobody else writes."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db.models import F
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from autoful.admin import once
from autoful.admin.forms import is_row_number
from autoful.admin.people import back_office
from autoful.db import retrying
from autoful.errors import DomainError

T = TypeVar("T")


class WholePages(ModelAdmin):
    held_by = "version"  # the column in which a row of the page is locked

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

    def held(self, request: HttpRequest, object_id: str | None, page: Callable[[], T]) -> T:
        """Nobody else writes the row between the look at what they have changed and the verbs: of two who
        save at once the second is told, too. An UPDATE that changes nothing: whoever saves a page as it
        was leaves its version alone. Two nodes of a cluster then fight it out in the verbs."""
        number = unquote(object_id or "")
        if is_row_number(number) and self.has_change_permission(request):
            self.hold(int(number))
        return page()

    def hold(self, number: int) -> None:
        self.model._base_manager.filter(pk=number).update(**{self.held_by: F(self.held_by)})

    def change_url(self, object_id: Any) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=(object_id,))
