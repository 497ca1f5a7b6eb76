"""What happens to parts and their stock."""

import random
from typing import Any

from inventory import parts as part_shelf
from inventory import stock
from tests.accounting.doors import page
from tests.accounting.shop import Shop, happens


class Parts(Shop):
    def part_fields(self, luck: random.Random) -> dict[str, Any]:
        return self.any_of(
            luck,
            part_number=lambda: luck.choice((None, "None", "BP-1", "bp-1", "BP-2")),
            category=lambda: luck.choice(("", "Brakes", "None")),
            price=lambda: luck.choice(("45.99", "0.01", "12.50")),
            cost=lambda: luck.choice((None, "0.00", "20.50")),
            reorder_point=lambda: luck.choice((0, 5, 7)),
            location=lambda: luck.choice(("", "A1", "None")),
        )

    def as_json_of_part(self, fields: dict[str, Any]) -> dict[str, Any]:
        money = {n: float(fields[n]) for n in ("price", "cost") if fields.get(n) is not None}
        return fields | money

    @happens
    def enter_part(self, luck: random.Random) -> None:
        name = f"Part {luck.randrange(10**6)}"
        fields = {"part_name": name, "price": "45.99"} | self.part_fields(luck)
        quantity = luck.choice((0, 1, 5, 50))
        body = self.as_json_of_part(fields) | {"quantity_in_stock": quantity}
        enter = lambda: self.model.enter_part(quantity_in_stock=quantity, **fields)  # noqa: E731
        if luck.randrange(2):
            self.ask(luck, self.caller(luck, "mechanic"), ("POST", "/inventory", body), enter)
            return
        typed = {n: "" if v is None else v for n, v in fields.items()}
        self.type_in(luck, "part", None, typed | {"quantity_in_stock": quantity}, enter)

    @happens
    def change_part(self, luck: random.Random) -> None:
        part = self.some(luck, "part")
        if part is None:
            return
        fields = self.part_fields(luck)
        if luck.randrange(3):
            counted = self.any_of(luck, quantity_in_stock=lambda: luck.choice((0, 3, 50)))
            body = self.as_json_of_part(fields) | counted
            by = self.caller(luck, "mechanic")
            change = lambda: self.model.change_part(part, **fields, **counted)  # noqa: E731
            self.ask(luck, by, ("PUT", f"/inventory/{part}", body), change)
            return
        typed = {n: "" if v is None else v for n, v in fields.items()}
        self.type_in(luck, "part", part, typed, lambda: self.model.change_part(part, **fields))

    @happens
    def receive_or_count(self, luck: random.Random) -> None:
        part = self.some(luck, "part")
        if part is None:
            return
        name = luck.choice(("receive", "adjust"))
        quantity = luck.choice((1, 2, 40))
        should = self.model.receive if name == "receive" else self.model.count_part
        note = self.word(luck)
        booked = lambda: should(part, quantity, note)  # noqa: E731
        if luck.randrange(2):
            verb = stock.receive if name == "receive" else stock.set_quantity
            arguments = {"part": self.row("part", part), "quantity": quantity, "note": note}
            self.command(luck, verb, arguments, booked)
            return
        url = page("part", name, part)
        typed = {"quantity": quantity, "note": note}
        self.at_desk(luck, lambda: self.doors.post(self.boss, url, typed), booked)

    @happens
    def delete_part(self, luck: random.Random) -> None:
        part = self.some(luck, "part")
        if part is None:
            return
        delete = lambda: self.model.delete_part(part)  # noqa: E731
        door = luck.randrange(3)
        if door == 0:
            self.ask(
                luck, self.caller(luck, "mechanic"), ("DELETE", f"/inventory/{part}", None), delete
            )
        elif door == 1:
            self.at_desk(luck, lambda: self.doors.delete_selected(self.boss, "part", part), delete)
        else:
            verb, arguments = part_shelf.delete_part, {"part": self.row("part", part)}
            self.command(luck, verb, arguments, delete)
