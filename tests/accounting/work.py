"""The model's rules for parts, their stock, and tickets."""

from typing import Any

from tests.accounting.model import A_MOMENT
from tests.accounting.people import CAN, OPEN, People

TRANSITIONS = {
    "pending": ("in_progress", "on_hold", "cancelled"),
    "in_progress": ("completed", "on_hold", "cancelled"),
    "on_hold": ("in_progress", "cancelled"),
    "completed": ("in_progress",),
    "cancelled": (),
}


class Work(People):
    # --- Parts ---

    def move_stock(
        self, part: int, quantity: int, reason: str, *, ticket: int = 0, note: str = ""
    ) -> None:
        """`quantity` more, or fewer, in stock: one entry, and one line in the ledger."""
        balance = self.rows["part"][part]["quantity_in_stock"] + quantity
        self.demand(balance >= 0)
        if not quantity:
            return
        self.write("part", part, quantity_in_stock=balance)
        reference = f"ticket-{ticket}" if ticket else ""
        who = (self.by.user, self.by.role)
        self.expected.movements.append((part, quantity, balance, reason, reference, note, *who))
        if reason == "used":
            self.used.add(part)

    def enter_part(self, *, quantity_in_stock: int, **fields: Any) -> int:
        self.demand(self.may(CAN["add part"]))
        self._demand_number(fields)
        part = self.create("part", {"part_name": fields["part_name"]}, **fields)
        self.move_stock(part, quantity_in_stock, "opening")
        return part

    def change_part(
        self, part: int, *, quantity_in_stock: int | None = None, **fields: Any
    ) -> None:
        self.demand(self.may(CAN["change part"]))
        self._demand_number(fields, part)
        self.write("part", part, **fields)
        if quantity_in_stock is not None:
            self.count_part(part, quantity_in_stock)

    def receive(self, part: int, quantity: int, note: str) -> None:
        self.move_stock(part, quantity, "received", note=note)

    def count_part(self, part: int, quantity: int, note: str = "") -> None:
        there = self.rows["part"][part]["quantity_in_stock"]
        self.move_stock(part, quantity - there, "adjusted", note=note)

    def delete_part(self, part: int) -> None:
        self.demand(self.may(CAN["delete part"]))
        self.demand(part not in self.used)
        self.delete("part", part)

    def _demand_number(self, fields: dict[str, Any], part: int | None = None) -> None:
        if "part_number" in fields:
            fields["part_number"] = fields["part_number"] or None
        if fields.get("part_number") is not None:
            self.demand(self.where("part", part_number=fields["part_number"]) in ([], [part]))

    # --- Tickets ---

    def open_ticket(self, *, customer: int, vin: str, mileage: int | None, **fields: Any) -> int:
        self.demand(self.may(CAN["add ticket"]) and self.existing(customer))
        vehicle = self.vehicle_for(vin, customer, mileage)
        said = {"customer": customer, "vehicle": vehicle, "vin": vin.upper(), "mileage": mileage}
        ticket = self.create("serviceticket", {"customer_id": customer}, **said, **fields)
        self._moved(ticket, "", "")
        return ticket

    def edit_ticket(
        self, ticket: int, *, status: str | None = None, reason: str = "", **fields: Any
    ) -> None:
        self.demand(self.may(CAN["change ticket"]))
        row = self.rows["serviceticket"][ticket]
        if "vin" in fields or "mileage" in fields:
            fields["vin"] = fields.get("vin", row["vin"]).upper()
            mileage = fields.get("mileage", row["mileage"])
            if fields["vin"] == row["vin"]:
                fields["vehicle"] = self.brought_in(row["vehicle"], row["customer"], mileage)
            else:
                fields["vehicle"] = self.vehicle_for(fields["vin"], row["customer"], mileage)
        self.write("serviceticket", ticket, **fields)
        if status not in (None, row["status"]):
            self.transition(ticket, str(status), reason)

    def is_of_another(self, vin: str, customer: int | None) -> bool:
        """Whether a page asks before this vehicle goes onto this customer's ticket."""
        owners = [
            self.rows["vehicle"][pk]["customer"] for pk in self.where("vehicle", vin=vin.upper())
        ]
        return any(owner not in (None, customer) for owner in owners)

    def transition(self, ticket: int, to: str, reason: str = "") -> None:
        self.demand(self.may(CAN["change ticket"]))
        was = self.rows["serviceticket"][ticket]["status"]
        self.demand(to in TRANSITIONS[was])
        self.demand(was != "completed" or reason)
        if to == "cancelled":
            self._release_everything(ticket)
        completed = A_MOMENT if to == "completed" else None
        self.write("serviceticket", ticket, status=to, completed_at=completed)
        self._moved(ticket, was, reason)

    def delete_ticket(self, ticket: int) -> None:
        self.demand(self.may(CAN["delete ticket"]))
        self._release_everything(ticket)
        self.delete("serviceticket", ticket)

    def _release_everything(self, ticket: int) -> None:
        for assignment in self.where("assignment", ticket=ticket):
            self.delete("assignment", assignment)
        for line in self.where("partline", ticket=ticket):
            self._remove_line(line)

    def _moved(self, ticket: int, was: str, reason: str) -> None:
        to = self.rows["serviceticket"][ticket]["status"]
        self.expected.moves.append((ticket, was, to, reason, self.by.user, self.by.role))

    # --- Their teams and parts ---

    def team(self, ticket: int) -> set[int]:
        rows = self.rows["assignment"]
        return {rows[pk]["mechanic"] for pk in self.where("assignment", ticket=ticket)}

    def assign(self, ticket: int, mechanic: int) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        self.demand(mechanic not in self.team(ticket))
        self._assign(ticket, mechanic)

    def release(self, ticket: int, mechanic: int) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        self.demand(mechanic in self.team(ticket))
        self._release(ticket, mechanic)

    def set_team(self, ticket: int, wanted: set[int]) -> None:
        there = self.team(ticket)
        self.change_team(ticket, wanted - there, there - wanted)

    def change_team(self, ticket: int, add: set[int], remove: set[int]) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        there = self.team(ticket)
        for mechanic in remove - there:
            self.demand(self.rows["mechanic"][mechanic]["deleted_at"] is None)
        for mechanic in remove & there:
            self._release(ticket, mechanic)
        for mechanic in add - there:
            self._assign(ticket, mechanic)

    def _assign(self, ticket: int, mechanic: int) -> None:
        self.demand(self.can_act("mechanic", mechanic))
        pair = {"ticket": ticket, "mechanic": mechanic}
        by = {"assigned_by": self.by.user, "assigned_at": A_MOMENT}
        self.create("assignment", pair, **pair, **by)
        self._tell(ticket, "put on the team", mechanic)

    def _release(self, ticket: int, mechanic: int) -> None:
        for assignment in self.where("assignment", ticket=ticket, mechanic=mechanic):
            self.delete("assignment", assignment)
            self._tell(ticket, "took off the team", mechanic)

    def _tell(self, ticket: int, event: str, mechanic: int) -> None:
        self.expected.events.append((ticket, {"event": event, "mechanic": mechanic}, self.by))

    def add_part(self, ticket: int, part: int, quantity: int) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        self.move_stock(part, -quantity, "used", ticket=ticket)
        pair, now = {"ticket": ticket, "part": part}, self.rows["part"][part]
        for line in self.where("partline", **pair):
            there = self.rows["partline"][line]["quantity_used"]
            self.write("partline", line, quantity_used=there + quantity)
            return
        copied = {"unit_price": now["price"], "unit_cost": now["cost"]}
        self.create("partline", pair, **pair, quantity_used=quantity, **copied)

    def change_quantity(self, ticket: int, line: int, quantity: int) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        row = self.rows["partline"][line]
        if more := quantity - row["quantity_used"]:
            reason = "used" if more > 0 else "returned"
            self.move_stock(row["part"], -more, reason, ticket=ticket)
            self.write("partline", line, quantity_used=quantity)

    def remove_line(self, ticket: int, line: int) -> None:
        self.demand(self.may(CAN["change ticket"]) and self._is_open(ticket))
        self.demand(line in self.where("partline", ticket=ticket))
        self._remove_line(line)

    def _remove_line(self, line: int) -> None:
        row = self.rows["partline"][line]
        self.move_stock(row["part"], row["quantity_used"], "returned", ticket=row["ticket"])
        self.delete("partline", line)

    def _is_open(self, ticket: int) -> bool:
        return self.rows["serviceticket"][ticket]["status"] in OPEN
