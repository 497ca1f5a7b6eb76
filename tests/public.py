"""Processes that answer the public, and what they say."""

import json
from functools import partial
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpResponse

from autoful.api import caching
from autoful.api.public_pages import PublicPages
from autoful.testing.personas import Persona

PATHS = ["/customers", "/inventory", "/service_tickets"]
ITS_OWN = ("X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset", "Set-Cookie")
NO_COOKIE = ("HTTP_COOKIE", "")


class Process(Persona):
    """Nobody, asking a process of their own, by WSGI as a server does.

    Django's client sends an empty Cookie; no other does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.application = PublicPages(WSGIHandler())  # type: ignore[arg-type]

    def request(self, **request: Any) -> Any:
        answered: list[tuple[str, list[tuple[str, str]]]] = []
        environ = self._base_environ(**request)
        # The test's connection is not the request's to close, says Django's client too.
        request_started.disconnect(close_old_connections)
        try:
            body: Any = self.application(environ, lambda *start: answered.append(start))
        finally:
            request_started.connect(close_old_connections)
        [(status, headers)] = answered
        content = b"".join(body)
        answer = HttpResponse(content, status=int(status[:3]), headers=dict(headers))
        answer.json = partial(json.loads, content)  # type: ignore[attr-defined]
        answer.public_page = getattr(body, "public_page", None)  # type: ignore[attr-defined]
        return answer

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ: dict[str, Any] = super()._base_environ(**request)  # type: ignore[misc]
        return {name: value for name, value in environ.items() if (name, value) != NO_COOKIE}


def said(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in ITS_OWN}
    if headers.get("Content-Type", "").startswith("text/html"):  # a token for its form in each
        return answer.status_code, b"a page for a browser", headers | {"ETag": ""}
    return answer.status_code, answer.content, headers


def warm(*paths: str) -> Process:
    """A process that has the finished pages of these."""
    process = Process()
    for path in paths:
        assert process.get(path).status_code == 200
    return process


def noting_what_is_given_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lists whose pages are given again from here on, each time."""
    seen: list[str] = []
    original = caching.count_hit

    def count_hit(name: str) -> None:
        seen.append(name)
        original(name)

    monkeypatch.setattr(caching, "count_hit", count_hit)
    return seen
