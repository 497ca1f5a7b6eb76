"""The writes, by hand: for each a list of statements, the same as ours makes.

When ours makes others, `make bench` shows both lists and stops: change them here.
"""

import threading
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from bench.limit.answers import moment
from bench.limit.database import connection, row

Values = dict[str, Any]

SLOTS = 16  # of a total; each thread has one


class Statement(NamedTuple):
    """`names` are what the first row's columns, or a new row's number, are called from then on."""

    sql: str
    names: tuple[str, ...] = ()


def entry(about: str, action: int, number: str, words: str, changes: str, facts: str) -> str:
    """The row of an entry of the audit trail."""
    return (
        f"({kind(about)}, {number}, {number}, {words}, NULL, {action}, '', {changes}, %(account)s,"
        f" %(request)s, '127.0.0.1', NULL, %(now)s, {facts}, NULL)"
    )


def leave(*entries: str) -> Statement:
    """What was done leaves its entries at the end, together."""
    return Statement(
        "INSERT INTO auditlog_logentry (content_type_id, object_pk, object_id, object_repr,"
        " serialized_data, action, changes_text, changes, actor_id, cid, remote_addr, remote_port,"
        f" timestamp, additional_data, actor_email) VALUES {', '.join(entries)}"
    )


def kind(about: str) -> str:
    """The number of a content type, which ours keeps in the process: here looked up once, too."""
    return f"%({about})s"


CREATE, UPDATE, ACCESS = 0, 1, 3
FACTS = 'CONCAT(\'{"role": "mechanic", "profile_id": \', %(mechanic)s, \'}\')'
WHY = (
    'CONCAT(\'{"why": "used for ticket-\', %(ticket)s, '
    '\'", "role": "mechanic", "profile_id": \', %(mechanic)s, \'}\')'
)

OPEN_TICKET = (
    Statement(
        "UPDATE customers_customer SET version = version + 1, ticket_count = ticket_count + 1"
        " WHERE deleted_at IS NULL AND id = %(customer)s"
    ),
    Statement("SELECT id FROM customers_customer WHERE id = %(customer)s", ("customer",)),
    Statement("SELECT id FROM customers_vehicle WHERE vin = %(vin)s", ("vehicle",)),
    Statement("UPDATE customers_vehicle SET version = version + 1 WHERE id = %(vehicle)s"),
    Statement("SELECT id FROM customers_vehicle WHERE id = %(vehicle)s", ("vehicle",)),
    Statement(
        "INSERT INTO tickets_serviceticket (version, created_at, updated_at, customer_id,"
        " vehicle_id, vin, service_desc, notes, service_date, mileage, status, completed_at)"
        " VALUES (0, %(now)s, %(now)s, %(customer)s, %(vehicle)s, %(vin)s, %(desc)s, '', %(date)s,"
        " NULL, 'pending', NULL)",
        ("ticket",),
    ),
    leave(
        entry(
            *("ticket kind", CREATE, "%(ticket)s", "CONCAT('Service ticket ', %(ticket)s)"),
            "JSON_OBJECT('customer', JSON_ARRAY(NULL, %(customer)s), 'vehicle',"
            " JSON_ARRAY(NULL, %(vehicle)s), 'vin', JSON_ARRAY(NULL, %(vin)s), 'service_desc',"
            " JSON_ARRAY(NULL, %(desc)s), 'notes', JSON_ARRAY(NULL, ''), 'service_date',"
            " JSON_ARRAY(NULL, %(date)s), 'status', JSON_ARRAY(NULL, 'pending'))",
            FACTS,
        )
    ),
    Statement(
        "INSERT INTO tickets_statuschange (ticket_id, from_status, to_status, reason, actor_id,"
        " role, created_at) VALUES (%(ticket)s, '', 'pending', '', %(account)s, 'mechanic', %(now)s)"
    ),
    Statement(
        "UPDATE autoful_tally SET total = total + 1"
        " WHERE name = 'service_tickets' AND slot = %(slot)s"
    ),
    Statement(
        "SELECT t.created_at, t.updated_at, c.name, c.email, c.phone FROM tickets_serviceticket t"
        " JOIN customers_customer c ON c.id = t.customer_id WHERE t.id = %(ticket)s",
        ("created", "updated", "name", "email", "phone"),
    ),
    Statement("SELECT mechanic_id FROM tickets_assignment WHERE ticket_id = %(ticket)s"),
    Statement("SELECT id FROM tickets_partline WHERE ticket_id = %(ticket)s"),
)

LOOK_AT_TICKET = Statement(
    "SELECT id FROM tickets_serviceticket WHERE id = %(ticket)s", ("ticket",)
)
LOCK_TICKET = (
    Statement("UPDATE tickets_serviceticket SET version = version + 1 WHERE id = %(ticket)s"),
    Statement("SELECT status FROM tickets_serviceticket WHERE id = %(ticket)s", ("status",)),
    Statement(
        "SELECT id, quantity_used, quantity_used + %(quantity)s FROM tickets_partline"
        " WHERE ticket_id = %(ticket)s AND part_id = %(part)s",
        ("line", "used before", "used"),
    ),
)
TAKE_PART = (
    Statement(
        "UPDATE inventory_part SET quantity_in_stock = quantity_in_stock - %(quantity)s,"
        " version = version + 1 WHERE id = %(part)s AND quantity_in_stock >= %(quantity)s"
    ),
    Statement(
        "SELECT part_name, price, cost, quantity_in_stock, quantity_in_stock + %(quantity)s"
        " FROM inventory_part WHERE id = %(part)s",
        ("part_name", "price", "cost", "stock", "stock before"),
    ),
)
MOVEMENT = Statement(
    "INSERT INTO inventory_stockmovement (part_id, `change`, balance, reason, reference,"
    " actor_id, role, note, created_at) VALUES (%(part)s, -%(quantity)s, %(stock)s, 'used',"
    " CONCAT('ticket-', %(ticket)s), %(account)s, 'mechanic', '', %(now)s)"
)
OF_PART = entry(
    *("part kind", UPDATE, "%(part)s", "%(part_name)s"),
    "JSON_OBJECT('quantity_in_stock', JSON_ARRAY(%(stock before)s, %(stock)s))",
    WHY,
)
NEW_LINE = (
    *TAKE_PART,
    Statement(
        "INSERT INTO tickets_partline (ticket_id, part_id, quantity_used, unit_price, unit_cost,"
        " created_at) VALUES (%(ticket)s, %(part)s, %(quantity)s, %(price)s, %(cost)s, %(now)s)",
        ("line",),
    ),
    MOVEMENT,
    leave(
        OF_PART,
        entry(
            *("line kind", CREATE, "%(line)s"),
            "CONCAT(%(quantity)s, 'x part ', %(part)s, ' on ticket ', %(ticket)s)",
            "JSON_OBJECT('ticket', JSON_ARRAY(NULL, %(ticket)s), 'part', JSON_ARRAY(NULL, %(part)s),"
            " 'quantity_used', JSON_ARRAY(NULL, %(quantity)s), 'unit_price',"
            " JSON_ARRAY(NULL, CAST(CAST(%(price)s AS DECIMAL(10, 2)) AS CHAR)), 'unit_cost',"
            " JSON_ARRAY(NULL, CAST(CAST(%(cost)s AS DECIMAL(10, 2)) AS CHAR)))",
            FACTS,
        ),
    ),
)
MORE_ON_LINE = (
    Statement("UPDATE tickets_partline SET quantity_used = %(used)s WHERE id = %(line)s"),
    *TAKE_PART,
    leave(
        entry(
            *("line kind", UPDATE, "%(line)s"),
            "CONCAT(%(used)s, 'x part ', %(part)s, ' on ticket ', %(ticket)s)",
            "JSON_OBJECT('quantity_used', JSON_ARRAY(%(used before)s, %(used)s))",
            FACTS,
        ),
        OF_PART,
    ),
    MOVEMENT,
)

SIGN_IN = (
    Statement("UPDATE accounts_user SET version = version WHERE id = %(account)s"),
    Statement("SELECT email FROM accounts_user WHERE id = %(account)s", ("email",)),
    leave(
        entry(
            *("account kind", ACCESS, "%(account)s", "%(email)s", "'{}'"),
            'CONCAT(\'{"event": "signed in", "role": "mechanic", "profile_id": \','
            " %(mechanic)s, '}')",
        )
    ),
)


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@cache
def kinds() -> dict[str, int]:
    names = {
        "ticket kind": ("tickets", "serviceticket"),
        "line kind": ("tickets", "partline"),
        "part kind": ("inventory", "part"),
        "account kind": ("accounts", "user"),
    }
    asked = "SELECT id FROM django_content_type WHERE app_label = %s AND model = %s"
    return {name: found[0] for name, of in names.items() if (found := row(asked, *of))}


def run(statements: tuple[Statement, ...], values: Values) -> None:
    """Run them in order; `values` learns what they bring."""
    cursor = connection().cursor()
    for statement, names in statements:
        cursor.execute(statement, values)
        if cursor.description:
            found = cursor.fetchone()
            values.update(zip(names, found or (), strict=False))
        elif names:
            values[names[0]] = cursor.lastrowid


def in_one_transaction(
    statements: tuple[Statement, ...], values: Values, *, and_then: Any = None
) -> None:
    """Run them, and what `and_then(values)` adds, all or none."""
    values.update(kinds())
    connection().query("BEGIN")
    try:
        run(statements, values)
        if and_then:
            run(and_then(values), values)
        connection().commit()
    except BaseException:
        connection().rollback()
        raise


def by(mechanic: tuple[int, int]) -> Values:
    return {
        "mechanic": mechanic[0],
        "account": mechanic[1],
        "now": now(),
        "request": uuid.uuid4().hex,
        "slot": threading.get_native_id() % SLOTS,
    }


def open_ticket(mechanic: tuple[int, int], body: dict[str, Any]) -> dict[str, Any]:
    values = by(mechanic) | {
        "customer": int(body["customer_id"]),
        "vin": str(body["VIN"]).strip().upper(),
        "desc": str(body["service_desc"]),
        "date": datetime.strptime(body["service_date"], "%Y-%m-%d").date().isoformat(),
    }
    in_one_transaction(OPEN_TICKET, values)
    return {
        "id": values["ticket"],
        "VIN": values["vin"],
        "service_date": values["date"],
        "service_desc": values["desc"],
        "status": "pending",
        "customer_id": values["customer"],
        "customer": {
            "id": values["customer"],
            "name": values["name"],
            "email": values["email"] or None,
            "phone": values["phone"] or None,
        },
        "mechanics": [],
        "service_inventories": [],
        "created_at": moment(values["created"]),
        "updated_at": moment(values["updated"]),
        "notes": "",
        "mileage": None,
        "completed_at": None,
    }


def add_part(
    mechanic: tuple[int, int], ticket: int, body: dict[str, Any]
) -> tuple[bool, dict[str, Any]]:
    """Whether the line is new, and the answer."""
    quantity = int(body["quantity_used"])
    values = by(mechanic) | {
        "ticket": ticket,
        "part": int(body["inventory_id"]),
        "quantity": quantity,
        "line": None,
    }
    new = False

    def rest(values: Values) -> tuple[Statement, ...]:
        nonlocal new
        if values["status"] not in ("pending", "in_progress", "on_hold"):
            raise ValueError("closed")
        new = values["line"] is None
        return NEW_LINE if new else MORE_ON_LINE

    run((LOOK_AT_TICKET,), values)
    in_one_transaction(LOCK_TICKET, values, and_then=rest)
    return new, {
        "message": f"Added {quantity}x {values['part_name']} to service ticket",
        "part": values["part_name"],
        "quantity_used": quantity if new else values["used"],
        "stock_remaining": values["stock"],
        "service_inventory_id": values["line"],
    }
