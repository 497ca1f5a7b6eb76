"""The OpenAPI schema as it is served."""

from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# One at a time: drf-spectacular writes on the views what it finds, and two would do it to each other.
_generating = Lock()


class SchemaView(SpectacularAPIView):
    """The schema: generated once for each process and format, whatever else is in the URL.

    It takes as long as fifty ordinary requests, and everybody may ask. A cache by URL could be
    filled by asking for ?x=1, ?x=2 …, until what counts calls has no room in it.
    """

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        renderer: Any = request.accepted_renderer
        return HttpResponse(
            _rendered(renderer.__class__),
            content_type=renderer.media_type,
            headers={"Content-Disposition": f'inline; filename="Autoful.{renderer.format}"'},
        )


def _rendered(renderer: Any) -> Any:
    with _generating:
        return _generated(renderer)


@cache
def _generated(renderer: type[BaseRenderer]) -> Any:
    generator = spectacular_settings.DEFAULT_GENERATOR_CLASS()
    return renderer().render(generator.get_schema(request=None, public=True), renderer_context={})
