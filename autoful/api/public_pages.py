"""The public's pages of cached lists, given again before Django is asked.

Whoever brings no token, no session and no Origin gets the same page of a list as everybody else. The
answer to one of them, as it left Django, is kept in this process and given to the next as long as
the list has the version that it shows: one question to the cache in place of a request, its
middlewares and a view. Limits, the log and the figures are as they are everywhere. What it saves:
docs/adr/0018-from-rows-to-json.md.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from autoful import limits
from autoful.actor import NOBODY, identify
from autoful.api import caching
from autoful.api.caching import Page
from autoful.api.shelf import Shelf
from autoful.middleware import answering, believe_proxies_alone

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
    *("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING"),
    *("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_UNMODIFIED_SINCE"),
)
# Headers that each answer has of its own.
ITS_OWN = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
MOST_BYTES = 8_000_000  # in each process
LONGEST = 1_000  # characters of a question
ROOM = 4_000  # bytes that an answer takes besides its page
USAGE = "autoful.usage"  # of the limits, where a call is counted before its view is asked

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Asked = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """An answer as it was given, without what is each one's own."""

    page: Page
    route: str  # as the limits call it
    pattern: str  # as the log and the figures do
    headers: list[tuple[str, str]]


class _Otherwise(Exception):
    """It is answered the whole way."""


class PublicPages:
    """A WSGI application in front of Django's."""

    def __init__(self, django: Application) -> None:
        self.django = django
        self._finished: Shelf[Finished] = Shelf(MOST_BYTES)

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if not _is_plain(environ):
            return self.django(environ, start_response)
        believe_proxies_alone(environ)
        asked = tuple(environ.get(name) for name in ASKED)
        finished = self._finished.get(asked)
        if finished is None:
            return self._whole_way(asked, environ, start_response)
        with answering(environ, lambda: NOBODY) as one, suppress(_Otherwise):
            own = [("X-Request-ID", one.origin.request_id), *self._usage(finished, environ)]
            start_response("200 OK", [*finished.headers, *own])
            identify(NOBODY)
            caching.count_hit(finished.page.list)
            one.tell(finished.pattern, "GET", 200)
            return [finished.page]
        return self._whole_way(asked, environ, start_response)

    def _usage(self, finished: Finished, environ: Environ) -> Iterable[tuple[str, str]]:
        """The limits' headers, if the answer is good and may be given; raises _Otherwise."""
        try:
            good = caching.is_current(finished.page)
            usage = good and limits.count(finished.route, NOBODY, no_sign_in_needed=False)
        except Exception as error:  # whatever it is, Django tells it in the shape of our errors
            raise _Otherwise from error
        if not usage:
            raise _Otherwise
        if usage.wait:
            environ[USAGE] = usage  # counted, and to be refused
            raise _Otherwise
        return usage.headers.items()

    def _whole_way(self, asked: Asked, environ: Environ, start_response: Start) -> Iterable[bytes]:
        sent: list[tuple[str, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            sent.extend(headers)
            return start_response(status, headers, *more)

        response: Any = self.django(environ, start)
        # The list's view says so of an answer that everybody would get.
        if (shown := getattr(response, "public_page", None)) and response.status_code == 200:
            route, pattern, page = shown
            # Nobody asks so long a question again, and it would take more room than the answer.
            if page.until and sum(len(text or "") for text in asked) <= LONGEST:
                headers = [(name, value) for name, value in sent if name not in ITS_OWN]
                self._finished.put(asked, Finished(page, route, pattern, headers), len(page) + ROOM)
        return response


def _is_plain(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and settings.AUTOFUL_PUBLIC_READS
        and environ.get("CONTENT_LENGTH") in (None, "", "0")
        and environ.keys().isdisjoint(NOT_PLAIN)
    )
