"""The page of a row's history, leafed through from the newest on."""

from functools import partial
from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from autoful.admin.forms import is_row_number
from autoful.admin.history import History, sees_all_of

EVENTS, MOST_PAGES = 100, 100  # events on a page, and pages


class HistoryPage(ModelAdmin):
    """An admin class with the audit trail in place of Django's own log; `history_of` tells it."""

    history_of: type[History] = History

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        more = dict(extra_context or {})
        if row is not None and self.has_view_or_change_permission(request, row):
            typed = request.GET.get(PAGE_VAR, "")
            page = int(typed) if is_row_number(typed) and 0 < int(typed) <= MOST_PAGES else 1
            # One more than is shown says whether there is an older page; nothing is counted.
            told = self.history(request, row).read((page - 1) * EVENTS, page * EVENTS + 1)
            more |= {"events": told[:EVENTS], "page": page}
            more |= {"newer": page - 1, "older": page + 1 if len(told) > EVENTS else 0}
        return super().history_view(request, object_id, more)

    def history(self, request: HttpRequest, row: Any) -> History:
        """What has happened to a row, as its reader may know it."""
        return self.history_of(
            row, self.hidden_fields(request.user), partial(self._may_see, request)
        )

    def _may_see(self, request: HttpRequest, model: Any) -> bool:
        page = self.admin_site._registry.get(model)
        return page is not None and sees_all_of(page, request)
