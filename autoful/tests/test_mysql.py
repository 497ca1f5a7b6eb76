"""How long a database that hangs is waited for, and a commit whose answer is lost."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from autoful import mysql
from autoful.actor import COMMAND
from autoful.unavailable import unavailable
from inventory import stock
from inventory.models import Part
from inventory.tests.factories import PartFactory

pytestmark = [
    pytest.mark.skipif(not settings.PRODUCTION, reason="needs MySQL or MariaDB"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def pause() -> Iterator[Any]:
    """That of this process, which is over at the end, as is every change of the settings."""
    options = dict(connection.settings_dict["OPTIONS"])
    where = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    yield connection.pause
    connection.close()
    connection.pause.end()
    connection.settings_dict["OPTIONS"] = options
    connection.settings_dict["HOST"], connection.settings_dict["PORT"] = where


def move_to(address: tuple[str, int], **options: int) -> None:
    """The next connection goes there."""
    connection.close()
    connection.settings_dict["HOST"], connection.settings_dict["PORT"] = address
    connection.settings_dict["OPTIONS"] |= options


def seconds_to_refuse() -> float:
    began = time.monotonic()
    with pytest.raises(OperationalError) as refused:
        Part.objects.count()
    assert unavailable(refused.value)
    return time.monotonic() - began


def test_a_server_that_never_greets_is_waited_for_once_and_then_left_alone(pause: Any) -> None:
    here = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel answers for it
        move_to(silent.getsockname(), connect_timeout=1)
        assert seconds_to_refuse() > 0.9
        assert "left alone" in str(_refusal())
        asked = _connections(silent)
        assert asked == 1
    move_to(here)
    time.sleep(1.1)  # the pause is over
    assert Part.objects.count() == 0
    assert pause.may_ask() and pause.may_ask()


def test_a_server_that_refuses_is_asked_every_time(pause: Any) -> None:
    here = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    move_to(address)
    for _ in range(3):
        assert "left alone" not in str(_refusal())
    move_to(here)
    assert Part.objects.count() == 0


def test_a_server_that_hung_and_now_refuses_is_asked_every_time(pause: Any) -> None:
    """It was killed, and comes back: that moment is ours, not one request's a second."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    pause.begin()
    move_to(address)
    assert "left alone" in str(_refusal())
    time.sleep(1.1)  # the pause is over
    for _ in range(3):
        assert "left alone" not in str(_refusal())


def test_after_a_pause_one_asks_and_the_others_are_refused(
    pause: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pause.begin()
    assert [pause.may_ask() for _ in range(3)] == [False] * 3
    now += 1.01
    assert [pause.may_ask() for _ in range(3)] == [True, False, False]
    now += 1.01
    assert [pause.may_ask() for _ in range(3)] == [True, False, False]
    pause.end()
    assert [pause.may_ask() for _ in range(3)] == [True] * 3


OPTIONS = """
import json, django
django.setup()
from django.db import connections
def options():
    settings = connections.settings["default"]
    given = settings["OPTIONS"] | {"seconds": settings.get("STATEMENT_SECONDS")}
    return {name: given.get(name) for name in %r}
command = options()
import autoful.wsgi
print(json.dumps([command, options()]))
"""


def test_every_process_connects_briefly_and_the_web_server_alone_asks_briefly() -> None:
    every = {"connect_timeout": 2}
    of_the_web = mysql.WEB_PATIENCE | {"seconds": mysql.STATEMENT_SECONDS}
    names = [*every, *of_the_web]
    asked = [sys.executable, "-c", OPTIONS % names]  # another test may have made this one a server
    own = os.environ | {"DJANGO_SETTINGS_MODULE": "autoful.settings"}
    said = subprocess.run(asked, env=own, capture_output=True, text=True, check=True).stdout
    command, server = json.loads(said.splitlines()[-1])
    assert command == every | dict.fromkeys(of_the_web)
    assert server == every | of_the_web
    # Or a lock that is not given would be taken for an outage, and not tried again.
    assert 3 < mysql.STATEMENT_SECONDS < mysql.WEB_PATIENCE["read_timeout"]


@pytest.fixture
def bounded() -> Iterator[None]:
    connection.close()
    connection.settings_dict["STATEMENT_SECONDS"] = 1
    yield
    connection.close()
    del connection.settings_dict["STATEMENT_SECONDS"]


# Every collation beside every other, four times over.
ENDLESS = "SELECT COUNT(*) FROM {} WHERE CONCAT(a.id, b.id, c.id, d.id) = '-'".format(
    ", ".join(f"information_schema.collations {name}" for name in "abcd")
)


@pytest.mark.usefixtures("bounded")
def test_the_server_ends_what_takes_too_long() -> None:
    began = time.monotonic()
    with connection.cursor() as cursor:
        with pytest.raises(OperationalError) as ended:
            cursor.execute(ENDLESS)
        assert time.monotonic() - began < 5
        assert unavailable(ended.value)
        # Ended, and not only left.
        cursor.execute("SELECT info FROM information_schema.processlist WHERE info IS NOT NULL")
        assert not [info for (info,) in cursor.fetchall() if "CONCAT(" in info]


def test_every_process_waits_briefly_for_locks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout")
        assert cursor.fetchone() == (3, 3)


@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
def test_a_commit_whose_answer_is_lost_is_not_tried_again(pause: Any, silent: bool) -> None:
    part = PartFactory.create(quantity_in_stock=0)
    here = connection.settings_dict["HOST"], int(connection.settings_dict["PORT"])
    with losing_answers(here, after=b"\x03COMMIT", silent=silent) as address:
        move_to(address, read_timeout=1)
        with pytest.raises(OperationalError) as lost:
            stock.receive(part=part, quantity=5, actor=COMMAND)
        assert unavailable(lost.value)
        assert connection.connection is None, "a connection in an unknown state was kept"
    move_to(here)
    pause.end()
    # It had come through. Done again it would be 10; the client is told that it may be so.
    assert Part.objects.get().quantity_in_stock == 5


def test_a_connection_that_was_not_set_up_is_not_kept(pause: Any) -> None:
    here = connection.settings_dict["HOST"], int(connection.settings_dict["PORT"])
    with losing_answers(here, after=b"ISOLATION LEVEL", silent=False) as address:
        move_to(address)
        assert unavailable(_refusal())
        assert connection.connection is None, "it would go on with the server's own isolation"


@contextmanager
def losing_answers(
    server: tuple[str, int], *, after: bytes, silent: bool
) -> Iterator[tuple[str, int]]:
    """A way to the server on which its answers to `after` and what follows are lost."""
    lost = threading.Event()

    def forward(source: socket.socket, target: socket.socket, *, answers: bool) -> None:
        while data := source.recv(65536):
            if answers and lost.is_set():
                if not silent:
                    target.shutdown(socket.SHUT_RDWR)
                return
            if not answers and after in data:
                lost.set()
            target.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as door:

        def meet() -> None:
            client, _ = door.accept()
            with client, socket.create_connection(server) as behind:
                back = threading.Thread(
                    target=forward, args=(behind, client), kwargs={"answers": True}
                )
                back.start()
                forward(client, behind, answers=False)
                back.join(5)

        meeting = threading.Thread(target=meet)
        meeting.start()
        yield door.getsockname()
        meeting.join(5)


def _refusal() -> OperationalError:
    with pytest.raises(OperationalError) as refused:
        Part.objects.count()
    return refused.value


def _connections(door: socket.socket) -> int:
    """How many have knocked."""
    door.settimeout(0.1)
    knocked = 0
    while True:
        try:
            door.accept()[0].close()
        except TimeoutError:
            return knocked
        knocked += 1
