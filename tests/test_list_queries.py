"""What a list asks of the database: so many queries, whatever the number of rows."""

import re
from typing import Any

import pytest
from django.db import connection

from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.tests.factories import CustomerFactory
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

# The tables that stand first in each query, in their order; a mechanic's token asks for them first.
ME = "mechanics_mechanic"
TOTAL = "autoful_tally"
NESTED = ["tickets_assignment", "tickets_partline"]
# The page's rows, with what they show themselves; how many there are; and what is nested in them.
PUBLIC_TICKETS = ["tickets_serviceticket", TOTAL, *NESTED]
# Where a row shows others that it points at: the keys of the page's rows, how many, the rows.
TICKETS = ["tickets_serviceticket", TOTAL, "tickets_serviceticket", *NESTED]
# A list that is narrowed: the keys, then the rows.
PARTS = [*["inventory_part"] * 2]
EXPECTED: dict[tuple[str, str], list[str]] = {
    ("nobody", "/customers"): ["customers_customer", TOTAL],
    ("mike", "/customers"): [ME, "customers_customer", TOTAL],
    # His own is another shape than the others'.
    ("mike", "/mechanics"): [ME, "mechanics_mechanic", TOTAL, *["mechanics_mechanic"] * 2],
    ("nobody", "/inventory"): ["inventory_part", TOTAL],
    ("mike", "/inventory"): [ME, "inventory_part", TOTAL],
    ("nobody", "/service_tickets"): PUBLIC_TICKETS,
    ("mike", "/service_tickets"): [ME, *TICKETS],
    # Her own are another shape than the others'.
    ("sarah", "/service_tickets"): ["customers_customer", *TICKETS, *TICKETS[2:]],
    ("sarah", "/customers/my-tickets"): [
        "customers_customer",  # the token
        "tickets_serviceticket",
        "customers_customer",  # how many there are
        "tickets_assignment",
    ],
    ("mike", "/inventory/search?part_name=part"): [ME, "inventory_part", *PARTS],
    ("mike", "/inventory/low-stock"): [ME, "inventory_part", *PARTS],
    ("nobody", "/customers/top"): ["customers_customer"] * 2,
    ("nobody", "/mechanics/top"): ["mechanics_mechanic"] * 2,
}


@pytest.fixture
def people(settings: Any, nobody: Persona, sarah: Persona, mike: Persona) -> dict[str, Persona]:
    settings.RATE_LIMITS = None
    return {"nobody": nobody, "sarah": sarah, "mike": mike}


def more(count: int, sarah: Persona) -> None:
    """Tickets of Sarah's and of others, each with a team and parts."""
    for _ in range(count):
        parts = [PartFactory.create(quantity_in_stock=3), PartFactory.create(quantity_in_stock=3)]
        team = [MechanicFactory.create(), MechanicFactory.create()]
        for customer in (sarah.profile, CustomerFactory.create()):
            lines = [(part, 1) for part in parts]
            ServiceTicketFactory.create(customer=customer, mechanics=team, parts=lines)


@pytest.mark.parametrize(("name", "path"), EXPECTED)
def test_a_lists_queries(name: str, path: str, people: dict[str, Persona]) -> None:
    for rows in (1, 3):
        more(rows, people["sarah"])
        with Statements(connection) as queries:
            answer = people[name].get(path, {} if "?" in path else {"per_page": 100 - rows})
        assert answer.status_code == 200
        asked = [q["sql"] for q in queries]
        # The last FROM is the query's own; those before it count inside the row.
        read = [re.findall(r"FROM [`\"]?(\w+)", sql)[-1] for sql in asked]
        assert read == EXPECTED[name, path], "\n".join(asked)


PAGE_OF_TICKETS = "FROM .tickets_serviceticket. .*ORDER BY .*LIMIT"


def test_a_page_of_tickets_is_found_without_a_join(people: dict[str, Persona]) -> None:
    """MariaDB starts a joined list from customers and sorts every ticket for one page."""
    more(2, people["sarah"])
    for name in people:
        with Statements(connection) as queries:
            people[name].get("/service_tickets")
        (page,) = [q["sql"] for q in queries if re.search(PAGE_OF_TICKETS, q["sql"])]
        assert "JOIN" not in page


@pytest.mark.parametrize(("query", "skipped"), [("", 8), ("threshold=5", 0)])
def test_what_is_low_by_points_of_its_own_is_read_from_the_emptier_end(
    query: str, skipped: int, people: dict[str, Persona]
) -> None:
    PartFactory.create_batch(10, quantity_in_stock=2, reorder_point=3)
    with Statements(connection) as queries:
        answer = people["mike"].get(f"/inventory/low-stock?page=5&per_page=2&{query}")
    assert len(answer.json()["parts"]) == 2
    [keys] = [q["sql"] for q in queries if "LIMIT 2" in q["sql"]]
    assert (f"OFFSET {skipped}" in keys) is (skipped > 0)
