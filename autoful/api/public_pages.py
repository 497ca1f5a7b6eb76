"""The public's pages of cached lists, given again before anything else is asked.

Whoever brings no token, no session and no Origin gets the same page of a list as everybody else. The
answer to one of them, as it left every middleware below, is kept in this process and given to the
next as long as the list has the version that it shows: one question to the cache in place of
those middlewares, a view and another question. Limits, the log, the figures and 304 are as
they are everywhere. What it saves: docs/adr/0018-from-rows-to-json.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from autoful import limits
from autoful.actor import NOBODY, identify
from autoful.api import caching
from autoful.api.caching import Page

# All that the answer to a plain request could depend on.
ASKED = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_HOST",
    "HTTP_ACCEPT",
    "wsgi.url_scheme",
    "HTTP_X_FORWARDED_PROTO",
)
# What makes a caller somebody, and a request more than a plain one.
NOT_PLAIN = (
    *("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ORIGIN"),
    *("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_TRANSFER_ENCODING"),
)
MOST_BYTES = 8_000_000  # in each process
LONGEST = 1_000  # characters of a question
ROOM = 4_000  # bytes that an answer takes besides its page

Asked = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """An answer as it was given, and what it was given to."""

    page: Page
    route: str
    match: Any
    headers: dict[str, str]

    def again(self, request: HttpRequest, more: dict[str, str]) -> HttpResponseBase:
        request.resolver_match = self.match  # the log and the figures know the route by it
        answer = HttpResponse(self.page, headers=self.headers | more)
        if "HTTP_IF_NONE_MATCH" not in request.META:  # the others make it no plain request
            return answer
        return get_conditional_response(request, self.headers["ETag"], None, answer) or answer


class PublicPages:
    """A middleware, outside of all those whose headers are part of an answer, but for security's:
    they are a 304's too, which has few of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._finished: dict[Asked, Finished] = {}
        self._bytes = 0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_plain(request):
            return self.get_response(request)
        asked = tuple(request.META.get(name) for name in ASKED)
        finished = self._finished.get(asked)
        if finished is None or not caching.is_current(finished.page):
            response = self.get_response(request)
            self._keep(asked, request, response)
            return response
        usage = limits.count(finished.route, NOBODY, no_sign_in_needed=False)
        if usage.wait:
            request.usage = usage  # type: ignore[attr-defined]  # counted, and now refused
            return self.get_response(request)
        identify(NOBODY)
        caching.count_hit(finished.page.list)
        return finished.again(request, usage.headers)

    def _keep(self, asked: Asked, request: HttpRequest, response: HttpResponse) -> None:
        shown: tuple[str, Page] | None = getattr(response, "public_page", None)
        if shown is None or response.status_code != 200 or "ETag" not in response.headers:
            return
        if sum(len(text or "") for text in asked) > LONGEST:
            return  # nobody asks so again, and the question would take more room than the answer
        route, page = shown
        if self._bytes > MOST_BYTES:
            # Whoever asks for ever new pages costs the others one look at the cache each.
            self._finished, self._bytes = {}, 0
        headers = {
            name: value
            for name, value in response.headers.items()
            if not name.startswith("RateLimit-")
        }
        before = self._finished.get(asked)
        self._finished[asked] = Finished(page, route, request.resolver_match, headers)
        self._bytes += len(page) - (len(before.page) if before else -ROOM)


def _is_plain(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and settings.AUTOFUL_PUBLIC_READS
        and request.META.get("CONTENT_LENGTH") in (None, "", "0")
        and not any(name in request.META for name in NOT_PLAIN)
    )
