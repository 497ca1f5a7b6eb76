"""What a client says of its own encoding is not believed."""

from collections.abc import Callable
from typing import Any

import pytest

from autoful import wsgi


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
def test_only_a_forms_boundary_is_kept(
    said: str, believed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def django(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        return [environ["CONTENT_TYPE"].encode()]

    monkeypatch.setattr(wsgi, "django", django)
    assert wsgi.application({"CONTENT_TYPE": said}, lambda *_: None) == [believed.encode()]
