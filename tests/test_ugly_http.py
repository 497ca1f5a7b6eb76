"""What no HTTP client would send, byte by byte to a running server: an answer below 500 or a closed
connection, and whoever comes next is served.
"""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from autoful.testing.shops import shop
from tests.contract.world import World

PATIENCE = 8.0  # seconds for the first word


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        shop(tmp_path_factory.mktemp("shop")) as ours,
        ours.serve(AUTOFUL_RATE_LIMITS="off") as url,
    ):
        yield World(ours, url)


def say(world: World, data: bytes, patience: float) -> bytes:
    """All that comes back until the server closes, or has nothing to add for a moment."""
    where = urlsplit(world.url)
    back = b""
    with socket.create_connection((where.hostname or "", where.port or 0), patience) as line:
        try:
            line.sendall(data)
            while more := line.recv(65_536):
                back += more
                line.settimeout(0.3)  # the first word may take its time, the rest comes with it
        except OSError:  # closed on us, or silent
            pass
    return back


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", answer)]


HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /inventory HTTP/1.1\r\n" + HOST
POST = b"POST /customers/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# What is sent, and the statuses that may come back; () is a connection closed without a word.
SENT: dict[str, tuple[bytes, set[tuple[int, ...]]]] = {
    "a good one": (GET + b"\r\n", {(200,)}),
    "two at once": (GET + b"\r\n" + GET + b"\r\n", {(200, 200)}),
    "HTTP/1.0": (b"GET /inventory HTTP/1.0\r\n" + HOST + b"\r\n", {(200,)}),
    "HTTP/1.0 without a host": (b"GET /inventory HTTP/1.0\r\n\r\n", {(400,), (200,)}),
    "no host": (b"GET /inventory HTTP/1.1\r\n\r\n", {(400,), (200,)}),
    "another host": (b"GET /inventory HTTP/1.1\r\nHost: evil.example\r\n\r\n", {(400,)}),
    "a host that is none": (b"GET /inventory HTTP/1.1\r\nHost: a b\r\n\r\n", {(400,)}),
    "two hosts": (GET + b"Host: evil.example\r\n\r\n", {(400,), (200,)}),
    "the whole address": (
        b"GET http://127.0.0.1/inventory HTTP/1.1\r\n" + HOST + b"\r\n",
        {(200,)},
    ),
    "bytes in the path": (
        b"GET /inventory/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
        {(400,), (404,)},
    ),
    "escaped bytes in the path": (
        b"GET /inventory/%ff%fe%00 HTTP/1.1\r\n" + HOST + b"\r\n",
        {(400,), (404,)},
    ),
    "bytes in the query": (
        b"GET /inventory?part_name=\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        {(200,), (400,)},
    ),
    "a long path": (b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {(404,), (414,)}),
    "a huge header": (GET + b"X-Y: " + b"x" * 900_000 + b"\r\n\r\n", {(431,), (400,), ()}),
    "thousands of headers": (
        GET + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
        {(431,), (400,), ()},
    ),
    "bytes in a header": (GET + b"Accept: \xff\xfe\r\n\r\n", {(406,), (400,)}),
    "NUL in a header": (GET + b"Accept: a\0b\r\n\r\n", {(400,), ()}),
    "a header without a name": (GET + b": x\r\n\r\n", {(400,), ()}),
    "a method nobody knows": (
        b"BREW /inventory HTTP/1.1\r\n" + HOST + b"\r\n",
        {(405,), (400,), (403,)},
    ),
    "HTTP of the future": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", {(400,), (505,), ()}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, {(400,), ()}),
    "nothing but lines": (b"\r\n" * 1_000, {(), (400,)}),
    "chunks that are none": (CHUNKED + b"ZZ\r\n{}\r\n0\r\n\r\n", {(411,), (400,), (411, 400)}),
    "a chunk without end": (
        CHUNKED + b"FFFFFFFFFFFFFFFF\r\n{}\r\n",
        {(411,), (400,), (411, 400), ()},
    ),
    "chunks": (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", {(411,)}),
    "chunks and a length": (
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        {(400,), (411,)},
    ),
    "two lengths": (
        POST + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        {(400,), ()},
    ),
    "a length below zero": (POST + b"Content-Length: -1\r\n\r\n{}", {(400,), ()}),
    "a length that is none": (POST + b"Content-Length: 2a\r\n\r\n{}", {(400,), ()}),
    "a length of terabytes": (POST + b"Content-Length: 9999999999999\r\n\r\n{}", {(413,), ()}),
    "less than it said": (POST + b"Content-Length: 50\r\n\r\n{}", {()}),
    "more than it said": (
        POST + b"Content-Length: 2\r\n\r\n{}GET /inventory HTTP/1.1\r\n" + HOST + b"\r\n",
        {(400, 200)},
    ),
}


def test_whatever_is_sent_the_server_goes_on(world: World) -> None:
    def sent(name: str) -> list[str]:
        data, fine = SENT[name]
        answer = say(world, data, 1.0 if fine == {()} else PATIENCE)
        wrong = []
        if tuple(statuses(answer)) not in fine:
            wrong.append(f"{name}: {statuses(answer)} {answer[:200]!r}")
        if b"Traceback" in answer:
            wrong.append(f"{name}: a stack trace")
        if world.anyone().get("/inventory").status != 200:
            wrong.append(f"{name}: nobody is served after it")
        return wrong

    with ThreadPoolExecutor(8) as pool:  # much of it is waiting for an answer that does not come
        wrong = [fault for faults in pool.map(sent, SENT) for fault in faults]
    assert not wrong, "\n".join(wrong)
