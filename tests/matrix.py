"""Who may what: one line for every route, and the shop it is asked in.

A cell is what a caller gets: a view of the row, or the status of a refusal. Where a route has a
row in its path, a cell may differ: `own/other/missing`, or `there/missing` for callers who own
nothing. `full+public` is a list: their own in one view, the others' in another.

- nobody: no token
- customer: Sarah, whose row it is, and Tom
- mechanic: Mike, whose row or ticket it is, and Lisa
- waiting: Wendy, a mechanic not approved yet, with a token
- office: the back office with `permission` and no other
- clerk: the back office with every permission but that one
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission

from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.actor import Role
from autoful.testing import personas
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

TABLE = """
route                                                permission            nobody      customer         mechanic          waiting  office       clerk

GET    /                                             -                     ok          ok               ok                ok       ok           ok
GET    /api/schema                                   -                     ok          ok               ok                ok       ok           ok
GET    /api/docs                                     -                     ok          ok               ok                ok       ok           ok
GET    /api/redoc                                    -                     ok          ok               ok                ok       ok           ok
GET    /health/live                                  -                     ok          ok               ok                ok       ok           ok
GET    /health/ready                                 -                     ok          ok               ok                ok       ok           ok
GET    /metrics                                      -                     404         404              404               404      404          404

POST   /customers/login                              -                     ok          ok               ok                ok       ok           ok
POST   /customers                                    -                     ok          ok               ok                401      ok           ok
GET    /customers                                    view_customer         public      full+public      full              401      full         public
GET    /customers/top                                view_customer         public      full+public      full              401      full         public
GET    /customers/my-tickets                         -                     401         own              403               401      403          403
GET    /customers/{customer}                         view_customer         public/404  full/public/404  full/404          401      full/404     public/404
PUT    /customers/{customer}                         change_customer       401         full/403/404     403               401      public/404   403
DELETE /customers/{customer}                         delete_customer       401         ok/403/404       403               401      ok/404       403

POST   /mechanics/login                              -                     ok          ok               ok                ok       ok           ok
POST   /mechanics                                    add_mechanic          ok          ok               ok                401      ok           ok
GET    /mechanics                                    view_mechanic         401         403              private+full      401      full         403
GET    /mechanics/top                                view_mechanic         public      public           full              401      full         public
GET    /mechanics/{mechanic}                         view_mechanic         401         403              private/full/404  401      full/404     403
PUT    /mechanics/{mechanic}                         change_mechanic       401         403              private/403/404   401      full/404     403
DELETE /mechanics/{mechanic}                         delete_mechanic       401         403              ok/403/404        401      ok/404       403

GET    /service_tickets                              view_serviceticket    public      full+public      private           401      private      public
POST   /service_tickets                              add_serviceticket     401         403              private           401      public       403
GET    /service_tickets/{ticket}                     view_serviceticket    public/404  full/public/404  private/404       401      private/404  public/404
PATCH  /service_tickets/{ticket}                     change_serviceticket  401         403              private/404       401      public/404   403
DELETE /service_tickets/{ticket}                     delete_serviceticket  401         403              ok/404            401      ok/404       403
PUT    /service_tickets/{ticket}/assign-mechanic/{lisa}   change_serviceticket  401    403              private/404       401      public/404   403
PUT    /service_tickets/{ticket}/remove-mechanic/{mike}   change_serviceticket  401    403              private/404       401      public/404   403
PUT    /service_tickets/{ticket}/edit-mechanics      change_serviceticket  401         403              private/404       401      public/404   403
POST   /service_tickets/{ticket}/add-inventory       change_serviceticket  401         403              ok/404            401      ok/404       403
PUT    /service_tickets/{ticket}/remove-inventory/{line}  change_serviceticket  401    403              ok/404            401      ok/404       403

GET    /inventory                                    view_part             public      public           private           401      shelf        public
GET    /inventory/search                             view_part             401         403              private           401      shelf        403
GET    /inventory/low-stock                          view_part             401         403              private           401      shelf        403
POST   /inventory                                    add_part              401         403              private           401      public       403
GET    /inventory/{part}                             view_part             public/404  public/404       private/404       401      shelf/404    public/404
PUT    /inventory/{part}                             change_part           401         403              private/404       401      public/404   403
DELETE /inventory/{part}                             delete_part           401         403              ok/404            401      ok/404       403
"""

COLUMNS = ("nobody", "customer", "mechanic", "waiting", "office", "clerk")

# What a good call answers, where it is not 200.
GOOD = {
    "GET /": 302,
    "POST /customers": 201,
    "POST /mechanics": 201,
    "POST /service_tickets": 201,
    "POST /service_tickets/{ticket}/add-inventory": 201,
    "POST /inventory": 201,
}

# --- What is private ------------------------------------------------------------------------------

PERSON = {"name", "email", "phone"}
TICKET = {f"customer {word}" for word in PERSON} | {f"mechanic {word}" for word in PERSON} | {"VIN"}
LISA = {f"lisa's mechanic {word}" for word in PERSON}
NOTES = {"notes"}
PART = {"cost", "location"}

# The private facts in each view of a row; the public one and `ok` have none.
FACTS: dict[str, dict[str, set[str]]] = {
    "GET /customers": {"full": {f"customer {word}" for word in PERSON}},
    "GET /customers/{customer}": {"full": {f"customer {word}" for word in PERSON} | {"VIN"}},
    "GET /customers/my-tickets": {"own": {"VIN", "mechanic name"}},
    "GET /mechanics": {"full": {f"mechanic {word}" for word in PERSON}},
    "GET /mechanics/top": {"full": {"mechanic name"}},
    "GET /mechanics/{mechanic}": {"full": {f"mechanic {word}" for word in PERSON} | {"VIN"}},
    "GET /service_tickets": {"full": TICKET, "private": TICKET | NOTES},
    # A new one is for Sarah, and has neither team nor secrets of its own.
    "POST /service_tickets": {"private": {f"customer {word}" for word in PERSON}},
    "GET /inventory": {"private": PART, "shelf": PART - {"cost"}},
    "POST /inventory": {"private": set()},
}
FACTS["GET /customers/top"] = FACTS["PUT /customers/{customer}"] = FACTS["GET /customers"]
FACTS["PUT /mechanics/{mechanic}"] = FACTS["GET /mechanics"]
for _route in ("GET /mechanics", "GET /mechanics/{mechanic}"):
    FACTS[_route]["private"] = FACTS[_route]["full"] | {"salary"}
for _route in ("GET", "PATCH"):
    FACTS[f"{_route} /service_tickets/{{ticket}}"] = FACTS["GET /service_tickets"]
_on_a_ticket = "PUT /service_tickets/{ticket}"
_without_mike = {fact for fact in TICKET | NOTES if not fact.startswith("mechanic")}
FACTS[f"{_on_a_ticket}/assign-mechanic/{{lisa}}"] = {"private": TICKET | NOTES | LISA}
FACTS[f"{_on_a_ticket}/remove-mechanic/{{mike}}"] = {"private": _without_mike}
FACTS[f"{_on_a_ticket}/edit-mechanics"] = {"private": _without_mike | LISA}
for _route in ("/inventory/search", "/inventory/low-stock", "/inventory/{part}"):
    FACTS[f"GET {_route}"] = FACTS["GET /inventory"]
FACTS["PUT /inventory/{part}"] = FACTS["GET /inventory"]

# Everybody's rows are in the answer, not one's.
LISTS = {
    *("GET /customers", "GET /customers/top", "GET /mechanics", "GET /mechanics/top"),
    *("GET /service_tickets", "GET /inventory", "GET /inventory/search"),
    "GET /inventory/low-stock",
}


@dataclass(frozen=True)
class Row:
    route: str
    permission: str
    cells: dict[str, str]

    @property
    def method(self) -> str:
        return self.route.split()[0]

    @property
    def path(self) -> str:
        return self.route.split()[1]

    @property
    def good(self) -> int:
        return GOOD.get(self.route, 200)

    def expected(self, column: str, which: str) -> str:
        """A cell: `which` is own, other or missing."""
        parts = self.cells[column].split("/")
        if len(parts) == 2:
            parts = [parts[0], *parts]
        return parts[("own", "other", "missing").index(which)] if len(parts) == 3 else parts[0]

    def whiches(self) -> tuple[str, ...]:
        return ("own", "other", "missing") if "{" in self.path else ("own", "other")

    def __str__(self) -> str:
        return self.route


def _read() -> list[Row]:
    lines = [line for line in TABLE.splitlines() if line.strip()]
    rows = []
    for line in lines[1:]:
        method, path, permission, *cells = line.split()
        rows.append(Row(f"{method} {path}", permission, dict(zip(COLUMNS, cells, strict=True))))
    return rows


ROWS = _read()


# --- The shop -------------------------------------------------------------------------------------


@dataclass
class World:
    """Two of everything; every private fact is a text that stands nowhere else."""

    people: dict[str, Persona]
    tickets: list[ServiceTicket]
    parts: list[Part]
    # (whose, which fact) by its text
    secrets: dict[str, tuple[str, str]]

    def path(self, row: Row, *, missing: bool = False) -> str:
        ids = {
            "customer": self.people["sarah"].id,
            "mechanic": self.people["mike"].id,
            "ticket": self.tickets[0].pk,
            "part": self.parts[0].pk,
        }
        if missing:
            ids = dict.fromkeys(ids, 999_999_999)
        beside = {
            "lisa": self.people["lisa"].id,
            "mike": self.people["mike"].id,
            "line": self.tickets[0].part_lines.get().pk,
        }
        query = "?part_name=Pads" if row.path.endswith("search") else ""
        query = "?threshold=1000" if row.path.endswith("low-stock") else query
        return row.path.format(**ids, **beside) + query

    def body(self, row: Row) -> Any:
        make = BODIES.get(row.route)
        return make(self) if make else None


def _new(world: World) -> dict[str, Any]:
    return {
        "name": "New Comer",
        "email": "newcomer@example.com",
        "phone": "+1 555 010 9999",
        "password": PASSWORD,
    }


BODIES: dict[str, Callable[[World], Any]] = {
    "POST /customers/login": lambda w: {"email": "sarah@home.example", "password": PASSWORD},
    "POST /mechanics/login": lambda w: {"email": "mike@shop.example", "password": PASSWORD},
    "POST /customers": _new,
    "POST /mechanics": lambda w: _new(w) | {"salary": 41000},
    # A change that is seen in no answer.
    "PUT /customers/{customer}": lambda w: {"password": "another horse battery"},
    "PUT /mechanics/{mechanic}": lambda w: {"password": "another horse battery"},
    "POST /service_tickets": lambda w: {
        "customer_id": w.people["sarah"].id,
        "VIN": "1M8GDM9AXKP042788",
        "service_desc": "Front brakes grind",
        "service_date": "2025-03-14",
    },
    "PATCH /service_tickets/{ticket}": lambda w: {"service_desc": "Still squeaks"},
    "PUT /service_tickets/{ticket}/edit-mechanics": lambda w: {
        "mechanic_ids": [w.people["lisa"].id]
    },
    "POST /service_tickets/{ticket}/add-inventory": lambda w: {
        "inventory_id": w.parts[0].pk,
        "quantity_used": 1,
    },
    "POST /inventory": lambda w: {"part_name": "Wiper", "price": 9.5, "quantity_in_stock": 3},
    "PUT /inventory/{part}": lambda w: {"price": 47.25},
}


def build() -> World:
    """Sarah's ticket has Mike on it and Tom's has Lisa, each with a part of its own beside."""
    secrets: dict[str, tuple[str, str]] = {}
    people = {"nobody": personas.nobody()}
    for name, last, number in (("sarah", "Quennell", 11), ("tom", "Brixworth", 12)):
        person = {"email": f"{name}@home.example", "phone": f"+1 555 2{number} 1{number}1"}
        people[name] = personas.customer(f"{name.title()} {last}", **person)
        for fact, text in {"name": last, **person}.items():
            secrets[text] = (name, f"customer {fact}")
    for name, last, number in (
        ("mike", "Chigwell", 21),
        ("lisa", "Rydal", 22),
        ("wendy", "Quist", 23),
    ):
        person = {"email": f"{name}@shop.example", "phone": f"+1 555 3{number} 1{number}1"}
        user = UserFactory.create(email=person["email"])
        salary = Decimal(f"61{number}7.25")
        people[name] = personas.wearing(
            Role.MECHANIC,
            user,
            name=f"{name.title()} {last}",
            phone=person["phone"],
            salary=salary,
            approved=name != "wendy",
        )
        for fact, text in {"name": last, **person}.items():
            secrets[text] = (name, f"mechanic {fact}")
        secrets[str(salary)] = (name, "salary")
    for name in ("office", "clerk"):
        user = UserFactory.create(email=f"{name}@example.com", is_staff=True)
        people[name] = personas.back_office(user)
    parts = []
    for number in (1, 2, 3):
        cost, location = f"87{number}3.57", f"Shelf QX-{number}"
        part = {"part_name": f"Pads {number}", "cost": Decimal(cost), "location": location}
        parts.append(PartFactory.create(**part, price=Decimal("9999.00")))
        secrets |= {cost: (f"part {number}", "cost"), location: (f"part {number}", "location")}
    tickets = []
    vins = ("JH4KA8260MC000000", "2T1BURHE5JC012345")
    for customer, mechanic, vin in zip(("sarah", "tom"), ("mike", "lisa"), vins, strict=True):
        notes = f"Argued with {mechanic} about the bill."
        ticket = ServiceTicketFactory.create(
            customer=people[customer].profile,
            vin=vin,
            notes=notes,
            mechanics=[people[mechanic].profile],
            parts=[(parts[2], 1)],
            service_date=datetime.date(2025, 3, 14),
        )
        tickets.append(ticket)
        secrets |= {vin: (customer, "VIN"), notes: (customer, "notes")}
    return World(people, tickets, parts, secrets)


def allow(world: World, permission: str) -> None:
    """Give the office `permission` alone and the clerk every other."""
    every = Permission.objects.all()
    alone = every.filter(codename=permission) if permission != "-" else every
    world.people["office"].user.user_permissions.set(alone)
    rest = every.exclude(codename=permission) if permission != "-" else []
    world.people["clerk"].user.user_permissions.set(rest)


CALLERS = {
    "nobody": {"own": "nobody"},
    "customer": {"own": "sarah", "other": "tom", "missing": "sarah"},
    "mechanic": {"own": "mike", "other": "lisa", "missing": "mike"},
    "waiting": {"own": "wendy"},
    "office": {"own": "office"},
    "clerk": {"own": "clerk"},
}
# What hangs together: Sarah's car is on a ticket of Mike's. A path with a row in it leads to these.
HERS = {"sarah", "mike", "part 1"}
CIRCLES = [HERS, {"tom", "lisa", "part 2"}, {"part 3"}]


def private_facts(world: World, row: Row, cell: str, caller: str) -> set[str]:
    """The private texts that an answer of this view has: these, and no others."""
    view, _, of_others = cell.partition("+")
    views = {}
    # Wendy waits: she is among the mechanics and on no ticket.
    for circle in CIRCLES + [{"wendy"}] * (row.route == "GET /mechanics"):
        if row.route in LISTS:
            views |= dict.fromkeys(
                circle, of_others if of_others and caller not in circle else view
            )
        elif caller in circle if cell == "own" else circle is HERS:
            views |= dict.fromkeys(circle, view)
    facts = FACTS.get(row.route, {})
    return {
        text
        for text, (whose, fact) in world.secrets.items()
        if fact in facts.get(views.get(whose, ""), ()) or f"{whose}'s {fact}" in facts.get(view, ())
    }
