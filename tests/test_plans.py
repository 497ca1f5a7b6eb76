"""At 100,000 tickets no read endpoint reads a table whole or sorts one, on MariaDB and MySQL.

Two things are looked at: what EXPLAIN says of each query, and how many rows and entries of indexes
the server really read for the request. What has a reason to read more is named with it.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import QuerySet

from autoful.accounts.models import User
from autoful.actor import Actor, Role
from autoful.api.cursors import Cursor, order_of, write
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from bench.filling import fill
from customers.models import Customer, Vehicle
from inventory.models import Part
from mechanics.models import Mechanic
from tests.plans import Asked, Query, asked_by, explained
from tickets.models import ServiceTicket

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "mysql", reason="needs MariaDB or MySQL"),
]

TICKETS = 100_000
MOST = 2_000  # rows and entries of indexes, for one request
FLEET, MECHANIC = 5, 7  # a customer with a thousand tickets, a mechanic with four thousand
FILLED = (
    *("accounts_user", "auditlog_logentry", "autoful_tally"),
    *("customers_customer", "customers_vehicle"),
    *("inventory_part", "inventory_stockmovement", "mechanics_mechanic", "tickets_assignment"),
    *("tickets_partline", "tickets_serviceticket", "tickets_statuschange"),
)

# By path: why more is read, and what may be said of it.
READ = r"\d+ rows are read"
NAMED = {
    r"&page=(250|500|5000)$": (
        "a page in the middle, by number, passes over all rows before it (ADR 17)",
        r".* is read whole|.* are sorted|" + READ,
    ),
    r"ordering=-?(price|cost|reorder_point)&": (
        "parts have no index for it, and are sorted (ADR 17)",
        r"inventory_part is read whole|\d+ rows of inventory_part are sorted|" + READ,
    ),
    r"tickets\?(status=completed|service_date_(after|before)=[-\d]+)$": (
        "counted over the index, once for all pages (ADR 17)",
        READ,
    ),
    r"mechanic_id=": (
        "counted by a join with the tickets; MySQL sorts the four thousand for the page, too",
        r"\d+ rows of tickets_assignment are sorted|" + READ,
    ),
    r"ordering=-?status&cursor=.+$": (
        "where nearly all are completed, MySQL passes over those before the place",
        READ,
    ),
    r"low-stock$": (
        "no index holds a part's stock and its own reorder point (ADR 17)",
        "inventory_part is read whole|" + READ,
    ),
    r"low-stock\?threshold=300&page=100$": ("counted over the index, and in the middle", READ),
    r"(part_name|category|location|name|phone)=[A-Za-z0-9]+$": (
        "a text inside another, or whatever the case: every one is looked at",
        r"\w+ is read whole|all of \w+ is read|" + READ,
    ),
}
# As MySQL guesses the shares of the statuses, from some pages of the index.
ON_SOME_MYSQL = {r"ordering=-?status&cursor=.+$"}
T, C, I = "/service_tickets", "/customers", "/inventory"  # noqa: E741
INDEXED: dict[str, tuple[QuerySet[Any], dict[str, str]]] = {
    T: (
        ServiceTicket.objects.all(),
        {
            "id": "PRIMARY",
            "service_date": "tickets_serviceticket_service_date",
            "status": "tickets_serviceticket_status",
        },
    ),
    C: (
        Customer.objects.existing(),
        {
            "id": "PRIMARY",
            "name": "customers_customer_name",
            "email": "customers_customer_email",
            "ticket_count": "customer_tickets",
        },
    ),
    I: (
        Part.objects.all(),
        {
            "id": "PRIMARY",
            "part_name": "inventory_part_part_name",
            "quantity_in_stock": "part_stock",
        },
    ),
}
SIZES = {T: TICKETS, C: TICKETS // 10, I: 5_000}
# Who asks, what, and the index by which it must be found.
EVERYBODY = {
    T: "PRIMARY",
    f"{T}/50000": "PRIMARY",
    C: "PRIMARY",
    f"{C}/{FLEET}": "PRIMARY",
    f"{C}/5000": "PRIMARY",
    I: "inventory_part_part_name",
    f"{I}/100": "PRIMARY",
    f"{C}/top": "customer_top",
    "/mechanics/top": "mechanic_top",
}
OF_A_FLEET = "tickets_serviceticke_customer_id"  # as Django cuts the name
THEIR_OWN = {
    f"{C}/my-tickets": OF_A_FLEET,
    f"{C}/my-tickets?page=50": OF_A_FLEET,
    f"{C}/my-tickets?cursor=": OF_A_FLEET,
    f"{C}/{FLEET}": OF_A_FLEET,
    f"{T}?per_page=100": "PRIMARY",
}
THE_SHOPS = {
    f"{T}?status=completed": "tickets_serviceticket_status",
    f"{T}?status=on_hold": "tickets_serviceticket_status",
    f"{T}?service_date=%(date)s": "tickets_serviceticket_service_date",
    f"{T}?service_date_after=%(date)s": "tickets_serviceticket_service_date",
    f"{T}?service_date_before=%(date)s": "tickets_serviceticket_service_date",
    f"{T}?service_date_after=%(date)s&service_date_before=%(date)s": "serviceticket_service_date",
    f"{T}?customer_id={FLEET}": OF_A_FLEET,
    f"{T}?customer_id=7000": OF_A_FLEET,
    f"{T}?mechanic_id={MECHANIC}": "assignment_newest_ticket",
    f"{T}?mechanic_id={MECHANIC}&page=200": "assignment_newest_ticket",
    f"{T}?mechanic_id={MECHANIC}&cursor=": "assignment_newest_ticket",
    f"{T}?VIN=%(vin)s": "tickets_serviceticket_vin",
    "/mechanics": "PRIMARY",
    f"/mechanics/{MECHANIC}": "assignment_newest_ticket",
    "/mechanics/8": "assignment_newest_ticket",
    f"{C}/{FLEET}": OF_A_FLEET,
    f"{C}?email=customer77@example.com": "customers_customer_email",
    f"{C}?name=smith": "PRIMARY",
    f"{C}?phone=555": "PRIMARY",
    f"{I}/low-stock": "part_stock",
    f"{I}/low-stock?threshold=5": "part_stock",
    f"{I}/low-stock?threshold=5&cursor=": "part_stock",
    f"{I}/low-stock?threshold=300&page=100": "part_stock",
    f"{I}/search?part_name=brake": "inventory_part_part_name",
    f"{I}?part_number=%(number)s": "part_number",
    f"{I}?category=Brakes": "inventory_part",
    f"{I}?location=A": "PRIMARY",
}


@pytest.fixture(scope="module")
def sizes(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """A filled shop; how many rows each of its tables has."""
    counted = {}
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        fill(connection, tickets=TICKETS)
        for table in FILLED:
            cursor.execute(f"SELECT COUNT(*) FROM `{table}`")
            counted[table] = cursor.fetchone()[0]
    yield counted
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in FILLED:
            cursor.execute(f"TRUNCATE `{table}`")
        cursor.execute("SET SESSION foreign_key_checks = 1")


def in_the_middle(path: str, name: str, sign: str, side: str) -> str:
    rows, _ = INDEXED[path]
    order = order_of(rows.order_by(f"{sign}{name}", f"{sign}id"))
    columns = [column.name for column in order.columns[:-1]]
    key = order.applied_to(rows).values("pk", *columns)[SIZES[path] // 2]
    return write(Cursor(side, order.values_of(key)), order)


def asks() -> Iterator[tuple[str, str, str]]:
    """Who asks, what, and the index that it must be found by; empty: whichever."""
    ticket = ServiceTicket.objects.get(pk=60_000)
    number = Part.objects.get(pk=100).part_number
    filled_in = {"number": number, "date": ticket.service_date, "vin": ticket.vin}
    for who in ("nobody", "fleet", "mechanic"):
        yield from ((who, path, index) for path, index in EVERYBODY.items())
    yield from (("fleet", path, index) for path, index in THEIR_OWN.items())
    yield from (("mechanic", path % filled_in, index) for path, index in THE_SHOPS.items())
    for path, (_, orderings) in INDEXED.items():
        last = SIZES[path] // 10
        for name, index in orderings.items():
            for sign in ("", "-"):
                ordered = f"{path}?ordering={sign}{name}"
                yield "mechanic", f"{ordered}&page=1", index
                yield "mechanic", f"{ordered}&page={last // 2}", ""
                yield "mechanic", f"{ordered}&page={last - 1}", index
                yield "mechanic", f"{ordered}&cursor=", index
                for side in (">", "<"):
                    cursor = in_the_middle(path, name, sign, side)
                    yield "mechanic", f"{ordered}&cursor={cursor}", index
    for name in ("price", "-cost", "reorder_point"):
        yield "mechanic", f"{I}?ordering={name}&page=1", ""


@pytest.fixture
def people(sizes: Any, db: None, settings: Any) -> dict[str, Persona]:
    settings.RATE_LIMITS = None
    found = {"nobody": Persona()}
    for name, role, profile in (
        ("mechanic", Role.MECHANIC, Mechanic.objects.get(pk=MECHANIC)),
        ("fleet", Role.CUSTOMER, Customer.objects.get(pk=FLEET)),
    ):
        found[name] = Persona(Actor(role, profile.user, profile.pk), profile)
    return found


def ask(person: Persona, path: str) -> Asked:
    def get() -> None:
        answer = person.get(path)
        assert answer.status_code == 200, (path, answer.content)

    return asked_by(get)


def named(path: str, fault: str) -> list[str]:
    """The names under which this request has this fault."""
    return [
        pattern
        for pattern, (_, faults) in NAMED.items()
        if re.search(pattern, path) and re.fullmatch(faults, fault)
    ]


def test_no_request_reads_a_table_whole_or_sorts_one(
    sizes: dict[str, int], people: dict[str, Persona]
) -> None:
    wrong, used = [], set()
    for who, path, index in asks():
        asked = ask(people[who], path)
        assert asked.queries, "nothing was asked, so this proves nothing"
        faults = asked.faults(sizes, MOST)
        used |= {name for fault in faults for name in named(path, fault)}
        unnamed = [fault for fault in faults if not named(path, fault)]
        if index and not any(re.search(index, used_one) for used_one in asked.indexes()):
            unnamed.append(f"{index} is not used")
        if unnamed:
            wrong.append(f"{who} {path}: {', '.join(unnamed)}\n{asked}")
    assert not wrong, "\n\n".join(wrong)
    assert used - ON_SOME_MYSQL == set(NAMED) - ON_SOME_MYSQL, "a name that nothing needs"


@pytest.mark.parametrize("text", ["brake", "the rarest of all"])
def test_a_search_passes_over_no_part_in_full(
    text: str, sizes: dict[str, int], people: dict[str, Persona]
) -> None:
    """For a rare word that would be all parts, each looked up by its number."""
    Part.objects.filter(pk=100).update(part_name="The rarest of all")
    asked = ask(people["mechanic"], f"{I}/search?part_name={text}")
    pages = [query for query in asked.queries if "LIKE" in query.sql and "LIMIT" in query.sql]
    (step,) = (step for query in pages for step in query.steps)
    assert step.index and step.index.startswith("inventory_part_part_name"), asked
    assert "Using index" in step.extra, asked


def test_control_what_has_no_index_is_seen(sizes: dict[str, int], db: None) -> None:
    sql = "SELECT `id` FROM `tickets_serviceticket`"
    ordered = f"{sql} ORDER BY `service_date`, `id` LIMIT 10"
    assert Query(ordered, explained(ordered)).faults(sizes) == []
    with connection.cursor() as cursor:
        cursor.execute("SHOW INDEX FROM tickets_serviceticket WHERE Column_name = 'service_date'")
        names = ", ".join(row[2] for row in cursor.fetchall())
    ignored = ordered.replace(" ORDER", f" IGNORE INDEX ({names}) ORDER")
    whole, sorts = Query(ignored, explained(ignored)).faults(sizes)
    assert whole == "tickets_serviceticket is read whole"
    assert sorts.endswith("rows of tickets_serviceticket are sorted")


def test_control_what_is_read_whole_is_seen(sizes: dict[str, int], db: None) -> None:
    asked = asked_by(lambda: ServiceTicket.objects.filter(notes="nobody wrote this").count())
    whole, read = asked.faults(sizes, MOST)
    assert whole == "tickets_serviceticket is read whole"
    assert re.fullmatch(READ, read) and asked.read >= TICKETS
    # By an index as well, all of which is read.
    asked = asked_by(lambda: ServiceTicket.objects.count())
    assert asked.faults(sizes, MOST)[0].startswith("all of ")
    joined = ServiceTicket.objects.order_by("customer__phone", "id")
    faults = asked_by(lambda: list(joined[:10])).faults(sizes, MOST)
    assert any("are sorted" in fault for fault in faults)


# --- The back office ------------------------------------------------------------------------------

DESK = "/admin/"
LISTS = [
    *("tickets/serviceticket/", "tickets/serviceticket/?o=6", "tickets/serviceticket/?o=2"),
    *("tickets/serviceticket/?status__exact=completed", "tickets/serviceticket/?p=150"),
    *("tickets/serviceticket/?q=50000", "tickets/serviceticket/?q={vin}"),
    *("tickets/assignment/", "tickets/assignment/?q=50000"),
    *("tickets/partline/", "tickets/partline/?q=50000"),
    *("tickets/statuschange/", "tickets/statuschange/?q=50000"),
    *("customers/customer/", "customers/vehicle/", "inventory/part/", "accounts/user/"),
    *("inventory/stockmovement/", "inventory/stockmovement/?q=ticket-50000"),
    *("auditlog/logentry/", "auditlog/logentry/?p=150", "auditlog/logentry/?q=50000"),
    *("auditlog/logentry/?person=2&action=1", "auditlog/logentry/?object={kind}&action=0"),
    "auditlog/logentry/?timestamp_from=2020-01-01&timestamp_to=2020-02-01",
    *("tickets/serviceticket/50000/change/", "customers/customer/7000/change/"),
    *("tickets/serviceticket/50000/history/", "inventory/part/2501/history/"),
    *("tickets/serviceticket/export/csv/", "customers/vehicle/export/csv/"),
    *("inventory/part/export/csv/?category=Brakes", "auditlog/logentry/export/"),
    *("search/?extended=1&s=50000", "search/?extended=1&s=nobody"),
]
# Tables of which every row may be looked at: a tenth of the tickets and less, for a word in a name.
# A page of the back office finds its texts there, and its money.
SHORT = r"(customers_customer|customers_vehicle|mechanics_mechanic|inventory_part)"
NAMED_AT_A_DESK = {
    "serviceticket/export/": (
        "the teams of one piece",
        r"\d000 rows of (<subquery\d>|tickets_assignment) are sorted",
    ),
    "part/2501/history/": (
        "twenty thousand entries about one part: MariaDB finds them by two indexes",
        r"\d+ rows of auditlog_logentry are sorted|" + READ,
    ),
}
# Leafing through counts ten thousand rows, and a word in a text is looked for in twenty thousand.
MOST_AT_A_DESK = 80_000


# As somebody who sees the trail, and of what it is about parts and customers alone: entries that are
# older than all about tickets.
LISTS_AS_CLERK = [
    *("auditlog/logentry/", "auditlog/logentry/?p=50", "auditlog/logentry/?action=1"),
    # As the page's form sends it, and a heading.
    "auditlog/logentry/?action=1&object=&person=&timestamp_from=&timestamp_to=",
    "auditlog/logentry/?timestamp_from=2015-01-01&timestamp_to=2027-01-01",
    "auditlog/logentry/?o=-1",
]


@pytest.mark.parametrize(
    ("path", "is_clerk"),
    [*((path, False) for path in LISTS), *((path, True) for path in LISTS_AS_CLERK)],
)
def test_no_page_of_the_back_office_reads_a_long_table_whole(
    path: str, is_clerk: bool, sizes: dict[str, int], db: None, settings: Any
) -> None:
    settings.RATE_LIMITS = None
    user = User.objects.create_superuser("desk@example.com", "correct horse")
    if is_clerk:
        user.is_superuser = False
        user.save()
        seen = ("view_logentry", "view_part", "view_customer")
        user.user_permissions.set(Permission.objects.filter(codename__in=seen))
    desk = Desk(user)
    desk.get(DESK)
    kind = ContentType.objects.get_for_model(ServiceTicket).pk
    url = DESK + path.format(vin=Vehicle.objects.values_list("vin", flat=True)[700], kind=kind)

    def get() -> None:
        answer: Any = desk.get(url)
        assert answer.status_code == 200
        if answer.streaming:  # until its first rows, and the next piece of them
            assert len(list(islice(answer, 500))) == 500

    asked = asked_by(get)
    assert asked.queries, "nothing was asked, so this proves nothing"
    known = [faults for part, (_, faults) in NAMED_AT_A_DESK.items() if part in path]
    faults = [
        fault
        for fault in asked.faults(sizes, MOST_AT_A_DESK)
        if not re.search(SHORT, fault) and not any(re.fullmatch(one, fault) for one in known)
    ]
    assert not faults, f"{faults}\n{asked}"
