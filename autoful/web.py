"""What both web applications have in common, autoful/wsgi.py and autoful/asgi.py."""

import logging
import re

from django.core.cache import close_caches
from django.core.signals import request_finished

from autoful import metrics, mysql

BOUNDARY = re.compile(r"""boundary="?[A-Za-z0-9'()+_,./:=?-]{1,70}"?""")


def begin() -> None:
    """This process serves the web from here on."""
    mysql.serve_web()
    # No cache of ours has anything to close after a request, and asking each of them whether it
    # has would be a tenth of a cached page.
    request_finished.disconnect(close_caches)
    # What no line of ours says is not found out for each: see "Optimization" in logging's own guide.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # nor where in the code it was said
    metrics.start()


def believed(content_type: str) -> str:
    """What is believed of a client's Content-Type: everything here is UTF-8, whatever it says.

    Django believes its charset before any of our code runs, for the query string too, and falls
    over names like zlib or punycode. Of its parameters only a form's boundary is kept.
    """
    media_type, _, parameters = content_type.partition(";")
    boundary = BOUNDARY.search(parameters)
    return media_type.strip() + (f"; {boundary[0]}" if boundary else "")
