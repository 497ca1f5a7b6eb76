"""A transaction on MySQL begins with its first statement, in one way to the server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from autoful.db import whole
from autoful.errors import DomainError
from autoful.models import Tally
from autoful.mysql import SEPARATOR
from autoful.testing.rivals import Rival
from autoful.unavailable import unavailable

pytestmark = [
    pytest.mark.skipif(not settings.PRODUCTION, reason="needs MySQL or MariaDB"),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def sent() -> Iterator[list[str]]:
    """What the driver sends, each way to the server for itself."""
    connection.ensure_connection()
    driver, found = type(connection.connection), []
    query, commit = driver.query, driver.commit

    def querying(self: Any, text: Any) -> Any:
        found.append(text if isinstance(text, str) else bytes(text).decode())
        return query(self, text)

    def committing(self: Any) -> Any:
        found.append("COMMIT")
        return commit(self)

    with patch.object(driver, "query", querying), patch.object(driver, "commit", committing):
        yield found


def names() -> set[str]:
    """Those of this test's rows that there are."""
    found = Tally.objects.filter(total__gt=0).values_list("name", flat=True)
    return set(found)


def seen_by_others() -> set[str]:
    """Those that are committed."""
    rival = Rival(names)
    rival.start(grace=10)
    found: set[str] = rival.outcome()
    return found


def nothing_is_open() -> bool:
    """Whether a statement is committed by itself."""
    mark = enter(f"mark {time.monotonic_ns()}")
    seen = mark.name in seen_by_others()
    mark.delete()
    return seen


def enter(name: str) -> Tally:
    return Tally.objects.create(name=name, slot=0, total=1)


def test_begin_goes_with_the_first_statement_and_one_commit_ends_it() -> None:
    with sent() as ways, transaction.atomic():
        enter("one")
        enter("two")
    assert [way.split(maxsplit=1)[0] for way in ways] == [
        f"BEGIN{SEPARATOR[0]}",
        "INSERT",
        "COMMIT",
    ]
    assert names() == {"one", "two"}
    assert nothing_is_open()


def test_what_fails_is_taken_back_from_its_first_statement_on() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enter("first")
        assert seen_by_others() == set()
        raise ZeroDivisionError
    assert names() == set()
    assert nothing_is_open()


def test_a_first_statement_that_fails_leaves_nothing_open() -> None:
    enter("there")
    with pytest.raises(IntegrityError), transaction.atomic():
        enter("there")
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        # What Django makes an IntegrityError of, though the driver does not.
        cursor.execute("INSERT INTO autoful_tally (name, slot, total) VALUES (NULL, 1, 1)")
    with pytest.raises(OperationalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM autoful_tally WHERE no_such_column = 1")
    enter("after it")
    assert names() == {"there", "after it"}


def test_an_empty_one_says_nothing_and_the_next_statement_is_no_part_of_it() -> None:
    with sent() as ways:
        with transaction.atomic():
            pass
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
    assert ways == []
    enter("by itself")
    assert seen_by_others() == {"by itself"}


@pytest.mark.parametrize("inner_fails", [False, True])
def test_savepoints_stand_inside(inner_fails: bool) -> None:
    with transaction.atomic():
        try:
            with transaction.atomic():  # before any statement
                enter("inner")
                if inner_fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        enter("outer")
        assert seen_by_others() == set()
    assert names() == ({"outer"} if inner_fails else {"inner", "outer"})


def test_many_rows_and_a_cursor_from_before_are_inside_too() -> None:
    rows = [(f"row {n}", 0, n) for n in (1, 2, 3)]
    with connection.cursor() as cursor:
        for statement in (
            "INSERT INTO autoful_tally (name, slot, total) VALUES (%s, %s, %s)",
            "UPDATE autoful_tally SET name = %s WHERE slot = %s AND total = %s",
        ):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                cursor.executemany(statement, rows)
                assert seen_by_others() == set()
                raise ZeroDivisionError
    assert names() == set()


def test_what_the_first_statement_tells_is_its_own() -> None:
    with transaction.atomic():
        made = enter("numbered")
    numbered = Tally.objects.filter(pk=made.pk)
    assert numbered.get().name == "numbered"
    with transaction.atomic():
        assert numbered.update(total=1) == 1  # found, though the same
    with transaction.atomic():
        assert [tally.total for tally in numbered.all()] == [1]
    with transaction.atomic():
        assert numbered.delete()[0] == 1


def test_a_statement_that_cannot_be_sent_has_begun_nothing() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with pytest.raises(UnicodeEncodeError):
            list(Tally.objects.filter(name="\ud800"))
        enter("after it")
        assert seen_by_others() == set()
        raise ZeroDivisionError
    assert names() == set()


def test_after_a_deadlock_nothing_is_committed_by_itself() -> None:
    deadlock = OperationalError(1213, "Deadlock found when trying to get lock")
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        enter("before")
        with (
            pytest.raises(OperationalError),
            connection.execute_wrapper(lambda *asked: _ended(deadlock)),
        ):
            Tally.objects.filter(name="before").update(total=2)
        enter("after it")  # would be there, whatever becomes of the rest
    assert names() == set()
    assert nothing_is_open()


def test_a_refusal_whose_savepoint_is_gone_is_an_outage() -> None:
    """Or the refusal's answer would be written down where there is no transaction any more."""
    with pytest.raises(OperationalError) as lost:  # noqa: SIM117 - as `writes` has it
        with whole(partial(enter, "first"), lambda: None) as one:
            one.begin()
            enter("effect")
            number = connection.connection.thread_id()
            kill = Rival(lambda: connection.cursor().execute(f"KILL {number}"))
            kill.start(grace=10)
            kill.outcome()
            one.undo(DomainError("No."))
            enter("answer")
    assert unavailable(lost.value)
    connection.close()
    assert names() == set()


def _ended(error: Exception) -> Any:
    """As InnoDB does: the whole transaction is gone, and the statement told of it."""
    connection.connection.rollback()
    raise error
