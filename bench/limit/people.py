"""Who comes and works most, whose tickets are whose, and signing in, by hand."""

import base64
import hashlib
import json
import time
import uuid
from typing import Any

import bcrypt

from bench.limit import tokens
from bench.limit.answers import by_ticket, numbers, pagination
from bench.limit.database import row, rows
from bench.limit.writing import SIGN_IN, in_one_transaction, now


def top_customers() -> list[dict[str, Any]]:
    counted = rows(
        "SELECT id, name, ticket_count FROM customers_customer WHERE deleted_at IS NULL"
        " AND ticket_count > 0 ORDER BY ticket_count DESC, id LIMIT 3"
    )
    return [{"id": i, "name": public_name(name), "ticket_count": n} for i, name, n in counted]


def top_mechanics() -> list[dict[str, Any]]:
    counted = rows(
        "SELECT id, name, ticket_count FROM mechanics_mechanic WHERE deleted_at IS NULL"
        " AND ticket_count > 0 ORDER BY ticket_count DESC, id LIMIT 3"
    )
    return [{"id": i, "name": name.split()[0], "ticket_count": n} for i, name, n in counted]


def public_name(name: str) -> str:
    first, *others = name.split()
    return f"{first} {others[-1][0]}." if others else name


def my_tickets(customer: int, page: int, per_page: int) -> dict[str, Any]:
    counted = row("SELECT ticket_count FROM customers_customer WHERE id = %s", customer)
    assert counted
    tickets = rows(
        "SELECT id, vin, service_desc, service_date, status FROM tickets_serviceticket"
        f" WHERE customer_id = %s ORDER BY id DESC LIMIT {per_page} OFFSET {(page - 1) * per_page}",
        customer,
    )
    teams = by_ticket(
        rows(
            "SELECT a.ticket_id, m.name FROM tickets_assignment a JOIN mechanics_mechanic m"
            f" ON m.id = a.mechanic_id WHERE a.ticket_id IN ({numbers(tickets)}) ORDER BY a.id"
        )
    )
    return {
        "tickets": [
            {
                "id": number,
                "VIN": vin,
                "service_desc": desc,
                "service_date": date.isoformat(),
                "status": status,
                "mechanics": [name for _, name in teams[number]],
            }
            for number, vin, desc, date, status in tickets
        ],
        "pagination": pagination(page, per_page, counted[0]),
    }


def sign_in(email: str, password: str) -> dict[str, Any]:
    """A mechanic's sign-in. Raises Unauthorized."""
    user = row("SELECT id, password, is_active FROM accounts_user WHERE email = %s", email)
    mechanic = row(
        "SELECT m.id, m.name, m.approved AND m.deleted_at IS NULL, u.token_version"
        " FROM mechanics_mechanic m JOIN accounts_user u ON u.id = m.user_id WHERE u.email = %s",
        email,
    )
    if user is None or mechanic is None or not (user[2] and mechanic[2]):
        raise tokens.Unauthorized
    # Django's BCryptSHA256PasswordHasher: bcrypt of the SHA-256 in hexadecimal.
    kept = user[1].removeprefix("bcrypt_sha256$").encode()
    if not bcrypt.checkpw(hashlib.sha256(password.encode()).hexdigest().encode(), kept):
        raise tokens.Unauthorized
    values = {"account": user[0], "mechanic": mechanic[0], "now": now(), "email": email}
    in_one_transaction(SIGN_IN, values | {"request": uuid.uuid4().hex})
    moment = int(time.time())
    token = signed(
        {
            "token_type": "access",
            "exp": moment + tokens.LONGEST,
            "iat": moment,
            "jti": uuid.uuid4().hex,
            "sub": str(mechanic[0]),
            "role": "mechanic",
            "account": user[0],
            "version": mechanic[3],
        }
    )
    return {
        "status": "success",
        "message": "Login successful",
        "role": "mechanic",
        "token": token,
        "auth_token": token,
        "expires_in": tokens.LONGEST,
        "mechanic_id": mechanic[0],
        "name": mechanic[1],
    }


def signed(claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    ]
    return tokens.with_signature(b".".join(parts).decode())
