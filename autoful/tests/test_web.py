"""The two web applications: each begins alike, and believes no client about its encoding."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.test import AsyncRequestFactory, RequestFactory

from autoful import asgi, metrics, mysql, web, wsgi

FORM = b"name=%C3%A4"


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/plain; charset=zlib", "text/plain"),
        ("text/plain; x*=bogus''%41", "text/plain"),
        (
            "multipart/form-data; charset=punycode; boundary=abc",
            "multipart/form-data; boundary=abc",
        ),
        ('multipart/form-data; boundary="ab"; x=1', 'multipart/form-data; boundary="ab"'),
        ("", ""),
    ],
)
def test_only_a_forms_boundary_is_kept(said: str, believed: str) -> None:
    assert web.believed(said) == believed


def over_wsgi(path: str, content_type: str) -> int:
    """The status of the answer to a form."""
    statuses: list[int] = []
    environ = RequestFactory().generic("POST", path, FORM).environ
    environ["CONTENT_TYPE"] = content_type
    answer: Any = wsgi.application(
        environ, lambda status, *_: statuses.append(int(status.split()[0]))
    )
    b"".join(answer)
    answer.close()
    return statuses[0]


def over_asgi(path: str, content_type: str) -> int:
    request: Any = AsyncRequestFactory().generic("POST", path, FORM, content_type)

    async def ask() -> int:
        line = ApplicationCommunicator(asgi.application, request.scope)
        await line.send_input({"type": "http.request", "body": FORM})
        start = await line.receive_output(timeout=10)
        await line.receive_output(timeout=10)
        await line.wait()
        return int(start["status"])

    return async_to_sync(ask)()


@pytest.mark.django_db
@pytest.mark.parametrize("over", [over_wsgi, over_asgi])
@pytest.mark.parametrize("charset", ["utf-8", "punycode", "zlib"])
def test_a_form_of_an_odd_charset_is_answered(
    over: Callable[[str, str], int], charset: str, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    form = f"application/x-www-form-urlencoded; charset={charset}"
    assert over("/customers?name=%C3%A4", form) == 400  # what it lacks


@pytest.mark.parametrize("application", [wsgi, asgi])
def test_each_begins_to_measure_and_to_be_impatient(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(metrics, "start", lambda: begun.append("metrics"))
    monkeypatch.setattr(mysql, "serve_web", lambda: begun.append("patience"))
    importlib.reload(application)
    assert sorted(begun) == ["metrics", "patience"]
