"""What happens to customers, vehicles and mechanics."""

import random
from typing import Any

from customers import registration as customer_desk
from customers.tests.factories import valid_vin
from mechanics import registration as mechanic_desk
from tests.accounting.doors import page
from tests.accounting.model import By
from tests.accounting.people import ROLES
from tests.accounting.shop import PHONES, Shop, happens

CLOSE = {"customer": customer_desk.close_customer, "mechanic": mechanic_desk.close_mechanic}


class People(Shop):
    @happens
    def register(self, luck: random.Random) -> None:
        """A new account, a second hat with its password, or an e-mail that is taken."""
        role, email = luck.choice(ROLES), self.email(luck)
        account = self.model.account(email)
        password = self.new_password()
        if account is not None and luck.randrange(2):
            password = self.model.passwords[account]
        person: dict[str, Any] = {"name": self.word(luck), "phone": luck.choice(PHONES)}
        salary = luck.choice(("0.00", "52000.00", "61500.50")) if role == "mechanic" else None
        said = person | ({"salary": salary} if salary else {})
        body = person | ({"salary": float(salary)} if salary else {})
        by = self.caller(luck, "nobody", "nobody", "nobody")
        request = ("POST", f"/{role}s", body | {"email": email, "password": password})
        self.ask(
            luck,
            by,
            request,
            lambda: self.model.register(role, email=email, password=password, **said),
        )

    @happens
    def enter_walk_in(self, luck: random.Random) -> None:
        fields = {"name": self.word(luck), **self.any_of(luck, email=lambda: "walk@example.com")}
        fields |= self.any_of(luck, phone=lambda: luck.choice(PHONES))
        if luck.randrange(3) == 0:
            self.command(
                luck,
                customer_desk.enter_walk_in,
                fields,
                lambda: self.model.enter_walk_in(**fields),
            )
            return
        vin = valid_vin(luck.randrange(12))
        car = {"vehicles-TOTAL_FORMS": "1", "vehicles-0-vin": vin.lower()}

        def enter() -> None:
            customer = self.model.enter_walk_in(**fields)
            if with_car:
                self.model.enter_vehicle(vin=vin, customer=customer)

        with_car = luck.randrange(2)
        self.type_in(luck, "customer", None, fields | (car if with_car else {}), enter)

    @happens
    def change_person(self, luck: random.Random) -> None:
        role = luck.choice(ROLES)
        pk = self.some(luck, role)
        if pk is None:
            return
        fields = self.any_of(
            luck,
            name=lambda: self.word(luck),
            email=lambda: self.email(luck),
            phone=lambda: luck.choice(PHONES),
            password=self.new_password,
        )
        by = self.person_or_other(luck, role, pk)
        self.ask(
            luck,
            by,
            ("PUT", f"/{role}s/{pk}", fields),
            lambda: self.model.change_person(role, pk, **fields),
        )

    @happens
    def change_salary(self, luck: random.Random) -> None:
        pk = self.some(luck, "mechanic")
        if pk is None:
            return
        salary = luck.choice(("0.00", "52000.00", "61500.50"))
        by = self.person_or_other(luck, "mechanic", pk)
        self.ask(
            luck,
            by,
            ("PUT", f"/mechanics/{pk}", {"salary": float(salary)}),
            lambda: self.model.change_person("mechanic", pk, salary=salary),
        )

    def person_or_other(self, luck: random.Random, role: str, pk: int) -> By:
        """Mostly themselves or the owner."""
        if luck.randrange(4) == 0:
            return self.caller(luck)
        user = self.model.rows[role][pk]["user"]
        themselves = By(role, user, pk)
        return luck.choice((themselves, themselves, self.staff(luck)))

    @happens
    def change_person_at_desk(self, luck: random.Random) -> None:
        role = luck.choice(ROLES)
        pk = self.some(luck, role, deleted_at=None)
        if pk is None:
            return
        row = self.model.rows[role][pk]
        fields: dict[str, Any] = self.any_of(
            luck,
            name=lambda: self.word(luck),
            email=lambda: self.email(luck),
            phone=lambda: luck.choice(PHONES),
        )
        approved = role == "mechanic" and not row["approved"] and luck.randrange(2)

        def change() -> None:
            self.model.change_person(role, pk, **fields)
            if approved:
                self.model.approve(pk)

        self.type_in(luck, role, pk, fields | ({"approved": "on"} if approved else {}), change)

    @happens
    def take_on(self, luck: random.Random) -> None:
        """A mechanic entered by the owner is approved at once."""
        email, password = self.email(luck), self.new_password()
        fields = {"name": self.word(luck), "phone": luck.choice(PHONES), "salary": "70000.00"}
        typed = fields | {"email": email, "password": password}
        self.type_in(
            luck,
            "mechanic",
            None,
            typed,
            lambda: self.model.register("mechanic", email=email, password=password, **fields),
        )

    @happens
    def approve(self, luck: random.Random) -> None:
        waiting = self.model.where("mechanic", approved=False, deleted_at=None)
        chosen = [pk for pk in waiting if luck.randrange(2)]
        if not chosen:
            return
        data = {"action": "approve_selected", "_selected_action": chosen}

        def approve() -> None:
            for pk in chosen:
                self.model.approve(pk)

        url = page("mechanic", "changelist")
        self.at_desk(luck, lambda: self.doors.post(self.boss, url, data), approve)

    @happens
    def close(self, luck: random.Random) -> None:
        role = luck.choice(ROLES)
        pk = self.some(luck, role)
        if pk is None:
            return
        closing = lambda: self.model.close_person(role, pk)  # noqa: E731
        door = luck.randrange(4)
        if door == 0:
            url = page(role, "delete", pk)
            self.at_desk(luck, lambda: self.doors.post(self.boss, url, {"post": "yes"}), closing)
        elif door == 1:
            self.command(luck, CLOSE[role], {role: self.row(role, pk)}, closing)
        else:
            by = self.person_or_other(luck, role, pk)
            self.ask(luck, by, ("DELETE", f"/{role}s/{pk}", None), closing)

    @happens
    def close_several(self, luck: random.Random) -> None:
        chosen = [
            pk for pk in self.model.where("customer", deleted_at=None) if luck.randrange(3) == 0
        ]
        if not chosen:
            return

        def close() -> None:
            for pk in chosen:
                self.model.close_person("customer", pk)

        self.at_desk(
            luck, lambda: self.doors.delete_selected(self.boss, "customer", *chosen), close
        )

    @happens
    def enter_vehicle(self, luck: random.Random) -> None:
        vin = valid_vin(luck.randrange(12))
        owner = self.some(luck, "customer")
        fields: dict[str, Any] = self.any_of(luck, plate=lambda: "AB 123", colour=lambda: "red")
        fields["customer"] = owner
        typed = fields | {"vin": vin.lower(), "customer": owner or ""}
        self.type_in(
            luck, "vehicle", None, typed, lambda: self.model.enter_vehicle(vin=vin, **fields)
        )

    @happens
    def change_vehicle(self, luck: random.Random) -> None:
        """Sold, repainted, or typed wrong before; from its own page or its owner's."""
        pk = self.some(luck, "vehicle")
        if pk is None:
            return
        fields: dict[str, Any] = self.any_of(
            luck,
            plate=lambda: luck.choice(("", "AB 123", "None")),
            mileage=lambda: luck.choice((None, 10_000, 20_000)),
        )
        change = lambda: self.model.change_vehicle(pk, **fields)  # noqa: E731
        owner = self.model.rows["vehicle"][pk]["customer"]
        if owner is not None and luck.randrange(2):
            place = sorted(self.model.where("vehicle", customer=owner)).index(pk)
            typed = {
                f"vehicles-{place}-{name}": v if v is not None else "" for name, v in fields.items()
            }
            self.type_in(luck, "customer", owner, typed, change)
            return
        fields |= self.any_of(
            luck,
            customer=lambda: self.some(luck, "customer"),
            vin=lambda: valid_vin(luck.randrange(12)),
            colour=lambda: luck.choice(("red", "blue")),
        )
        typed = {name: value if value is not None else "" for name, value in fields.items()}
        self.type_in(luck, "vehicle", pk, typed, change)
