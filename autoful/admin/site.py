"""The back office's site: unfold's, with one box that finds whatever the shop has.

It refuses an address that asks for nothing.
"""

from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from autoful.accounts import second_factor, second_factor_page
from autoful.accounts.forms import OwnPasswordForm
from autoful.admin.lists import is_too_much
from autoful.errors import DomainError

# What whoever has to set up a second factor may do before.
FIRST = {"second_factor", "logout"}
FOUND = 6  # of each kind; who looks for more has typed too little


class PickingView(AutocompleteJsonView):
    def process_request(self, request: HttpRequest) -> Any:
        term, page, field, to_field = super().process_request(request)
        if not field.concrete:  # a relation from elsewhere: nothing is picked by it
            raise PermissionDenied
        return term, page, field, to_field

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        row = super().serialize_result(obj, to_field_name)
        page: Any = self.model_admin
        return row | {"text": page.picked_as(self.request, obj)}


class BackOffice(UnfoldAdminSite):
    index_title = "Today"

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The names of pages, and what the box of every page finds: `extended`."""
        if "extended" not in request.GET:
            try:
                return super().search(request, extra_context)
            except InvalidPage:
                raise Http404 from None
        text = " ".join(request.GET.get("s", "").split())
        # Unfold would keep what was found for five minutes, whoever may see it by then.
        found: list[Any] = [] if not text or is_too_much(text) else self._found(request, text)
        found += self._search_apps(self.get_app_list(request), text.lower()) if text else []
        pages = Paginator(found, max(len(found), 1))
        context = {"results": pages.page(1), "page_obj": pages, "page_counter": 0}
        answer = TemplateResponse(request, "admin/found.html", context)
        answer["HX-Trigger"] = "search"
        answer["Cache-Control"] = "private, no-store"
        return answer

    def _found(self, request: HttpRequest, text: str) -> list[SearchResult]:
        first: list[SearchResult] = []
        others: list[SearchResult] = []
        for model, page in self._registry.items():
            if not page.has_view_permission(request):
                continue
            name = f"{self.name}:{model._meta.app_label}_{model._meta.model_name}_change"
            for row in page.find(request, text)[:FOUND]:
                title, description = page.found_as(request, row)
                url = reverse(name, args=(row.pk,))
                found = first if page.is_number_of(text, row) else others
                found.append(SearchResult(title, description, url, page.icon))
        return first + others

    # --- The password and the second factor ---

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Unfold says which form it is where nobody else can.
        page = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        try:
            return page(request)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return redirect(request.path)

    def get_urls(self) -> list[Any]:
        page = path("second-factor/", self.admin_view(self.second_factor), name="second_factor")
        return [page, *super().get_urls()]

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        return second_factor_page.page(request, self.each_context(request))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page but those on which one sets it up or leaves."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            asked = request.resolver_match.url_name if request.resolver_match else None
            first = asked not in FIRST and self.has_permission(request)
            if first and second_factor.must_set_up(request.user):
                return redirect(f"{self.name}:second_factor")
            return inner(request, *args, **kwargs)

        return page

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return PickingView.as_view(admin_site=self)(request)
