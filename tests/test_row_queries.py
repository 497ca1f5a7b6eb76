"""What one row, and each write, asks of the database: verb by verb and table by table."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from autoful.accounts.tests.factories import PASSWORD
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.tests.factories import valid_vin
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

AUDIT = "INSERT auditlog_logentry"
TICKET, PART, LINE = "tickets_serviceticket", "inventory_part", "tickets_partline"
TEAM, MECHANIC = "tickets_assignment", "mechanics_mechanic"
CUSTOMER, VEHICLE, USER = "customers_customer", "customers_vehicle", "accounts_user"


class World:
    """A ticket of Sarah's with Mike and a part on it, and what may be put on it."""

    def __init__(self, people: dict[str, Persona]) -> None:
        self.people = people
        self.sarah, self.mike = people["sarah"], people["mike"]
        self.part: Part = PartFactory.create()
        self.other: Mechanic = MechanicFactory.create()
        self.ticket: ServiceTicket = ServiceTicketFactory.create(
            customer=self.sarah.profile, mechanics=[self.mike.profile], parts=[(self.part, 1)]
        )
        self.spare: Part = PartFactory.create()


@pytest.fixture
def world(settings: Any, nobody: Persona, sarah: Persona, mike: Persona) -> World:
    settings.RATE_LIMITS = None
    return World({"nobody": nobody, "sarah": sarah, "mike": mike})


def asked(request: Callable[[], Any], status: int) -> tuple[list[str], str]:
    """Each query's verb and its table, without savepoints; and all of them, to be shown."""
    with Statements(connection) as queries:
        answer = request()
    assert answer.status_code == status, answer.content
    every = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    return [_verb_and_table(sql) for sql in every], "\n".join(every)


def _verb_and_table(sql: str) -> str:
    verb = sql.split()[0]
    after = {"SELECT": "FROM", "INSERT": "INTO", "UPDATE": "UPDATE", "DELETE": "FROM"}[verb]
    found = re.search(rf"\b{after} [`\"]?(\w+)", sql)
    assert found is not None, sql
    return f"{verb} {found[1]}"


def selects(*tables: str) -> list[str]:
    return [f"SELECT {table}" for table in tables]


# --- One row --------------------------------------------------------------------------------------

TOKEN = {"nobody": [], "sarah": selects(CUSTOMER), "mike": selects(MECHANIC)}
# Its number and version, for the ETag; the row; and what is nested in it.
ROWS: dict[str, tuple[Callable[[World], str], list[str], dict[str, list[str]]]] = {
    "ticket": (
        lambda w: f"/service_tickets/{w.ticket.pk}",
        [TICKET, TICKET, TEAM, LINE],
        {},
    ),
    "customer": (
        lambda w: f"/customers/{w.sarah.id}",
        [CUSTOMER, CUSTOMER],
        {"sarah": [TICKET], "mike": [TICKET]},
    ),
    "part": (lambda w: f"/inventory/{w.part.pk}", [PART, PART], {}),
    "mechanic": (
        lambda w: f"/mechanics/{w.mike.id}",
        [MECHANIC, MECHANIC],
        {"mike": [TEAM]},
    ),
}


@pytest.mark.parametrize(
    ("name", "who"),
    [(name, who) for name in ROWS for who in TOKEN if name != "mechanic" or who == "mike"],
)
def test_a_rows_queries(name: str, who: str, world: World) -> None:
    path, tables, more = ROWS[name]
    expected = [*TOKEN[who], *selects(*tables, *more.get(who, []))]
    queries, shown = asked(lambda: world.people[who].get(path(world)), 200)
    assert queries == expected, shown


# --- The writes -----------------------------------------------------------------------------------

THE_TOKEN = selects(MECHANIC)
FOUND = selects(TICKET)
LOCKED = [f"UPDATE {TICKET}", f"SELECT {TICKET}"]
ANSWER = selects(TICKET, TEAM, LINE)
TAKEN = [f"UPDATE {PART}", f"SELECT {PART}"]
LEFT = ["INSERT inventory_stockmovement", AUDIT]  # at the end; entries of all that was done at once


def add(world: World, part: Part) -> Any:
    body = {"inventory_id": part.pk, "quantity_used": 1}
    return world.mike.post(f"/service_tickets/{world.ticket.pk}/add-inventory", body)


def open_ticket(world: World) -> Any:
    car = {"VIN": valid_vin(1), "service_desc": "Brakes", "service_date": "2025-06-01"}
    return world.mike.post("/service_tickets", car | {"customer_id": world.sarah.id})


WRITES: dict[str, tuple[Callable[[World], Any], int, list[str]]] = {
    "open a ticket": (
        open_ticket,
        201,
        [
            *THE_TOKEN,
            *(f"UPDATE {CUSTOMER}", f"SELECT {CUSTOMER}"),
            *(f"SELECT {VEHICLE}", f"INSERT {VEHICLE}", f"INSERT {TICKET}"),
            *(AUDIT, "INSERT tickets_statuschange"),
            "UPDATE autoful_tally",
            *ANSWER,
        ],
    ),
    "add a part": (
        lambda w: add(w, w.spare),
        201,
        [*THE_TOKEN, *FOUND, *LOCKED, f"SELECT {LINE}", *TAKEN, f"INSERT {LINE}", *LEFT],
    ),
    "add more of a part": (
        lambda w: add(w, w.part),
        200,
        [
            *(*THE_TOKEN, *FOUND, *LOCKED, f"SELECT {LINE}", f"UPDATE {LINE}", *TAKEN),
            *LEFT,
        ],
    ),
    "assign": (
        lambda w: w.mike.put(f"/service_tickets/{w.ticket.pk}/assign-mechanic/{w.other.pk}"),
        200,
        [
            *(*THE_TOKEN, *FOUND, *LOCKED),
            *(f"UPDATE {MECHANIC}", f"SELECT {MECHANIC}", f"SELECT {USER}"),
            *(f"SELECT {TEAM}", f"INSERT {TEAM}", AUDIT),
            *ANSWER,
        ],
    ),
    "move": (
        lambda w: w.mike.patch(f"/service_tickets/{w.ticket.pk}", {"status": "in_progress"}),
        200,
        [
            # Editing is a verb and moving another inside it, which locks once more.
            *(*THE_TOKEN, *FOUND, *LOCKED, *LOCKED),
            *(f"SELECT {TICKET}", f"UPDATE {TICKET}", AUDIT, "INSERT tickets_statuschange"),
            *ANSWER,
        ],
    ),
    "sign in": (
        lambda w: w.people["nobody"].post(
            "/mechanics/login", {"email": w.mike.user.email, "password": PASSWORD}
        ),
        200,
        [*selects(USER, MECHANIC), f"UPDATE {USER}", f"SELECT {USER}", AUDIT],
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_writes_queries(name: str, world: World) -> None:
    write, status, expected = WRITES[name]
    queries, shown = asked(lambda: write(world), status)
    assert queries == expected, shown


def test_control_one_more_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tickets import views

    original = views.lifecycle.open_ticket

    def looks_once_more(**body: Any) -> ServiceTicket:
        ServiceTicket.objects.filter(vin=body["vin"]).exists()
        return original(**body)

    monkeypatch.setattr(views.lifecycle, "open_ticket", looks_once_more)
    write, status, expected = WRITES["open a ticket"]
    queries, _ = asked(lambda: write(world), status)
    assert queries == [*THE_TOKEN, f"SELECT {TICKET}", *expected[1:]]
