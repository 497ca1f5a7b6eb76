"""A page of the back office is saved, and between any two of its queries somebody else is quicker.

Whatever is gone by then, the person is told: no page breaks, and nothing is half written.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.testing.pages import Desk, fields_of
from autoful.testing.personas import boss
from autoful.testing.rivals import Rival, many_connections, on_mysql
from inventory.tests.factories import PartFactory
from tests.soundness import faults
from tickets.lifecycle import delete_ticket, transition
from tickets.models import ServiceTicket
from tickets.parts import remove_line
from tickets.tests.factories import ServiceTicketFactory

pytestmark = [pytest.mark.django_db(transaction=True), on_mysql]

Move = Callable[[], Any]


def deletes(ticket: ServiceTicket) -> Move:
    return partial(delete_ticket, ticket=ticket, actor=COMMAND)


def cancels(ticket: ServiceTicket) -> Move:
    return partial(transition, ticket=ticket, to="cancelled", actor=COMMAND)


def takes_the_line_off(ticket: ServiceTicket) -> Move:
    return partial(remove_line, ticket=ticket, line_id=ticket.part_lines.get().pk, actor=COMMAND)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def save_with_a_rival(desk: Desk, rival: Callable[[ServiceTicket], Move], at: int) -> int | None:
    """A line crossed out and another typed in, saved; the rival comes before query number `at`.

    The status of the answer; None when there were fewer queries than that.
    """
    used, typed = PartFactory.create(quantity_in_stock=9), PartFactory.create(quantity_in_stock=9)
    ticket = ServiceTicketFactory.create(parts=[(used, 1)])
    url = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    fields = fields_of(desk.get(url), "serviceticket_form") | {
        "part_lines-0-DELETE": "on",
        "part_lines-1-part": typed.pk,
        "part_lines-1-quantity_used": 2,
        "part_lines-TOTAL_FORMS": 2,
    }
    waiting, asked = [Rival(rival(ticket))], itertools.count()

    def watch(execute: Any, sql: str, *more: Any) -> Any:
        if next(asked) == at:
            waiting.pop().start(grace=0.2)  # what holds it back lets it go at the end
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        answer = desk.post(url, fields)
    return None if waiting else int(answer.status_code)


@pytest.mark.parametrize(("rival", "every"), [(deletes, 1), (cancels, 5), (takes_the_line_off, 5)])
def test_whenever_somebody_else_is_quicker_no_page_breaks(
    rival: Callable[[ServiceTicket], Move], every: int
) -> None:
    desk = Desk(boss().user)
    statuses = list(
        itertools.takewhile(
            lambda status: status is not None,
            (save_with_a_rival(desk, rival, at) for at in itertools.count(step=every)),
        )
    )
    assert len(statuses) * every > 30
    assert set(statuses) <= {200, 302}
    assert faults() == []
