"""The WSGI application, as `manage.py serve` hands it to granian."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from autoful import web

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

django = get_wsgi_application()
web.begin()

from autoful.api.public_pages import PublicPages  # noqa: E402  # it needs what Django has set up

pages = PublicPages(django)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["CONTENT_TYPE"] = web.believed(environ.get("CONTENT_TYPE", ""))
    return pages(environ, start_response)
