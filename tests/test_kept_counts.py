"""What is kept instead of counted is what would be counted, whatever happens."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from autoful import recount, tally
from autoful.actor import COMMAND
from autoful.errors import DomainError
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers import registration as customer_desk
from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.tests.factories import PartFactory
from mechanics import registration as mechanic_desk
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.changes import CHANGES, Shop
from tickets import assignment, lifecycle
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)  # as ANALYZE TABLE does

VERBS = [
    pytest.param(change, id=f"{of}: {name}")
    for of, changes in CHANGES.items()
    for name, change in changes.items()
    if not name.startswith("plain")  # past the verbs
]


def differences() -> list[str]:
    return [str(difference) for difference in recount.differences()]


@pytest.mark.parametrize("change", VERBS)
def test_after_every_change(change: Callable[[Shop], Any]) -> None:
    shop = Shop()
    assert differences() == []
    change(shop)
    assert differences() == []


def counts(*rows: Any) -> list[int]:
    for row in rows:
        row.refresh_from_db(fields=["ticket_count"])
    return [row.ticket_count for row in rows]


def test_a_team_that_changes() -> None:
    mike, lisa, ann = (MechanicFactory.create() for _ in range(3))
    ticket = ServiceTicketFactory.create(mechanics=[mike, lisa])
    assert counts(mike, lisa, ann) == [1, 1, 0]
    assignment.set_team(ticket=ticket, mechanic_ids=[lisa.pk, ann.pk], actor=COMMAND)
    assert counts(mike, lisa, ann) == [0, 1, 1]
    change = partial(assignment.change_team, ticket=ticket, actor=COMMAND)
    change(add_ids=[mike.pk, ann.pk], remove_ids=[lisa.pk])
    assert counts(mike, lisa, ann) == [1, 0, 1]
    change(add_ids=[mike.pk], remove_ids=[lisa.pk])  # is so already
    assert counts(mike, lisa, ann) == [1, 0, 1]
    assignment.release(ticket=ticket, mechanic_id=ann.pk, actor=COMMAND)
    assert counts(mike, lisa, ann) == [1, 0, 0]
    assert differences() == []


def test_cancelling_frees_the_mechanics_and_the_ticket_stays_the_customers() -> None:
    mike, lisa = MechanicFactory.create(), MechanicFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[mike, lisa], parts=[(PartFactory.create(), 1)])
    lifecycle.transition(ticket=ticket, to="cancelled", actor=COMMAND)
    assert counts(ticket.customer, mike, lisa) == [1, 0, 0]
    assert tally.total("service_tickets") == 1
    assert differences() == []


def test_several_tickets_deleted_at_once() -> None:
    mike, lisa, ann = (MechanicFactory.create() for _ in range(3))
    sarah, tom = CustomerFactory.create(), CustomerFactory.create()
    make = ServiceTicketFactory.create
    gone = [
        make(customer=sarah, mechanics=[mike, lisa]),
        make(customer=sarah, mechanics=[mike]),
        make(customer=tom, mechanics=[ann], status="completed"),
        make(customer=tom, status="cancelled"),
    ]
    make(customer=sarah, mechanics=[mike, ann])
    lifecycle.delete_tickets(ticket_ids=[ticket.pk for ticket in gone], actor=COMMAND)
    assert counts(sarah, tom, mike, lisa, ann) == [1, 0, 1, 0, 1]
    assert tally.total("service_tickets") == 1
    assert differences() == []


def test_who_leaves_keeps_what_is_finished() -> None:
    mike, lisa = MechanicFactory.create(), MechanicFactory.create()
    for status in ("pending", "in_progress", "completed", "completed"):
        ServiceTicketFactory.create(mechanics=[mike, lisa], status=status)
    mechanic_desk.close_mechanic(mechanic=mike, actor=COMMAND)
    assert counts(mike, lisa) == [2, 4]
    assert tally.total("mechanics") == 1
    assert differences() == []


def test_who_is_gone_is_no_longer_among_the_top_nor_in_the_total() -> None:
    first, second = CustomerFactory.create(), CustomerFactory.create()
    for customer in (first, first, second):
        ServiceTicketFactory.create(customer=customer)
    customer_desk.close_customer(customer=first, actor=COMMAND)
    assert list(Customer.objects.top(3)) == [second]
    assert counts(first) == [2]
    assert tally.total("customers") == 1


def test_a_refusal_counts_nothing() -> None:
    mike, gone = MechanicFactory.create(), MechanicFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    mechanic_desk.close_mechanic(mechanic=gone, actor=COMMAND)
    refused = [
        partial(assignment.assign, ticket=ticket, mechanic_id=mike.pk, actor=COMMAND),
        partial(assignment.set_team, ticket=ticket, mechanic_ids=[mike.pk, gone.pk], actor=COMMAND),
        partial(lifecycle.delete_tickets, ticket_ids=[ticket.pk, 999_999], actor=COMMAND),
    ]
    for move in refused:
        with pytest.raises(DomainError):
            move()
        assert counts(ticket.customer, mike) == [1, 1]
        assert differences() == []


def test_a_count_too_low_keeps_nobody_from_deleting() -> None:
    """As while the version before opens tickets and does not count them."""
    ticket = ServiceTicketFactory.create(mechanics=[MechanicFactory.create()])
    for model in (Customer, Mechanic):
        model.objects.update(ticket_count=0)
    lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)
    assert counts(ticket.customer) == [0]


def test_counting_is_no_change_of_the_customer(mike: Persona) -> None:
    """Neither a version nor an entry: If-Match of before still holds."""
    ticket = ServiceTicketFactory.create(mechanics=[mike.profile])
    before = [
        (row.version, row.updated_at) for row in (fresh(ticket.customer), fresh(mike.profile))
    ]
    lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)
    after = [(row.version, row.updated_at) for row in (fresh(ticket.customer), fresh(mike.profile))]
    assert after == before
    assert counts(ticket.customer, mike.profile) == [0, 0]


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_the_slot_comes_last() -> None:
    """Whoever holds one waits for nobody."""
    customer, part = CustomerFactory.create(), PartFactory.create()
    ticket = ServiceTicketFactory.create(customer=customer, parts=[(part, 1)])
    with Statements(connection) as queries:
        lifecycle.delete_ticket(ticket=ticket, actor=COMMAND)
    written = [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert "autoful_tally" in written[-1]
    assert not [sql for sql in written[:-1] if "autoful_tally" in sql]


def test_opening_a_ticket_counts_in_the_statement_that_locks() -> None:
    customer = CustomerFactory.create()
    with Statements(connection) as queries:
        ServiceTicketFactory.create(customer=customer)
    updates = [q["sql"] for q in queries if q["sql"].startswith("UPDATE")]
    assert len([sql for sql in updates if "customers_customer" in sql]) == 1
    assert counts(customer) == [1]


# --- The top --------------------------------------------------------------------------------------

MANY = 3_000


def plan(rows: Any) -> str:
    if connection.vendor == "sqlite":
        return str(rows.explain())
    sql, params = rows.query.sql_with_params()
    traditional = "" if connection.mysql_is_mariadb else "FORMAT=TRADITIONAL "
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {traditional}{sql}", params)
        return str(cursor.fetchall())


def crowd() -> None:
    """Many with the same few numbers, so that ties abound."""
    for model in (Customer, Mechanic):
        model.objects.bulk_create(
            [model(name=f"Somebody {n}", ticket_count=n % 7) for n in range(MANY)], batch_size=500
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"ANALYZE TABLE {model._meta.db_table}"
                if connection.vendor == "mysql"
                else "ANALYZE"
            )


@committing
def test_the_top_is_read_from_its_index_and_nothing_is_sorted() -> None:
    crowd()
    for model, index in ((Customer, "customer_top"), (Mechanic, "mechanic_top")):
        told = plan(model.objects.top(3))
        assert index in told, told
        assert "filesort" not in told and "TEMP B-TREE" not in told, told
        found = [(row.ticket_count, row.pk) for row in model.objects.top(3)]
        busiest = model.objects.filter(ticket_count=6).order_by("pk")[:3]
        assert found == [(6, row.pk) for row in busiest]


@committing
@pytest.mark.parametrize("order", [("ticket_count", "id"), ("-ticket_count", "-id")])
def test_the_list_by_tickets_is_read_from_an_index(order: tuple[str, ...]) -> None:
    crowd()
    told = plan(Customer.objects.existing().order_by(*order)[:10])
    assert "customer_tickets" in told, told
    assert "filesort" not in told and "TEMP B-TREE" not in told, told


@pytest.mark.parametrize("path", ["/customers/top", "/mechanics/top"])
def test_the_tops_count_nothing(path: str, nobody: Persona, settings: Any) -> None:
    settings.RATE_LIMITS = None
    ServiceTicketFactory.create(mechanics=[MechanicFactory.create()])
    with Statements(connection) as queries:
        assert nobody.get(path).json()[0]["ticket_count"] == 1
    asked = [q["sql"] for q in queries]
    assert len(asked) == 2, asked  # who they are, and their rows
    for sql in asked:
        assert "JOIN" not in sql and "COUNT(" not in sql and sql.count("SELECT") == 1
