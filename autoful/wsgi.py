"""The WSGI application, as `manage.py serve` hands it to granian."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from autoful import web

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

django = get_wsgi_application()
web.begin()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["CONTENT_TYPE"] = web.believed(environ.get("CONTENT_TYPE", ""))
    return django(environ, start_response)
