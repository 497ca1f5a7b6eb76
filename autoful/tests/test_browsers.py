"""A program's request passes by what only a browser needs; a browser's passes through all of it."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from autoful.browsers import SessionMiddleware, is_a_browsers
from autoful.testing.personas import Persona


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/inventory", {}, False),
        ("/inventory", {"accept": "application/json", "authorization": "Bearer x"}, False),
        ("/inventory", {"cookie": ""}, False),
        ("/inventory", {"cookie": "sessionid=x"}, True),
        ("/inventory", {"accept": "text/html,*/*;q=0.8"}, True),
        ("/admin/", {}, True),
        ("/admin/login/", {"accept": "application/json"}, True),
    ],
)
def test_whose_it_is(path: str, headers: dict[str, str], expected: bool) -> None:
    request = RequestFactory().get(path, headers=headers)
    if "cookie" not in headers:
        request.META.pop("HTTP_COOKIE", None)
    assert is_a_browsers(request) is expected


def test_a_step_is_taken_for_browsers_alone() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(hasattr(request, "session")))

    step: Any = SessionMiddleware(view)  # type: ignore[arg-type]
    assert step(RequestFactory().get("/inventory")).content == b"False"
    assert step(RequestFactory().get("/admin/")).content == b"True"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
def test_no_page_falls_over_what_was_passed_by(method: str) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=True)
    for path in ("/", "/admin", "/admin/", "/admin/login", "/api/docs", "/api/redoc", "/api/schema",
                 "/nothing", "/static/nothing", "/customers", "/customers/login"):  # fmt: skip
        for accept in ("*/*", "application/json", "text/html", "image/png"):
            answer = getattr(client, method)(path, headers={"accept": accept})
            assert answer.status_code < 500, (path, accept)
            client.cookies.clear()


@pytest.mark.django_db
def test_a_session_is_one_whatever_it_accepts(boss: Persona) -> None:
    for accept in ("*/*", "application/json", "text/html"):
        answer = boss.get("/inventory/low-stock", headers={"accept": accept})
        assert answer.status_code == 200, accept


@pytest.mark.django_db
def test_a_session_cannot_write_without_its_csrf_token(boss: Persona) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["sessionid"] = boss.cookies["sessionid"].value
    for accept in ("*/*", "application/json", "text/html"):
        answer = browser.post(
            "/inventory", {"part_name": "x"}, "application/json", headers={"accept": accept}
        )
        assert answer.status_code == 403, accept
