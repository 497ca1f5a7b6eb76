"""One shape for every error: `{"code", "message", …facts}`."""

import sys
from typing import Any

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict
from rest_framework.views import set_rollback

from autoful.db import lost_a_race
from autoful.errors import Busy, DomainError
from autoful.limits import TooManyRequests
from autoful.unavailable import MESSAGE, RETRY_AFTER, report, unavailable

MESSAGES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "Sign in first: this needs a token.",
    exceptions.NotFound: "Not found.",
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know becomes a 500 and is logged, never shown."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, DomainError):
        code, body = (
            error.status,
            {"code": error.code, "message": error.message, **error.facts},
        )
        headers = dict(error.headers) if isinstance(error, TooManyRequests) else {}
        if code in (429, 503) or "retry_after" in error.facts:
            headers["Retry-After"] = str(error.facts.get("retry_after", RETRY_AFTER))
        response = Response(body, code, headers=headers)
    elif isinstance(error, exceptions.ValidationError):
        body = _invalid(error)
        if (serializer := getattr(error.detail, "serializer", None)) is not None:
            # The browsable API shows the form again with what was typed and what is wrong.
            body = ReturnDict(body, serializer=serializer)
        response = Response(body, error.status_code)
    elif isinstance(error, exceptions.APIException):
        message = MESSAGES.get(type(error), str(error.detail))
        body = {"code": error.get_codes(), "message": message}
        response = Response(body, error.status_code)
        if challenge := getattr(error, "auth_header", None):
            response["WWW-Authenticate"] = challenge
    elif unavailable(error):
        report(error)
        response = Response(
            {"code": "unavailable", "message": MESSAGE},
            status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Retry-After": RETRY_AFTER},
        )
    else:
        return None
    set_rollback()
    return response


def with_status_of(refusal: DomainError, page: Any) -> Any:
    """A page that shows the refusal to a person, and says 503 where another try may well succeed."""
    if refusal.status == status.HTTP_503_SERVICE_UNAVAILABLE:
        page.status_code, page["Retry-After"] = refusal.status, RETRY_AFTER
    return page


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    detail = error.detail
    fields = detail if isinstance(detail, dict) else {"body": detail}
    named = ", ".join(str(name) for name in fields)
    return {
        "code": "invalid",
        "message": f"The request is not valid: {named}.",
        "fields": fields,
    }


def _wants_page(request: HttpRequest) -> bool:
    """Whether a person at a browser asks; an API client gets JSON, whatever the path."""
    return request.path.startswith("/admin/") or (
        "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
    )


def _page(request: HttpRequest, code: int, name: str, message: str) -> Any:
    if _wants_page(request):
        return render(request, "error.html", {"code": code, "message": message}, status=code)
    return JsonResponse({"code": name, "message": message}, status=code)


def _unavailable_page(request: HttpRequest, error: BaseException) -> Any:
    report(error)
    # SQLite lets one write at a time: it does answer, and somebody imports a file.
    locked = isinstance(error, OperationalError) and lost_a_race(error)
    page = _page(request, 503, "unavailable", Busy().message if locked else MESSAGE)
    page["Retry-After"] = RETRY_AFTER
    return page


def bad_request(request: HttpRequest, exception: Exception) -> Any:
    if isinstance(exception, SessionInterrupted):
        # Django says so, too, when the database could not take the session.
        behind: BaseException | None = exception
        while behind is not None and not unavailable(behind):
            behind = behind.__context__
        if behind is not None:
            return _unavailable_page(request, behind)
    message = "The request cannot be read."
    if isinstance(exception, DisallowedHost):
        message = "This shop is not called by that name: it is not among ALLOWED_HOSTS."
    return _page(request, 400, "bad_request", message)


def too_large(request: HttpRequest) -> Any:
    return _page(request, 413, "too_large", "The body is too large.")


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> Any:
    message = "The form was open for too long. Go back, reload the page and try again."
    return _page(request, 403, "forbidden", message if reason else "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> Any:
    return _page(request, 404, "not_found", "Not found.")


def server_error(request: HttpRequest) -> Any:
    """What no view answers: the admin's errors, and those of the middlewares."""
    error = sys.exception()
    if error is not None and unavailable(error):
        return _unavailable_page(request, error)
    if isinstance(error, Busy):  # from a page that is Django's own: signing in
        page = _page(request, error.status, error.code, error.message)
        page["Retry-After"] = RETRY_AFTER
        return page
    return _page(request, 500, "error", "Something went wrong on our side. It has been logged.")
