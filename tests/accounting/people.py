"""The model's rules for customers, their vehicles, mechanics and accounts."""

from typing import Any

from autoful.accounts.account import closed_email
from customers.vehicles import decode
from tests.accounting.model import A_MOMENT, MASKED, By, Model

OPEN = ("pending", "in_progress", "on_hold")
ROLES = ("customer", "mechanic")
# Permissions as they read in the admin and in the trail.
CAN = {
    f"{verb} {kind}": f"{app} | {name} | Can {verb} {name}"
    for app, kind, name in (
        ("Customers", "customer", "customer"),
        ("Mechanics", "mechanic", "mechanic"),
        ("Inventory", "part", "part"),
        ("Tickets", "ticket", "service ticket"),
    )
    for verb in ("add", "change", "delete")
}


class People(Model):
    # --- Accounts ---

    def account(self, email: str) -> int | None:
        return next(iter(self.where("user", email=email.lower())), None)

    def hat(self, role: str, user: int | None) -> int | None:
        """The number of the customer or mechanic that the account is."""
        return next(iter(self.where(role, user=user)), None) if user is not None else None

    def can_act(self, role: str, pk: int) -> bool:
        """Whether a token of that customer or mechanic would be good."""
        row = self.rows[role][pk]
        if row["user"] is None or not self.rows["user"][row["user"]]["is_active"]:
            return False
        return role == "customer" or bool(row["approved"])

    def open_account(self, email: str, password: str, **flags: Any) -> int:
        self.demand(self.account(email) is None)
        email = email.lower()
        known = {"email": email, "password": MASKED, "date_joined": A_MOMENT}
        user = self.create("user", {"email": email}, **known, **flags)
        self.passwords[user], self.epochs[user] = password, 0
        return user

    def new_password(self, user: int, password: str) -> None:
        self.write("user", user, password=MASKED)
        self.passwords[user] = password
        self.epochs[user] += 1

    def sign_in(self, role: str, email: str, password: str) -> None:
        user = self.account(email)
        pk = self.hat(role, user)
        refused: dict[str, Any] = {"event": "sign-in refused", "hat": role}
        right = user is not None and self.passwords[user] == password
        if user is None or not right or not self.rows["user"][user]["is_active"] or pk is None:
            self.expected.events.append((user, refused, By("nobody")))
            self.demand(False)
        if not self.can_act(role, pk):
            facts = refused | {"awaiting": "approval"}
            self.expected.events.append((user, facts, By(role, user, pk)))
            self.demand(False)
        self.expected.events.append((user, {"event": "signed in"}, By(role, user, pk)))

    def sign_in_to_office(self, email: str, password: str) -> None:
        user = self.account(email)
        row = self.rows["user"].get(user or 0, {})
        if row and self.passwords[user] == password and row["is_active"] and row["is_staff"]:
            self.expected.events.append((user, {"event": "signed in"}, By("back_office", user)))
            return
        refused = {"event": "sign-in refused", "hat": "back_office"}
        self.expected.events.append((user, refused, By("nobody")))
        self.demand(False)

    def may_decide_sign_in(self, user: int) -> bool:
        """Whether who does it may change how that account signs in."""
        if self.by.role == "command" or self.by.user == user:
            return True
        if self.by.role != "back_office":
            return False
        if self.rows["user"][self.by.user]["is_superuser"]:
            return True
        hats = {CAN[f"change {role}"] for role in ROLES if self.hat(role, user)}
        theirs = self.permissions(user) | hats
        return not self.rows["user"][user]["is_superuser"] and theirs <= self.permissions(
            self.by.user
        )

    # --- Customers and mechanics ---

    def register(self, role: str, *, email: str, password: str, **fields: Any) -> int:
        user = self.account(email)
        if user is not None:
            self.demand(self.passwords[user] == password)
            self.demand(self.rows["user"][user]["is_active"] and self.hat(role, user) is None)
        else:
            user = self.open_account(email, password)
        if role == "customer":
            fields["email"] = email.lower()
        else:
            fields["approved"] = self.may(CAN["add mechanic"]) and self.by.role != "mechanic"
        return self.create(role, {"user_id": user}, user=user, **fields)

    def enter_walk_in(self, **fields: Any) -> int:
        self.demand(self.may(CAN["add customer"]))
        return self.create("customer", {"user_id": None}, **fields)

    def change_person(self, role: str, pk: int, **fields: Any) -> None:
        row = self.rows[role][pk]
        self.demand_own_or_office(role, pk, "change")
        self.demand(row["deleted_at"] is None)
        email, password = fields.pop("email", None), fields.pop("password", None)
        user = row["user"]
        if user is not None:
            moved = email is not None and email.lower() != self.rows["user"][user]["email"]
            if moved or password is not None:
                self.demand(self.may_decide_sign_in(user))
            if moved:
                self.demand(email and self.account(email) is None)
                self.write("user", user, email=email.lower())
                if customer := self.hat("customer", user):
                    self.write("customer", customer, email=email.lower())
            if password is not None:
                self.new_password(user, password)
        else:
            self.demand(password is None)
            if email is not None:
                fields["email"] = email.lower()
        self.write(role, pk, **fields)

    def demand_own_or_office(self, role: str, pk: int, verb: str) -> None:
        """That very customer or mechanic, or the back office that may."""
        own = self.by.role == role and self.by.profile == pk
        office = self.by.role in ("back_office", "command")
        self.demand(own or (office and self.may(CAN[f"{verb} {role}"])))

    def approve(self, pk: int) -> None:
        self.demand(self.may(CAN["change mechanic"]) and self.by.role != "mechanic")
        self.write("mechanic", pk, approved=True)

    def close_person(self, role: str, pk: int) -> None:
        row = self.rows[role][pk]
        self.demand_own_or_office(role, pk, "delete")
        self.demand(row["deleted_at"] is None)
        user = row["user"]
        if role == "customer":
            self._close_customer(pk)
        else:
            self._close_mechanic(pk)
        if user is not None and not self._has_role(user):
            self.new_password(user, "")
            self.write("user", user, email=closed_email(user), is_active=False)
            self.erase("user", user, "email")

    def _close_customer(self, pk: int) -> None:
        gone = {"user": None, "name": "Deleted customer", "email": "", "phone": ""}
        self.write("customer", pk, deleted_at=A_MOMENT, **gone)
        self.erase("customer", pk, *gone)
        for vehicle in self.where("vehicle", customer=pk):
            self.write("vehicle", vehicle, customer=None, plate="")
            self.erase("vehicle", vehicle, "customer", "plate")

    def _close_mechanic(self, pk: int) -> None:
        for assignment in self.where("assignment", mechanic=pk):
            ticket = self.rows["assignment"][assignment]["ticket"]
            if self.rows["serviceticket"][ticket]["status"] in OPEN:
                self.delete("assignment", assignment)
        gone: dict[str, Any] = {"user": None, "phone": "", "salary": None}
        self.write("mechanic", pk, approved=False, deleted_at=A_MOMENT, **gone)
        self.erase("mechanic", pk, *gone)

    def _has_role(self, user: int) -> bool:
        return self.rows["user"][user]["is_staff"] or any(self.hat(role, user) for role in ROLES)

    # --- Vehicles ---

    def existing(self, customer: int | None) -> bool:
        return customer is None or self.rows["customer"][customer]["deleted_at"] is None

    def enter_vehicle(self, *, vin: str, **fields: Any) -> int:
        vin = vin.upper()
        self.demand(not self.where("vehicle", vin=vin) and self.existing(fields.get("customer")))
        known = {name: value for name, value in decode(vin).items() if not fields.get(name)}
        return self.create("vehicle", {"vin": vin}, vin=vin, **fields | known)

    def change_vehicle(self, pk: int, **fields: Any) -> None:
        if "vin" in fields:
            fields["vin"] = fields["vin"].upper()
            self.demand(self.where("vehicle", vin=fields["vin"]) in ([], [pk]))
        if "customer" in fields:
            self.demand(self.existing(fields["customer"]))
        self.write("vehicle", pk, **fields)

    def vehicle_for(self, vin: str, customer: int | None, mileage: int | None) -> int:
        """The vehicle that a ticket is about: known, or entered with it."""
        vin = vin.upper()
        customer = customer if self.existing(customer) else None
        known = next(iter(self.where("vehicle", vin=vin)), None)
        if known is None:
            return self.enter_vehicle(vin=vin, customer=customer, mileage=mileage)
        return self.brought_in(known, customer, mileage)

    def brought_in(self, known: int, customer: int | None, mileage: int | None) -> int:
        customer = customer if self.existing(customer) else None
        row = self.rows["vehicle"][known]
        if row["customer"] is None and customer is not None:
            self.write("vehicle", known, customer=customer)
        if mileage is not None and (row["mileage"] is None or mileage > row["mileage"]):
            self.write("vehicle", known, mileage=mileage)
        return known
