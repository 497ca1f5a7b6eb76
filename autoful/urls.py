"""Every route of the house."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.views import APIView

from autoful.api.documentation import SchemaView


def page_of(view: type[APIView]) -> Any:
    """A page about the schema. Asked for its OPTIONS, it would look for a template of them."""
    return view.as_view(url_name="schema", http_method_names=["get", "head"])


# They are tried in this order, so what is asked most comes first.
shop = [
    path("", include("tickets.urls")),
    path("", include("inventory.urls")),
    path("", include("customers.urls")),
    path("", include("mechanics.urls")),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs"), name="home"),
    path("", include(shop)),
    path("api/v1/", include((shop, "v1"))),
    re_path(r"^api/schema/?$", SchemaView.as_view(), name="schema"),
    re_path(r"^api/docs/?$", page_of(SpectacularSwaggerSplitView), name="docs"),
    re_path(r"^api/redoc/?$", page_of(SpectacularRedocView), name="redoc"),
    path("admin/", admin.site.urls),
]

handler400 = "autoful.api.errors.bad_request"
handler403 = "autoful.api.errors.forbidden"
handler404 = "autoful.api.errors.not_found"
handler500 = "autoful.api.errors.server_error"
