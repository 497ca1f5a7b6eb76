"""Processes that answer the public, and what they say."""

from typing import Any

import pytest

from autoful.api.public_pages import Finished
from autoful.testing.personas import Persona

PATHS = ["/customers", "/inventory", "/service_tickets"]
ITS_OWN = ("X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset")
NO_COOKIE = ("HTTP_COOKIE", "")


class Process(Persona):
    """Nobody, asking a process of their own. Django's client sends an empty Cookie; no other does."""

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
    """The routes of the answers that are given again from here on, as they are."""
    seen: list[str] = []
    original = Finished.again

    def again(self: Finished, *asked: Any) -> Any:
        seen.append(self.route)
        return original(self, *asked)

    monkeypatch.setattr(Finished, "again", again)
    return seen
