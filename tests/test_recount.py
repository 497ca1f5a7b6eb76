"""`manage.py recount`: what is kept wrong is found and put right, while the shop is open."""

import importlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from autoful import db, recount, tally
from autoful.deploying.fill import BeginTally, Fill
from autoful.models import Tally
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from autoful.testing.rivals import many_connections, rival_after, rival_before, unhindered
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.test_races_people import opening
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)


def run(*arguments: str, **options: Any) -> list[str]:
    out = io.StringIO()
    call_command("recount", *arguments, stdout=out, **options)
    return out.getvalue().splitlines()


@pytest.fixture
def shop(db: None) -> ServiceTicket:
    """Two customers, two mechanics, two tickets of one of them, a part, and all kept wrong."""
    first = ServiceTicketFactory.create(mechanics=[MechanicFactory.create()])
    ServiceTicketFactory.create(customer=first.customer)
    CustomerFactory.create()
    MechanicFactory.create()
    PartFactory.create()
    return first


def drift() -> None:
    """As if the version before had gone on writing."""
    Customer.objects.update(ticket_count=0)
    Mechanic.objects.update(ticket_count=7)
    Tally.objects.filter(name="service_tickets").update(total=0)
    Tally.objects.filter(name="inventory").delete()


def test_right_is_right(shop: ServiceTicket) -> None:
    assert run() == run("--check") == ["All kept counts are right."]
    assert run(verbosity=0) == []


def test_an_empty_shop(db: None) -> None:
    assert run() == ["All kept counts are right."]


def test_what_is_wrong_is_named_and_put_right(shop: ServiceTicket) -> None:
    drift()
    team = [mechanic.pk for mechanic in Mechanic.objects.order_by("pk")]
    said = {
        f"Customer {shop.customer_id}, ticket_count: 0 kept, 2 counted.",
        f"Mechanic {team[0]}, ticket_count: 7 kept, 1 counted.",
        f"Mechanic {team[1]}, ticket_count: 7 kept, 0 counted.",
        "service_tickets: 0 kept, 2 counted.",
        "inventory: 0 kept, 1 counted.",
    }
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^5 kept count\(s\) are wrong") as raised:
        call_command("recount", "--check", stdout=out)
    assert raised.value.returncode == 1
    assert set(out.getvalue().splitlines()) == said
    assert set(run()) == {*said, "5 put right."}
    assert run("--check") == ["All kept counts are right."]
    assert tally.total("service_tickets") == 2
    assert Tally.objects.filter(name="inventory").count() == tally.SLOTS


def test_checking_changes_nothing_and_locks_nothing(shop: ServiceTicket) -> None:
    drift()
    with Statements(connection) as queries, pytest.raises(CommandError):
        call_command("recount", "--check", stdout=io.StringIO())
    assert not [q["sql"] for q in queries if not q["sql"].lstrip("(").startswith("SELECT")]


def test_many_rows_go_in_batches(shop: ServiceTicket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount, "BATCH", 2)
    customers = [CustomerFactory.create() for _ in range(5)]
    for customer in customers:
        ServiceTicketFactory.create(customer=customer)
    Customer.objects.update(ticket_count=9)
    assert run()[-1] == "7 put right."
    assert list(Customer.objects.order_by("pk").values_list("ticket_count", flat=True)) == [
        *(2, 0),
        *[1] * 5,
    ]


def test_the_list_shows_it_at_once(shop: ServiceTicket, nobody: Persona, settings: Any) -> None:
    settings.RATE_LIMITS = None
    Customer.objects.update(ticket_count=9)
    dropped: list[str] = []
    with patch("autoful.api.caching.drop_lists_showing", dropped.append):
        run()
    assert dropped == [Customer]
    caches["lists"].clear()
    assert [row["ticket_count"] for row in nobody.get("/customers").json()["customers"]] == [2, 0]


def test_busy_says_how_far_it_came(shop: ServiceTicket) -> None:
    Mechanic.objects.update(ticket_count=7)
    lost = OperationalError(1205, "Lock wait timeout exceeded")
    with (
        patch.object(db, "RETRIES", 0),
        patch("django.db.models.query.QuerySet.update", side_effect=lost),
        patch.object(
            db.transaction, "get_connection"
        ) as get,  # a test's transaction is none of ours
    ):
        get.return_value.in_atomic_block = False
        with pytest.raises(CommandError, match=r"^0 put right, and then: "):
            run()


# --- While somebody writes ------------------------------------------------------------------------


@pytest.fixture
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


POINTS = {
    # Of the verb, when the count is repaired: before it counts, and when it has, uncommitted.
    "before it has counted": (rival_before, "tickets.lifecycle", "lock"),
    "when it has locked and counted": (rival_after, "tickets.lifecycle", "lock"),
    "before the slot": (rival_before, "autoful.tally", "_write"),
    "with the slot": (rival_after, "autoful.tally", "_write"),
}


@committing
@pytest.mark.parametrize("point", POINTS)
def test_exact_while_a_ticket_is_opened(point: str, _connections: None) -> None:
    """A recount that comes while somebody is in the middle waits for them, or they for it."""
    customer = CustomerFactory.create()
    ServiceTicketFactory.create(customer=customer)
    drift()
    rival_at, module, name = POINTS[point]
    with rival_at(importlib.import_module(module), name, run) as recounting:
        opening(customer)()
    assert recounting.outcome()[-1].endswith("put right.")
    assert run("--check") == ["All kept counts are right."]
    customer.refresh_from_db()
    assert (customer.ticket_count, tally.total("service_tickets")) == (2, 2)


class Total(recount._Total):
    """Looked at once, in the transaction that repairs."""

    def differences(self, *, repair: bool) -> Iterator[recount.Difference]:
        if not repair:
            yield from super().differences(repair=False)
            return
        self.complete()
        self.repair()


class Unlocked(Total):
    """The control: nobody is kept out between counting and writing."""

    def repair(self) -> Any:
        kept, counted = self.look()
        slots = Tally.objects.filter(name=self.name)
        slots.update(total=0)
        slots.filter(slot=0).update(total=counted)
        return kept, counted


def open_between_count_and_write(kind: type[Total]) -> list[str]:
    """The rival opens a ticket when the tickets are counted and the total is not yet written."""
    customer = CustomerFactory.create()
    ServiceTicketFactory.create(customer=customer)
    drift()
    kept = kind("service_tickets", ServiceTicket.objects.all)
    with rival_after(recount._Total, "look", opening(customer)) as rival:
        list(kept.differences(repair=True))
    assert isinstance(rival.outcome(), ServiceTicket)
    return [str(difference) for difference in kept.differences(repair=False)]


@committing
def test_whoever_opens_a_ticket_meanwhile_waits_for_the_slots(_connections: None) -> None:
    assert open_between_count_and_write(Total) == []


@committing
def test_control_without_the_lock_their_ticket_is_lost(_connections: None) -> None:
    with unhindered():
        assert open_between_count_and_write(Unlocked) == ["service_tickets: 1 kept, 2 counted"]


# --- After an upgrade -----------------------------------------------------------------------------


def test_the_migrations_fill_what_there_is(shop: ServiceTicket) -> None:
    """What an existing shop gets by `migrate`, run again on rows that are not counted yet."""
    CustomerFactory.create(deleted_at="2025-01-01T00:00:00Z")
    drift()
    Tally.objects.all().delete()
    loader = MigrationExecutor(connection).loader
    state = loader.project_state()
    filled = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        for operation in migration.operations:
            if isinstance(operation, Fill | BeginTally):
                editor: Any = type("Editor", (), {"connection": connection})()
                operation.database_forwards(app, editor, state, state)
                filled.append((app, name))
    assert len(filled) == 6
    assert run("--check") == ["All kept counts are right."]
    assert tally.total("customers") == 2
    assert tally.total("inventory") == Part.objects.count() == 1
    assert Tally.objects.count() == 4 * tally.SLOTS
