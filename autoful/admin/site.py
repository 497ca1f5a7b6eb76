"""The back office's site: unfold's, which refuses an address that asks for nothing."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite


class PickingView(AutocompleteJsonView):
    def process_request(self, request: HttpRequest) -> Any:
        term, page, field, to_field = super().process_request(request)
        if not field.concrete:  # a relation from elsewhere: nothing is picked by it
            raise PermissionDenied
        return term, page, field, to_field


class BackOffice(UnfoldAdminSite):
    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            return super().search(request, extra_context)
        except InvalidPage:
            raise Http404 from None

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return PickingView.as_view(admin_site=self)(request)
