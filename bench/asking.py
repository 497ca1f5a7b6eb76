"""Requests as they are sent, and the answers to them."""

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    token: str = ""
    body: Any = None

    def headers(self) -> dict[str, str]:
        token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Host": "127.0.0.1", **token}

    def payload(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()

    def raw(self) -> bytes:
        """All of it, as it goes over the wire."""
        payload = self.payload()
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        if payload:
            lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
        return "\r\n".join([*lines, "", ""]).encode() + payload


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


def ask(url: str, request: Request) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        headers = request.headers()
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(request.method, request.path, request.payload() or None, headers)
        response = connection.getresponse()
        body = response.read()
        return Answer(response.status, response.headers.get("Content-Type", ""), body)
    finally:
        connection.close()


def write_replay(file: Path, requests: Iterable[Request]) -> None:
    """The file that replay.lua reads."""
    with file.open("wb") as out:
        for request in requests:
            raw = request.raw()
            out.write(f"{len(raw)}\n".encode() + raw)
