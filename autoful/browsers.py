"""What only a browser's requests need: a session, its account, its messages, protection from forgery.

A program brings a token or nothing, and pays for none of it. Django's middlewares stand here by
their names, and let its requests pass.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import csrf

from autoful.accounts import idle

if TYPE_CHECKING:
    from django.utils.deprecation import MiddlewareMixin as Middleware
else:
    Middleware = object


def is_a_browsers(request: HttpRequest) -> bool:
    """Whether it brings a cookie, asks for a page as browsers do, or is for the back office.

    Whoever asks for a page in another way (`?format=api`) gets one, as nobody.
    """
    return bool(
        request.META.get("HTTP_COOKIE")
        or "text/html" in request.META.get("HTTP_ACCEPT", "")
        or request.path_info.startswith("/admin/")
    )


class _OfBrowsers(Middleware):
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        step = super().__call__ if is_a_browsers(request) else self.get_response
        return step(request)


class SessionMiddleware(_OfBrowsers, sessions.SessionMiddleware):
    pass


class KeepSessionsInUse(_OfBrowsers, idle.KeepSessionsInUse):
    pass


class CsrfViewMiddleware(_OfBrowsers, csrf.CsrfViewMiddleware):
    pass


class AuthenticationMiddleware(_OfBrowsers, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_OfBrowsers, messages.MessageMiddleware):
    pass
