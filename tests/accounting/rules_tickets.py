"""What happens to tickets, their teams and their parts."""

import random
from functools import partial
from typing import Any

from customers.tests.factories import valid_vin
from tests.accounting.doors import page
from tests.accounting.shop import Shop, happens
from tests.accounting.work import TRANSITIONS
from tickets import assignment, lifecycle
from tickets import parts as ticket_parts


class Tickets(Shop):
    def ticket_fields(self, luck: random.Random) -> dict[str, Any]:
        return self.any_of(
            luck,
            vin=lambda: valid_vin(luck.randrange(12)),
            service_desc=lambda: self.word(luck),
            service_date=lambda: luck.choice(("2025-06-01", "2025-06-02")),
            notes=lambda: luck.choice(("", "None", "Loud")),
            mileage=lambda: luck.choice((None, 0, 9_000, 15_000, 30_000)),
        )

    def as_json_of_ticket(self, fields: dict[str, Any]) -> dict[str, Any]:
        fields = dict(fields)
        if "vin" in fields:
            fields["VIN"] = fields.pop("vin").lower()
        return fields

    @happens
    def open_ticket(self, luck: random.Random) -> None:
        customer = self.some(luck, "customer")
        if customer is None:
            return
        fields = {
            "vin": valid_vin(luck.randrange(12)),
            "service_desc": self.word(luck),
            "service_date": "2025-06-01",
            "mileage": None,
        } | self.ticket_fields(luck)
        if luck.randrange(3):
            body = self.as_json_of_ticket(fields) | {"customer_id": customer}
            self.ask(
                luck,
                self.caller(luck, "mechanic"),
                ("POST", luck.choice(("/service_tickets", "/service-tickets/")), body),
                lambda: self.model.open_ticket(customer=customer, **fields),
            )
            return
        typed = {name: "" if value is None else value for name, value in fields.items()}
        rows, then = self.inline_rows(luck, None)
        sure = self.says_so(luck, rows, fields["vin"], "this")

        def opened() -> None:
            self.model.demand(sure or not self.model.is_of_another(fields["vin"], customer))
            then(self.model.open_ticket(customer=customer, **fields))

        self.type_in(luck, "serviceticket", None, typed | rows | {"customer": customer}, opened)

    def says_so(self, luck: random.Random, typed: dict[str, Any], vin: str, how: str) -> bool:
        """Whether what is asked of the VIN is answered; or not, or of another."""
        sure = bool(luck.randrange(3))
        wrong = luck.choice(("", "on", vin.upper(), f"{how} {valid_vin(99)}"))
        typed |= {"sure_of_vin": f"{how} {vin.upper()}" if sure else wrong}
        return sure

    def inline_rows(self, luck: random.Random, ticket: int | None) -> tuple[dict[str, Any], Any]:
        """Rows of team and parts typed into a ticket's page, and what they should come to."""
        typed: dict[str, Any] = {}
        where = {"ticket": ticket}
        there = {
            kind: sorted(self.model.where(kind, **where)) for kind in ("assignment", "partline")
        }
        mechanic, part = self.some(luck, "mechanic"), self.some(luck, "part")
        quantity = luck.choice((1, 2, 30))
        joins = mechanic is not None and luck.randrange(2)
        uses = part is not None and luck.randrange(2)
        leaves = bool(there["assignment"]) and luck.randrange(2)
        returns = bool(there["partline"]) and luck.randrange(2)
        corrects = bool(there["partline"]) and not returns and luck.randrange(2)
        if joins:
            typed |= new_row("assignments", len(there["assignment"]), mechanic=mechanic)
        if uses:
            new = {"part": part, "quantity_used": quantity}
            typed |= new_row("part_lines", len(there["partline"]), **new)
        typed |= {"assignments-0-DELETE": "on"} if leaves else {}
        typed |= {"part_lines-0-DELETE": "on"} if returns else {}
        typed |= {"part_lines-0-quantity_used": quantity} if corrects else {}

        def then(ticket: int) -> None:
            if joins and mechanic in self.model.team(ticket):
                self.model.demand(False)  # the page says that this mechanic is there twice
            if joins or leaves:
                rows = self.model.rows["assignment"]
                gone = {rows[pk]["mechanic"] for pk in there["assignment"][:1] if leaves}
                add = {mechanic} if joins else set()
                self.model.change_team(ticket, add, gone)
            steps = []
            if returns:
                line = there["partline"][0]
                returned = self.model.rows["partline"][line]["part"]
                steps.append((returned, lambda: self.model.remove_line(ticket, line)))
            if corrects:
                line = there["partline"][0]
                to = partial(self.model.change_quantity, ticket, line, quantity)
                steps.append((self.model.rows["partline"][line]["part"], to))
            if uses:
                steps.append((part, lambda: self.model.add_part(ticket, part, quantity)))
            for _, step in sorted(steps, key=lambda step: step[0]):
                step()

        return typed, then

    @happens
    def edit_ticket(self, luck: random.Random) -> None:
        ticket = self.some(luck, "serviceticket")
        if ticket is None:
            return
        fields = self.ticket_fields(luck)
        fields |= self.any_of(luck, status=lambda: luck.choice(list(TRANSITIONS)))
        fields |= self.any_of(luck, reason=lambda: self.word(luck)) if "status" in fields else {}
        self.ask(
            luck,
            self.caller(luck, "mechanic"),
            ("PATCH", f"/service_tickets/{ticket}", self.as_json_of_ticket(fields)),
            lambda: self.model.edit_ticket(ticket, **fields),
        )

    @happens
    def edit_ticket_at_desk(self, luck: random.Random) -> None:
        ticket = self.some(luck, "serviceticket")
        if ticket is None:
            return
        fields = self.ticket_fields(luck)
        row = self.model.rows["serviceticket"][ticket]
        changed = {name: value for name, value in fields.items() if value != row[name]}
        typed = {name: "" if value is None else value for name, value in fields.items()}
        frozen = row["status"] in ("completed", "cancelled")
        rows, then = ({}, None) if frozen else self.inline_rows(luck, ticket)
        is_new = "vin" in changed and not self.model.where("vehicle", vin=changed["vin"].upper())
        how = "new" if is_new else "this"
        sure = self.says_so(luck, rows, fields.get("vin", ""), how)
        corrected = is_new and bool(luck.randrange(2))
        if corrected:
            rows["sure_of_vin"] = f"same {changed['vin'].upper()}"

        def edited() -> None:
            asked = "vin" in changed and self.model.is_of_another(changed["vin"], row["customer"])
            self.model.demand(corrected or sure or not (asked or is_new))
            if corrected:
                self.model.change_vehicle(row["vehicle"], vin=changed["vin"])
            self.model.edit_ticket(ticket, **changed)
            if then is not None:
                then(ticket)

        self.type_in(luck, "serviceticket", ticket, typed | rows, edited)

    @happens
    def move_ticket(self, luck: random.Random) -> None:
        ticket = self.some(luck, "serviceticket")
        if ticket is None:
            return
        to = luck.choice(("in_progress", "on_hold", "completed", "cancelled"))
        reason = luck.choice(("", "Still squeaks"))
        move = lambda: self.model.transition(ticket, to, reason)  # noqa: E731
        if luck.randrange(2):
            arguments = {"ticket": self.row("serviceticket", ticket), "to": to, "reason": reason}
            self.command(luck, lifecycle.transition, arguments, move)
            return
        url = page("serviceticket", "move", ticket, to)
        self.at_desk(luck, lambda: self.doors.post(self.boss, url, {"reason": reason}), move)

    @happens
    def assign_or_release(self, luck: random.Random) -> None:
        ticket, mechanic = self.some(luck, "serviceticket"), self.some(luck, "mechanic")
        if ticket is None or mechanic is None:
            return
        verb = luck.choice(("assign", "assign", "release"))
        should = getattr(self.model, verb)
        done = lambda: should(ticket, mechanic)  # noqa: E731
        if luck.randrange(4) == 0:
            row = {"ticket": self.row("serviceticket", ticket), "mechanic_id": mechanic}
            self.command(luck, getattr(assignment, verb), row, done)
            return
        path = {"assign": "assign-mechanic", "release": "remove-mechanic"}[verb]
        request = ("PUT", f"/service_tickets/{ticket}/{path}/{mechanic}", None)
        self.ask(luck, self.caller(luck, "mechanic"), request, done)

    @happens
    def edit_team(self, luck: random.Random) -> None:
        ticket = self.some(luck, "serviceticket")
        if ticket is None:
            return
        mechanics = list(self.model.rows["mechanic"])
        one = {pk for pk in mechanics if luck.randrange(2)}
        other = {pk for pk in mechanics if luck.randrange(2)} - one
        if luck.randrange(2):
            body = {"mechanic_ids": sorted(one)}
            change = lambda: self.model.set_team(ticket, one)  # noqa: E731
        else:
            body = {"add_ids": sorted(one), "remove_ids": sorted(other)}
            change = lambda: self.model.change_team(ticket, one, other)  # noqa: E731
        request = ("PUT", f"/service_tickets/{ticket}/edit-mechanics", body)
        self.ask(luck, self.caller(luck, "mechanic"), request, change)

    @happens
    def add_part(self, luck: random.Random) -> None:
        ticket, part = self.some(luck, "serviceticket"), self.some(luck, "part")
        if ticket is None or part is None:
            return
        quantity = luck.choice((1, 1, 2, 30))
        add = lambda: self.model.add_part(ticket, part, quantity)  # noqa: E731
        if luck.randrange(4) == 0:
            row = self.row("serviceticket", ticket)
            arguments = {"ticket": row, "part_id": part, "quantity": quantity}
            self.command(luck, ticket_parts.add_part, arguments, add)
            return
        body = {"inventory_id": part, "quantity_used": quantity}
        request = ("POST", f"/service_tickets/{ticket}/add-inventory", body)
        self.ask(luck, self.caller(luck, "mechanic"), request, add)

    @happens
    def remove_line(self, luck: random.Random) -> None:
        line, ticket = self.some(luck, "partline"), self.some(luck, "serviceticket")
        if line is None:
            return
        if luck.randrange(5):
            ticket = self.model.rows["partline"][line]["ticket"]
        request = ("PUT", f"/service_tickets/{ticket}/remove-inventory/{line}", None)
        remove = lambda: self.model.remove_line(ticket, line)  # noqa: E731
        self.ask(luck, self.caller(luck, "mechanic"), request, remove)

    @happens
    def delete_ticket(self, luck: random.Random) -> None:
        ticket = self.some(luck, "serviceticket")
        if ticket is None:
            return
        delete = lambda: self.model.delete_ticket(ticket)  # noqa: E731
        if luck.randrange(2):
            request = ("DELETE", f"/service_tickets/{ticket}", None)
            self.ask(luck, self.caller(luck, "mechanic"), request, delete)
            return
        url = page("serviceticket", "delete", ticket)
        self.at_desk(luck, lambda: self.doors.post(self.boss, url, {"post": "yes"}), delete)


def new_row(prefix: str, index: int, **fields: Any) -> dict[str, Any]:
    """One row typed in below those that are there."""
    typed = {f"{prefix}-{index}-{name}": value for name, value in fields.items()}
    return typed | {f"{prefix}-TOTAL_FORMS": str(index + 1)}
