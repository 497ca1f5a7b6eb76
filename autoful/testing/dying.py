"""A server that dies at the worst moment: everything is committed, and nobody hears of it."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from autoful.wsgi import application as shop


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The shop's; a request with `X-Die: yes` is worked on to the end and never answered."""
    answer = shop(environ, start_response)
    if environ.get("HTTP_X_DIE") == "yes":
        os._exit(1)
    return answer
