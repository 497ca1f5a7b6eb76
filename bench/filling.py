"""A shop of any size, written by the database server itself.

    fill(connection, tickets=100_000)

A tenth as many customers, each with an account and a car, 50 mechanics, 5,000 parts, and for every
ticket two mechanics, three part lines, its moves and its rows in the ledger: what the application
would have written over ten years. Of the audit trail there is less: two entries for each ticket, one
for each customer and part, and HOT more for the part in the middle. On MariaDB and MySQL alike.
"""

import datetime
from collections.abc import Callable
from typing import Any

from auditlog.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from autoful.accounts.models import User
from autoful.tally import SLOTS
from bench import words
from bench.rows import LARGEST
from bench.trail import Trail
from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from mechanics.models import Mechanic
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange

PASSWORD = "a-password-of-the-bench"  # everybody's: one hash is a quarter of a second
YEARS = 10
LINES = 3  # a ticket
CHUNK = LARGEST // LINES  # tickets a step
STRIDE = 7_919  # a prime: multiples of it visit all customers, and all parts, out of order

Progress = Callable[[int, int, str], None]

# In the turn-th round through all parts, a line takes this many of the part at `place`.
QUANTITY = "(1 + MOD(turn + place, 3))"


def used(turns: str, place: str) -> str:
    """How many of the part at `place` so many rounds take; three take six, so no sum is needed."""
    rest = f"1 + MOD({place}, 3)"
    return (
        f"(({turns}) DIV 3 * 6 + CASE MOD({turns}, 3) WHEN 0 THEN 0 WHEN 1 THEN {rest}"
        f" ELSE {rest} + 1 + MOD({place} + 1, 3) END)"
    )


def customer_count(tickets: int) -> int:
    return max(tickets // 10, 10)


def fill(
    connection: BaseDatabaseWrapper,
    *,
    tickets: int,
    mechanics: int = 50,
    parts: int = 5_000,
    progress: Progress | None = None,
) -> None:
    """Write a shop into a migrated database with nobody in it; rows are numbered from 1.

    User n is mechanic n, and after the mechanics come the customers. What is not named here has
    its field's default. Commits: afterwards the server has counted the tables for its plans.
    Raises ValueError when somebody is there already.
    """
    if Customer.objects.using(connection.alias).exists() or parts < LINES or mechanics < 2:
        raise ValueError("A database with no customer is filled, with 3 parts and 2 mechanics.")
    with connection.cursor() as cursor:
        filling = _Filling(cursor, tickets, mechanics, parts)
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        try:
            filling.numbers()
            filling.people()
            filling.parts()
            for first in range(0, tickets, CHUNK):
                filling.work(first, min(CHUNK, tickets - first))
                if progress:
                    progress(min(first + CHUNK, tickets), tickets, "tickets")
            filling.settle()
        finally:
            cursor.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1")
            cursor.execute("DROP TEMPORARY TABLE IF EXISTS bench_number")


class _Filling(Trail):
    def __init__(self, cursor: Any, tickets: int, mechanics: int, parts: int) -> None:
        super().__init__(cursor)
        self.tickets, self.mechanics, self.part_count = tickets, mechanics, parts
        self.customers = customer_count(tickets)
        self.password = make_password(PASSWORD)
        self.ends = timezone.now().replace(microsecond=0)
        self.begins = self.ends - datetime.timedelta(days=365 * YEARS)
        # Coprime to the number of parts, or some would never be used.
        self.stride = STRIDE if parts % STRIDE else 1

    # --- Who is there, and what ---

    def people(self) -> None:
        account = {
            "id": "n",
            "password": f"'{self.password}'",
            "email": f"IF(n <= {self.mechanics}, CONCAT('mechanic', n, '@example.com'),"
            f" CONCAT('customer', n - {self.mechanics}, '@example.com'))",
            "date_joined": self.moment("0"),
        }
        self.each(User, self.mechanics + self.customers, account)
        row = {"id": "n", "created_at": self.moment("0"), "updated_at": self.moment("0")}
        person = {
            "name": words.person("n"),
            "phone": "CONCAT('+1 555 ', LPAD(MOD(n * 7919, 10000000), 7, '0'))",
        }
        worker = {"user_id": "n", "salary": "40000 + MOD(n * 1237, 30000)", "approved": "1"}
        self.each(Mechanic, self.mechanics, row | person | worker)
        caller = {
            "user_id": f"n + {self.mechanics}",
            "email": "CONCAT('customer', n, '@example.com')",
        }
        self.each(Customer, self.customers, row | person | caller)
        self.each(Vehicle, self.customers, row | words.vehicle("n") | {"customer_id": "n"})
        self.trail_of_customers(self.customers, self.moment("0"))

    def parts(self) -> None:
        places = pow(self.stride, -1, self.part_count)
        place = f"MOD((n - 1) * {places}, {self.part_count})"
        row = {"id": "n", "created_at": self.moment("0"), "updated_at": self.moment("0")}
        stock = {"quantity_in_stock": self.left("n")}
        self.each(Part, self.part_count, row | words.part("n") | stock)
        opened = f"{self.left('n')} + {self.all_used(place)}"
        opening = {
            "id": "n",
            "part_id": "n",
            "change": opened,
            "balance": opened,
            "reason": f"'{StockMovement.Reason.OPENING}'",
            "actor_id": "1",
            "role": "'mechanic'",
            "created_at": self.moment("0"),
        }
        self.each(StockMovement, self.part_count, opening)
        self.trail_of_parts(self.part_count, self.moment("0"))

    def left(self, part: str) -> str:
        """What of a part is in stock in the end."""
        return f"(2 + MOD({part} * 37, 400))"

    def all_used(self, place: str) -> str:
        """What all tickets together use of the part at `place`; the last round may not reach it."""
        rounds, reached = divmod(self.tickets * LINES, self.part_count)
        return used(f"({rounds} + ({place} < {reached}))", place)

    # --- What was done ---

    def work(self, first: int, count: int) -> None:
        """Tickets `first` + 1 to `first` + `count`, and all that belongs to them."""
        tickets = (
            f"SELECT n, created, status, customer, leader, 1 + MOD(leader + MOD(n, {self.mechanics - 1}),"
            f" {self.mechanics}) AS second FROM ({self.ticket_rows(first, count)}) AS ticket"
        )
        later = "INTERVAL {} HOUR"
        self.insert(
            ServiceTicket,
            {
                "id": "n",
                "created_at": "created",
                "updated_at": f"IF(status = 'pending', created, created + {later.format(30)})",
                "vin": words.vin("customer"),
                "service_desc": words.job("n"),
                "service_date": "DATE(created + INTERVAL MOD(n, 5) DAY)",
                "mileage": "20000 + MOD(n * 104729, 160000)",
                "status": "status",
                "completed_at": f"IF(status = 'completed', created + {later.format(30)}, NULL)",
                "customer_id": "customer",
                "vehicle_id": "customer",
            },
            tickets,
        )
        for place, who in enumerate(("leader", "second"), 1):
            assignment = {
                "id": f"2 * (n - 1) + {place}",
                "assigned_at": "created",
                "assigned_by_id": "leader",
                "mechanic_id": who,
                "ticket_id": "n",
            }
            self.insert(Assignment, assignment, tickets)
        moves = [
            ("''", "'pending'", 0, ""),
            ("'pending'", "'in_progress'", 1, "status <> 'pending'"),
            ("'in_progress'", "status", 30, "status IN ('completed', 'on_hold')"),
        ]
        for place, (before, after, hours, when) in enumerate(moves, 1):
            move = {
                "id": f"3 * (n - 1) + {place}",
                "from_status": before,
                "to_status": after,
                "role": "'mechanic'",
                "created_at": f"created + {later.format(hours)}",
                "actor_id": "leader",
                "ticket_id": "n",
            }
            where = f" WHERE {when}" if when else ""
            self.insert(StatusChange, move, f"SELECT * FROM ({tickets}) AS moved{where}")
        self.trail_of_tickets(tickets)
        self.lines(first, count)

    def ticket_rows(self, first: int, count: int) -> str:
        # Nine in a hundred of the newest are still worked on. Every twentieth ticket is a fleet's,
        # and the first customers are five fleets of different size.
        recent = self.tickets - max(self.tickets // 50, 50)
        return (
            f"SELECT n, {self.moment('n')} AS created,"
            f" IF(n > {recent}, ELT(1 + MOD(n, 4), 'completed', 'pending', 'in_progress', 'on_hold'),"
            " 'completed') AS status,"
            " IF(MOD(n, 20) = 0, 1 + FLOOR(SQRT(MOD(n DIV 20, 25))),"
            f" 1 + MOD(n * {STRIDE}, {self.customers})) AS customer,"
            f" 1 + MOD(n * 13 + n DIV {self.mechanics}, {self.mechanics}) AS leader"
            f" FROM (SELECT CAST({first + 1} + i AS SIGNED) AS n FROM bench_number"
            f" WHERE i < {count}) AS numbered"
        )

    def lines(self, first: int, count: int) -> None:
        lines = (
            f"SELECT k, turn, place, 1 + k DIV {LINES} AS ticket, {QUANTITY} AS quantity,"
            f" 1 + MOD(place * {self.stride}, {self.part_count}) AS part,"
            f" {self.moment(f'(1 + k DIV {LINES})')} + INTERVAL 2 HOUR AS moment,"
            f" {self.part_count} + 1 + k AS movement"
            f" FROM (SELECT k, k DIV {self.part_count} AS turn, MOD(k, {self.part_count}) AS place"
            f" FROM (SELECT CAST({first * LINES} + i AS SIGNED) AS k FROM bench_number"
            f" WHERE i < {count * LINES}) AS numbered) AS line"
        )
        line = {
            "id": "k + 1",
            "quantity_used": "quantity",
            "unit_price": words.price("part"),
            "unit_cost": words.cost("part"),
            "created_at": "moment",
            "part_id": "part",
            "ticket_id": "ticket",
        }
        self.insert(PartLine, line, lines)
        movement = {
            "id": "movement",
            "part_id": "part",
            "change": "-quantity",
            "balance": f"{self.left('part')} + {self.all_used('place')}"
            f" - {used('(turn + 1)', 'place')}",
            "reason": f"'{StockMovement.Reason.USED}'",
            "reference": "CONCAT('ticket-', ticket)",
            "actor_id": f"1 + MOD(ticket, {self.mechanics})",
            "role": "'mechanic'",
            "created_at": "moment",
        }
        self.insert(StockMovement, movement, lines)

    def moment(self, number: str) -> str:
        """When ticket `number` came in: evenly over the years."""
        seconds = int((self.ends - self.begins).total_seconds()) - 2 * 86_400
        begins = f"{self.begins:%Y-%m-%d %H:%M:%S}"
        return (
            f"(TIMESTAMP('{begins}') + INTERVAL ({number} * {seconds} DIV {self.tickets}) SECOND)"
        )

    def settle(self) -> None:
        """After all rows: what one table keeps about another, then the server's own counts."""
        models_filled: list[type[models.Model]] = [User, Customer, Vehicle, Mechanic, Part]
        models_filled += [
            StockMovement,
            ServiceTicket,
            Assignment,
            PartLine,
            StatusChange,
            LogEntry,
        ]
        for model in models_filled:
            self.cursor.execute(f"ANALYZE TABLE `{model._meta.db_table}`")
            self.cursor.fetchall()
        for table, by, rows in (
            ("customers_customer", "customer_id", "tickets_serviceticket"),
            ("mechanics_mechanic", "mechanic_id", "tickets_assignment"),
        ):
            self.cursor.execute(
                f"UPDATE {table} kept JOIN (SELECT {by} AS whose, COUNT(*) AS counted FROM {rows}"
                f" GROUP BY {by}) theirs ON theirs.whose = kept.id SET ticket_count = counted"
            )
        self.cursor.execute("DELETE FROM autoful_tally")
        for name, table in (
            ("customers", "customers_customer"),
            ("mechanics", "mechanics_mechanic"),
            ("inventory", "inventory_part"),
            ("service_tickets", "tickets_serviceticket"),
        ):
            self.cursor.execute(f"SELECT COUNT(*) FROM {table}")
            totals = [self.cursor.fetchone()[0]] + [0] * (SLOTS - 1)
            self.cursor.executemany(
                "INSERT INTO autoful_tally (name, slot, total) VALUES (%s, %s, %s)",
                [(name, slot, total) for slot, total in enumerate(totals)],
            )
