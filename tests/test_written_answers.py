"""A write answers what it did, not what somebody else has done to the row since."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection

from autoful.actor import COMMAND
from autoful.api import writes
from autoful.api.renderers import JSONRenderer
from autoful.testing.personas import Persona
from autoful.testing.rivals import many_connections, rival_before, unhindered
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.soundness import faults
from tickets.lifecycle import delete_ticket
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory
from tickets.views import ServiceTicketViewSet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


def cancel_while_another_deletes(mike: Persona) -> Any:
    """The rival comes when the ticket is cancelled, and before it is read for the answer."""
    ticket = ServiceTicketFactory.create(parts=[(PartFactory.create(quantity_in_stock=5), 2)])
    delete = partial(delete_ticket, ticket=ticket, actor=COMMAND)
    with rival_before(ServiceTicketViewSet, "_written", delete) as rival:
        try:
            return mike.patch(f"/service_tickets/{ticket.pk}", {"status": "cancelled"})
        finally:
            assert rival.outcome() is None


def test_a_ticket_cancelled_and_then_deleted_was_cancelled(mike: Persona) -> None:
    answer = cancel_while_another_deletes(mike)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert not ServiceTicket.objects.exists()
    assert Part.objects.get().quantity_in_stock == 5
    assert faults() == []


def test_control_read_after_the_commit_the_ticket_is_gone(mike: Persona) -> None:
    with unhindered(), patch.object(writes, "is_write", lambda *asked: False):
        assert cancel_while_another_deletes(mike).status_code == 404


@pytest.mark.parametrize("key", [{}, {"HTTP_IDEMPOTENCY_KEY": "once"}], ids=["plain", "key"])
def test_nobody_waits_for_its_json_unless_a_key_keeps_it(
    key: dict[str, str], mike: Persona
) -> None:
    inside = []
    render = JSONRenderer.render

    def noted(renderer: JSONRenderer, *data: Any, **more: Any) -> bytes:
        inside.append(connection.in_atomic_block)
        return render(renderer, *data, **more)

    ticket, part = ServiceTicketFactory.create(), PartFactory.create(quantity_in_stock=5)
    body = {"inventory_id": part.pk, "quantity_used": 2}
    with patch.object(JSONRenderer, "render", noted):
        answer = mike.post(f"/service_tickets/{ticket.pk}/add-inventory", body, **key)
    assert (answer.status_code, answer.json()["stock_remaining"]) == (201, 3)
    assert inside == [bool(key)]
