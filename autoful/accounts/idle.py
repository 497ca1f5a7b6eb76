"""Who leaves the desk is signed out: a session ends when nothing is asked for long enough."""

import time
from collections.abc import Callable
from contextlib import suppress

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse

SEEN = "seen"
BEGAN = "began"
LONGEST = 24 * 3600  # seconds
EVERY = 60  # seconds; a write at each request would be too many


class KeepSessionsInUse:
    """Puts off a session's end, which is SESSION_COOKIE_AGE after it was last saved."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        # One that nobody brought is empty, and is not read.
        if session.session_key and session.get(SESSION_KEY):
            now = int(time.time())
            if now - session.setdefault(BEGAN, now) > LONGEST:
                session.flush()  # whoever took it over keeps it no longer by asking for pages
            elif not 0 <= now - session.get(SEEN, 0) < EVERY:
                session[SEEN] = now
                self._save(request)
        return self.get_response(request)

    @staticmethod
    def _save(request: HttpRequest) -> None:
        with suppress(UpdateError):
            # Signed out meanwhile; or a database that only reads, which still shows its pages.
            request.session.save(must_create=False)
        # A page that changes nothing else need not save it, nor fail at that.
        request.session.modified = False
