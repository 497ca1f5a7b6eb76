"""The WSGI application, as `manage.py serve` hands it to granian."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from autoful import metrics, mysql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

BOUNDARY = re.compile(r"""boundary="?[A-Za-z0-9'()+_,./:=?-]{1,70}"?""")

django = get_wsgi_application()
mysql.serve_web()
metrics.start()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Everything here is UTF-8, whatever the client's Content-Type says.

    Django believes its charset before any of our code runs, for the query string too, and falls
    over names like zlib or punycode. Of its parameters only a form's boundary is kept.
    """
    media_type, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    boundary = BOUNDARY.search(parameters)
    environ["CONTENT_TYPE"] = media_type.strip() + (f"; {boundary[0]}" if boundary else "")
    return django(environ, start_response)
