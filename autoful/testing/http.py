"""Clients that speak HTTP to a running server: see `shops` for the server."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter

# --- Callers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the JSON, or None where there is none."""

    status: int
    body: Any
    headers: Any
    text: str


class Caller:
    """One who calls the API.

    Each call has a connection of its own, so that all processes of the server get some of them.
    Whatever is asked, the promises that hold for every answer are checked on it: see `keeps`.
    """

    def __init__(self, url: str, *, token: str = "", source: str = "") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"
        if source:
            self.session.mount("http://", _From(source))
        self.headers: dict[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
        self.token = token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """Send JSON, or `data=` raw bytes with `headers=`; redirects are never followed."""
        headers = self.headers | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        response = self.session.request(
            method,
            self.url + path,
            headers=headers,
            allow_redirects=False,
            timeout=30,
            **more,
        )
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        has_json = kind == "application/json" or kind.endswith("+json")
        answer = Answer(
            response.status_code,
            response.json() if has_json and response.content else None,
            response.headers,
            response.text,
        )
        keeps(answer, f"{method} {path}")
        return answer

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def sign_in_to_admin(self, email: str, password: str) -> None:
        """Become a session of the back office, as a browser does it."""
        page = self.session.get(f"{self.url}/admin/login/", timeout=30)
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert csrf, f"The sign-in page answers {page.status_code} without its form."
        form = {"username": email, "password": password, "csrfmiddlewaretoken": csrf[1]}
        done = self.session.post(
            f"{self.url}/admin/login/?next=/admin/", data=form, allow_redirects=False, timeout=30
        )
        assert done.status_code == 302, f"{email} cannot sign in to the back office."
        self.headers["X-CSRFToken"] = str(self.session.cookies["csrftoken"])


class _From(HTTPAdapter):
    """Calls from this address; on Linux all of 127.0.0.0/8 is this machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


# --- What every answer keeps ----------------------------------------------------------------------

MONEY = {"price", "cost", "unit_price", "salary"}
TIMES = re.compile(r"_at$")
DATES = {"service_date"}


def keeps(answer: Answer, asked: str) -> None:
    """The contract's promises for every answer of the API, whoever asked for what."""
    assert answer.headers.get("X-Request-ID"), f"{asked}: no X-Request-ID"
    assert answer.status < 500, f"{asked}: {answer.status} {answer.text[:300]}"
    assert "Traceback" not in answer.text, f"{asked}: a stack trace"
    if answer.status >= 400:
        assert isinstance(answer.body, dict), f"{asked}: {answer.status} and not JSON"
        for key in ("code", "message"):
            assert isinstance(answer.body.get(key), str), f"{asked}: no {key} in {answer.body}"
    _plain(answer.body, asked)


def _plain(value: Any, asked: str, key: str = "") -> None:
    if isinstance(value, dict):
        assert "password" not in value or asked.startswith("GET /api/schema") or key == "fields", (
            f"{asked}: a password"
        )
        for name, inner in value.items():
            _plain(inner, asked, name)
    elif isinstance(value, list) and key not in MONEY | DATES:
        for inner in value:
            _plain(inner, asked)
    elif value is not None and key in MONEY and isinstance(value, str):
        raise AssertionError(f"{asked}: {key} is text: {value!r}")
    elif isinstance(value, str) and key in DATES:
        assert date.fromisoformat(value).isoformat() == value, f"{asked}: {key} {value!r}"
    elif isinstance(value, str) and TIMES.search(key):
        assert datetime.fromisoformat(value).tzinfo, f"{asked}: {key} without offset: {value!r}"
