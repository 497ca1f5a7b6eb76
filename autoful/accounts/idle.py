"""Who leaves the desk is signed out: a session ends when nothing is asked for long enough."""

import time
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse

SEEN = "seen"
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
            if not 0 <= now - session.get(SEEN, 0) < EVERY:
                session[SEEN] = now
                self._save(request)
        return self.get_response(request)

    @staticmethod
    def _save(request: HttpRequest) -> None:
        try:
            request.session.save(must_create=False)
        except UpdateError:
            return  # signed out meanwhile; or a database that only reads, which still shows pages
        # Saved now, so that a page that changes nothing else need not.
        request.session.modified = False
