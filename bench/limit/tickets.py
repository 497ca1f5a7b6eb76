"""Reads of tickets, by hand."""

import time
from typing import Any

from bench.limit.answers import by_ticket, moment, numbers, pagination
from bench.limit.database import row, rows

COUNTED_FOR = 1.0  # seconds
DEEP = 1_000  # rows to step over, from which finding the numbers first is cheaper


_counted = (0, 0.0)


def total() -> int:
    """How many tickets there are, or were a second ago.

    Counting them takes longer than everything else, so no shop that is to be fast does it for each
    page. Once ours keeps the number in a row, it is read from there.
    """
    global _counted
    number, until = _counted
    if time.monotonic() > until:
        found = row("SELECT COUNT(*) FROM tickets_serviceticket")
        assert found
        number = int(found[0])
        _counted = number, time.monotonic() + COUNTED_FOR
    return number


def page_of(columns: str, page: int, per_page: int) -> tuple[tuple[Any, ...], ...]:
    start = (page - 1) * per_page
    if start < DEEP:
        return rows(
            f"SELECT {columns} FROM tickets_serviceticket t ORDER BY t.id DESC"
            f" LIMIT {per_page} OFFSET {start}"
        )
    return rows(
        f"SELECT {columns} FROM tickets_serviceticket t JOIN (SELECT id FROM tickets_serviceticket"
        f" ORDER BY id DESC LIMIT {per_page} OFFSET {start}) chosen ON chosen.id = t.id"
        " ORDER BY t.id DESC"
    )


# --- As the public sees them ---


def public_list(page: int, per_page: int) -> dict[str, Any]:
    items = total()
    tickets = page_of("t.id, t.vin, t.service_date, t.service_desc, t.status", page, per_page)
    ids = numbers(tickets)
    teams = by_ticket(
        rows(
            "SELECT a.ticket_id, m.name FROM tickets_assignment a"
            f" JOIN mechanics_mechanic m ON m.id = a.mechanic_id WHERE a.ticket_id IN ({ids})"
            " ORDER BY a.id"
        )
    )
    lines = by_ticket(
        rows(
            "SELECT l.ticket_id, l.quantity_used, p.part_name FROM tickets_partline l"
            f" JOIN inventory_part p ON p.id = l.part_id WHERE l.ticket_id IN ({ids}) ORDER BY l.id"
        )
    )
    return {
        "service_tickets": [
            {
                "id": number,
                "VIN": "*" * (len(vin) - 6) + vin[-6:],
                "service_date": date.isoformat(),
                "service_desc": desc,
                "status": status,
                "mechanics": [{"name": name.split()[0]} for _, name in teams[number]],
                "service_inventories": [
                    {"quantity_used": quantity, "inventory": {"part_name": name}}
                    for _, quantity, name in lines[number]
                ],
            }
            for number, vin, date, desc, status in tickets
        ],
        "pagination": pagination(page, per_page, items),
    }


# --- As the shop sees them ---

COLUMNS = (
    "t.id, t.vin, t.service_date, t.service_desc, t.status, t.customer_id, t.created_at,"
    " t.updated_at, t.notes, t.mileage, t.completed_at"
)


def shop_list(page: int, per_page: int) -> dict[str, Any]:
    items = total()
    tickets = page_of(COLUMNS, page, per_page)
    return {"service_tickets": in_full(tickets), "pagination": pagination(page, per_page, items)}


def shop_ticket(number: int) -> dict[str, Any] | None:
    found = rows(f"SELECT {COLUMNS} FROM tickets_serviceticket t WHERE t.id = {number}")
    return in_full(found)[0] if found else None


def in_full(tickets: tuple[tuple[Any, ...], ...]) -> list[dict[str, Any]]:
    ids = numbers(tickets)
    theirs = ",".join(str(ticket[5]) for ticket in tickets) or "0"
    customers = {
        number: {"id": number, "name": name, "email": email or None, "phone": phone or None}
        for number, name, email, phone in rows(
            f"SELECT id, name, email, phone FROM customers_customer WHERE id IN ({theirs})"
        )
    }
    teams = by_ticket(
        rows(
            "SELECT a.ticket_id, m.id, m.name, u.email, m.phone FROM tickets_assignment a"
            " JOIN mechanics_mechanic m ON m.id = a.mechanic_id"
            f" LEFT JOIN accounts_user u ON u.id = m.user_id WHERE a.ticket_id IN ({ids})"
            " ORDER BY a.id"
        )
    )
    lines = by_ticket(
        rows(
            "SELECT l.ticket_id, l.id, l.quantity_used, l.unit_price, p.id, p.part_name, p.price,"
            " p.quantity_in_stock FROM tickets_partline l JOIN inventory_part p ON p.id = l.part_id"
            f" WHERE l.ticket_id IN ({ids}) ORDER BY l.id"
        )
    )
    return [
        {
            "id": ticket[0],
            "VIN": ticket[1],
            "service_date": ticket[2].isoformat(),
            "service_desc": ticket[3],
            "status": ticket[4],
            "customer_id": ticket[5],
            "customer": customers[ticket[5]],
            "mechanics": [
                {"id": mechanic, "name": name, "email": email, "phone": phone}
                for _, mechanic, name, email, phone in teams[ticket[0]]
            ],
            "service_inventories": [
                {
                    "id": line,
                    "service_ticket_id": ticket[0],
                    "inventory_id": part,
                    "quantity_used": quantity,
                    "unit_price": unit_price,
                    "inventory": {
                        "id": part,
                        "part_name": part_name,
                        "price": price,
                        "quantity_in_stock": stock,
                    },
                }
                for _, line, quantity, unit_price, part, part_name, price, stock in lines[ticket[0]]
            ],
            "created_at": moment(ticket[6]),
            "updated_at": moment(ticket[7]),
            "notes": ticket[8],
            "mileage": ticket[9],
            "completed_at": moment(ticket[10]),
        }
        for ticket in tickets
    ]
