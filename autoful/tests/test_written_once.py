"""What a verb leaves is written at its end, together, and forgotten with what fails."""

from itertools import pairwise
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.db.transaction import TransactionManagementError

from autoful import audit, written_once
from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role
from autoful.at_the_end import AtTheEnd
from autoful.db import retrying
from autoful.errors import DomainError
from autoful.testing.queries import Statements
from autoful.verbs import verb
from inventory import stock
from inventory.errors import InsufficientStock, PartHasHistory
from inventory.models import Part, StockMovement
from inventory.parts import delete_part
from inventory.tests.factories import PartFactory
from tickets import lifecycle
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def part() -> Part:
    part: Part = PartFactory.create(quantity_in_stock=10)
    return part


@verb
def take(
    *, part: Part, quantities: list[int], all_at_once: bool = True, actor: Any = COMMAND
) -> None:
    for quantity in quantities:
        stock.take(part_id=part.pk, quantity=quantity, reference="", actor=actor)
        assert not all_at_once or changes() == []


def changes() -> list[int]:
    """What the ledger says was taken, in its order."""
    used = StockMovement.objects.filter(reason=StockMovement.Reason.USED)
    return list(used.order_by("pk").values_list("change", flat=True))


def entries(part: Part) -> list[Any]:
    """What the trail says became of the part since it was entered, in its order."""
    found = LogEntry.objects.filter(object_id=part.pk, action=LogEntry.Action.UPDATE)
    return list(found.order_by("pk").values_list("changes", flat=True))[1:]


def taken(*steps: int) -> list[Any]:
    return [{"quantity_in_stock": [was, now]} for was, now in pairwise(steps)]


def test_each_kind_is_one_insert_at_the_end_in_order(part: Part) -> None:
    with Statements(connection) as statements:
        take(part=part, quantities=[1, 2, 3], actor=COMMAND)
    inserts = [query["sql"] for query in statements if query["sql"].startswith("INSERT")]
    assert len(inserts) == 2
    assert changes() == [-1, -2, -3]
    assert entries(part) == taken(10, 9, 7, 4)


def test_no_more_than_so_many_go_at_once(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_once.last, "_most", 4 * written_once.ROW)
    with Statements(connection) as statements:
        take(part=part, quantities=[1, 1, 1, 1, 1], actor=COMMAND, all_at_once=False)
    rows = [q["sql"].count("used") for q in statements if "INSERT" in q["sql"]]
    assert len(rows) == 6
    ways = [q for q in super(Statements, statements).captured_queries if "INSERT" in q["sql"]]
    assert len(ways) == (3 if connection.vendor == "mysql" else 6)
    assert changes() == [-1] * 5
    assert entries(part) == taken(10, 9, 8, 7, 6, 5)


@verb
def note(*, part: Part, said: list[str], actor: Any = COMMAND) -> None:
    for words in said:
        audit.record_update(part, location=("", words))


def test_what_goes_at_once_has_a_size_however_long_the_texts_are(part: Part) -> None:
    """Of MariaDB's 16 MB; 4 MB are what an older MySQL took."""
    long = "\N{WRENCH}" * 12_000  # twelve bytes each in JSON, of which the driver doubles two
    sent: list[int] = []

    def listen(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        if "INSERT" in sql:
            sent.append(len(sql) + sum(len(str(value)) for value in params) * 7 // 6)
        return execute(sql, params, *rest)

    with connection.execute_wrapper(listen):
        note(part=part, said=[long] * 60, actor=COMMAND)
    assert sum(sent) > 8_000_000
    assert max(sent) < 4_000_000
    assert entries(part) == [{"location": ["", long]}] * 60


def test_a_verb_that_is_refused_leaves_nothing(part: Part) -> None:
    with pytest.raises(InsufficientStock):
        take(part=part, quantities=[1, 100], actor=COMMAND)
    assert changes() == entries(part) == []
    take(part=part, quantities=[2], actor=COMMAND)
    assert changes() == [-2]


def test_outside_of_a_verb_it_is_written_at_once(part: Part) -> None:
    audit.record_update(part, quantity_in_stock=(10, 11))
    assert entries(part) == taken(10, 11)
    part.location = "shelf 3"
    part.save(update_fields=["location"])
    assert entries(part)[1:] == [{"location": ["", "shelf 3"]}]


# --- A page, which goes on when a verb is refused -------------------------------------------------


def page(part: Part) -> None:
    audit.record_update(part, location=("", "before"))
    with pytest.raises(InsufficientStock):
        stock.take(part_id=part.pk, quantity=100, reference="", actor=COMMAND)
    stock.take(part_id=part.pk, quantity=1, reference="", actor=COMMAND)
    stock.take(part_id=part.pk, quantity=2, reference="", actor=COMMAND)
    audit.record_update(part, location=("before", "after"))


def test_a_page_goes_on_and_what_was_refused_left_nothing(part: Part) -> None:
    retrying(page, goes_on=True)(part)
    assert changes() == [-1, -2]
    assert entries(part) == [
        {"location": ["", "before"]},
        *taken(10, 9, 7),
        {"location": ["before", "after"]},
    ]


def test_a_verb_that_goes_on_all_the_same_is_stopped_and_taken_back(part: Part) -> None:
    with pytest.raises(TransactionManagementError):
        retrying(page)(part)
    part.refresh_from_db()
    assert part.quantity_in_stock == 10
    assert changes() == entries(part) == []


# --- Read or changed before the end ---------------------------------------------------------------


@verb
def rename_and_erase(*, part: Part, refused: bool = False, actor: Any = COMMAND) -> None:
    part.location = "Ann's drawer"
    part.save(update_fields=["location"])
    audit.record_event(part, "seen", said="Ann")
    assert [event["said"] for event in audit.events(part, "seen")] == ["Ann"]
    erase(part=part, actor=actor)
    if refused:
        raise DomainError("No.")


@verb
def erase(*, part: Part, actor: Any = COMMAND) -> None:
    audit.erase_personal_data(part, ("location",))


def test_what_was_left_a_moment_ago_is_erased_too(part: Part) -> None:
    rename_and_erase(part=part, actor=COMMAND)
    assert entries(part) == [{"location": ["", audit.ERASED]}]


def test_what_was_written_before_the_end_goes_with_what_fails(part: Part) -> None:
    before = LogEntry.objects.count()
    with pytest.raises(DomainError):
        rename_and_erase(part=part, refused=True, actor=COMMAND)
    assert LogEntry.objects.count() == before


@verb
def take_and_delete(*, part: Part, actor: Any = COMMAND) -> None:
    stock.take(part_id=part.pk, quantity=1, reference="", actor=actor)
    delete_part(part=part, actor=actor)


@verb
def move_and_delete(*, ticket: ServiceTicket, actor: Any = COMMAND) -> None:
    lifecycle.transition(ticket=ticket, to="in_progress", actor=actor)
    lifecycle.delete_ticket(ticket=ticket, actor=actor)


def test_what_is_deleted_has_what_was_left_a_moment_ago(part: Part) -> None:
    with pytest.raises(PartHasHistory):
        take_and_delete(part=part, actor=COMMAND)
    ticket = ServiceTicketFactory.create()
    move_and_delete(ticket=ticket, actor=COMMAND)
    assert not ServiceTicket.objects.exists()


# --- The order of things said ---------------------------------------------------------------------


def test_blocks_that_may_not_fail_alone_are_one() -> None:
    for very_last in (False, True):
        written: list[list[str]] = []
        last = AtTheEnd(written.append, very_last=very_last)
        with last.block(may_fail_alone=True):
            last.say("a")
            with last.block(may_fail_alone=False):
                last.say("b")
            assert written == []
        assert written.pop() == ["a", "b"]


def test_no_more_than_so_many_wait() -> None:
    written: list[list[int]] = []
    last = AtTheEnd(lambda said: written.append(said.copy()), most=3)
    with pytest.raises(ZeroDivisionError), last.block(may_fail_alone=True):
        for number in range(8):
            last.say(number)
        raise ZeroDivisionError
    assert written == [[0, 1, 2], [3, 4, 5]]


def test_one_that_may_fail_alone_is_written_alone_or_at_the_very_last() -> None:
    for very_last, all_of_it in ((False, [["b"], ["a", "c"]]), (True, [["a", "b", "c"]])):
        written: list[list[str]] = []
        last = AtTheEnd(lambda said, to=written: to.append(said.copy()), very_last=very_last)
        with last.block(may_fail_alone=True):
            last.say("a")
            with pytest.raises(ZeroDivisionError), last.block(may_fail_alone=True):
                last.say("never")
                raise ZeroDivisionError
            with last.block(may_fail_alone=True):
                last.say("b")
            last.say("c")
        assert written == all_of_it


def test_an_entry_is_signed_by_whoever_acted_when_it_was_left(part: Part) -> None:
    mechanic = Actor(Role.MECHANIC, UserFactory.create(), 7)
    stock.take(part_id=part.pk, quantity=1, reference="ticket-3", actor=mechanic)
    entry = LogEntry.objects.filter(object_id=part.pk).latest("pk")
    assert entry.actor == mechanic.user
    assert entry.additional_data == {
        "why": "used for ticket-3",
        "role": "mechanic",
        "profile_id": 7,
    }
