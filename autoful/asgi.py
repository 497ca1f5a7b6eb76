"""The ASGI application, for servers that want one.

Django reads a body to its end here before our limits are asked: let the proxy limit it.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

from autoful import web

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

django: Callable[..., Awaitable[None]] = get_asgi_application()
web.begin()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    headers = [
        (name, web.believed(value.decode("latin-1")).encode("latin-1"))
        if name == b"content-type"
        else (name, value)
        for name, value in scope.get("headers", ())
    ]
    await django(scope | {"headers": headers}, receive, send)
