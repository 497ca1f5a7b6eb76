"""The shop that the contract is tested on, as its clients see it: by its URL alone."""

import itertools
from dataclasses import dataclass
from typing import Any

from autoful.testing.http import Answer, Caller
from autoful.testing.shops import Shop

PASSWORD = "correct horse battery"
PHONES = {"customers": "+1 555 010 2030", "mechanics": "+1 555 010 4050"}
_numbers = itertools.count(1)

# The back office's people are nobody's customers, so no route of the API makes them.
STAFF = """
from django.contrib.auth.models import Permission
from autoful.accounts.models import User
User.objects.create_superuser("boss@example.com", {password!r})
User.objects.create_user("clerk@example.com", {password!r}, is_staff=True)
keeper = User.objects.create_user("keeper@example.com", {password!r}, is_staff=True)
wanted = ["view_part", "add_part"]
keeper.user_permissions.set(Permission.objects.filter(codename__in=wanted))
answer = None
"""


def fresh(word: str) -> str:
    """`word` with a number that nobody has had."""
    return f"{word}{next(_numbers)}"


class Person(Caller):
    """A customer or mechanic with a token in hand."""

    def __init__(self, url: str, *, number: int, name: str, email: str, token: str) -> None:
        super().__init__(url, token=token)
        self.id, self.name, self.email = number, name, email


@dataclass
class World:
    """One running server and everybody who calls it."""

    shop: Shop
    url: str

    def anyone(self, source: str = "") -> Caller:
        return Caller(self.url, source=source)

    def at(self, url: str, caller: Caller) -> Caller:
        """The same person at another server of the shop."""
        other = Caller(url, token=caller.token)
        other.headers, other.session = caller.headers, caller.session
        return other

    # --- People ---

    def registers(self, where: str, name: str, email: str = "") -> Person:
        """A customer or mechanic as they come in: registers, and signs in."""
        email = email or f"{fresh('newcomer')}@example.com"
        body = {"name": name, "email": email, "phone": PHONES[where], "password": PASSWORD}
        body |= {"salary": 61500.5} if where == "mechanics" else {}
        made = self.anyone().post(f"/{where}/", body)
        assert made.status == 201, made.text
        return self.signed_in(where, email)

    def customer(self, name: str = "Casual Customer") -> Person:
        """One who is there already, by the back door: a password takes a fifth of a second.

        The embedded server's cached list of customers does not know them for a minute.
        """
        return self._there("customers", "Customer", name, {})

    def mechanic(self, name: str = "Casual Mechanic") -> Person:
        return self._there("mechanics", "Mechanic", name, {"salary": "61500.50", "approved": True})

    def _there(self, where: str, model: str, name: str, more: dict[str, Any]) -> Person:
        email = f"{fresh(model.lower())}@example.com"
        fields = {"name": name, "phone": PHONES[where]} | more
        fields |= {"email": email} if where == "customers" else {}
        number, token = self.ask(
            "from django.contrib.auth.hashers import make_password\n"
            "from autoful.accounts.models import User\n"
            "from autoful.accounts.tokens import issue\n"
            f"from {where}.models import {model}\n"
            f"kept = globals().setdefault('kept', make_password({PASSWORD!r}))\n"
            f"user = User.objects.create(email={email!r}, password=kept)\n"
            f"made = {model}.objects.create(user=user, **{fields!r})\n"
            f"answer = [made.pk, str(issue({model.lower()!r}, made, user))]"
        )
        return Person(self.url, number=number, name=name, email=email, token=token)

    def login(self, where: str, email: str, password: str = PASSWORD) -> Answer:
        return self.anyone().post(f"/{where}/login", {"email": email, "password": password})

    def signed_in(self, where: str, email: str, password: str = PASSWORD) -> Person:
        answer = self.login(where, email, password)
        assert answer.status == 200, answer.text
        number = answer.body["customer_id" if where == "customers" else "mechanic_id"]
        name, token = answer.body["name"], answer.body["token"]
        return Person(self.url, number=number, name=name, email=email, token=token)

    def staff(self, email: str) -> Caller:
        caller = Caller(self.url)
        caller.sign_in_to_admin(email, PASSWORD)
        return caller

    # --- Things ---

    def part(self, by: Caller, **fields: Any) -> dict[str, Any]:
        body = {"part_name": fresh("Brake Pad Set "), "price": 45.99, "quantity_in_stock": 50}
        made = by.post("/inventory/", body | fields)
        assert made.status == 201, made.text
        return dict(made.body)

    def ticket(self, by: Caller, customer: int, **fields: Any) -> dict[str, Any]:
        body = {
            "customer_id": customer,
            "VIN": "1HGCM82633A004352",
            "service_desc": "Front brakes grind",
            "service_date": "2025-03-14",
        }
        made = by.post("/service_tickets/", body | fields)
        assert made.status == 201, made.text
        return dict(made.body)

    def line(self, by: Caller, ticket: int, part: int, quantity: int = 2) -> int:
        body = {"inventory_id": part, "quantity_used": quantity}
        added = by.post(f"/service_tickets/{ticket}/add-inventory", body)
        assert added.status in (200, 201), added.text
        return int(added.body["service_inventory_id"])

    def move(self, by: Caller, ticket: int, *statuses: str) -> None:
        for status in statuses:
            moved = by.patch(f"/service_tickets/{ticket}", {"status": status})
            assert moved.status == 200, moved.text

    # --- What no route shows ---

    def ask(self, code: str) -> Any:
        """Run Python in the shop; `code` sets `answer` to something JSON can say."""
        return self.shop.ask(code)

    def ledger(self, part: int) -> list[list[Any]]:
        """The part's movements in order: change, balance after, reason."""
        rows = f"StockMovement.objects.filter(part={part}).order_by('id')"
        columns = "'change', 'balance', 'reason'"
        return list(
            self.ask(
                "from inventory.models import StockMovement\n"
                f"answer = [list(row) for row in {rows}.values_list({columns})]"
            )
        )
