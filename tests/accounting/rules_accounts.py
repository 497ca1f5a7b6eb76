"""What happens to accounts: signing in, what they may do, their passwords, groups."""

import random
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from tests.accounting.doors import page
from tests.accounting.model import By
from tests.accounting.people import CAN, ROLES
from tests.accounting.shop import EMAILS, Shop, happens


class Accounts(Shop):
    @happens
    def sign_in(self, luck: random.Random) -> None:
        email = self.email(luck)
        user = self.model.account(email)
        password = self.model.passwords[user] if user and luck.randrange(3) else "a wrong phrase"
        self.doors.secrets.add(password)
        role = luck.choice((*ROLES, "back_office"))
        by = By("nobody")
        if role == "back_office":
            typed = {"username": email, "password": password}
            guest = By("back_office", -1)  # a browser of nobody's yet
            self.books.operation(
                luck,
                by,
                lambda: self.doors.post(guest, "/admin/login/?next=/admin/", typed),
                lambda: self.model.sign_in_to_office(email, password),
            )
            self.doors.browsers.pop(-1)
            return
        body = {"email": email, "password": password}

        def act() -> bool:
            answer = self.doors.api(by, "POST", f"/{role}s/login", body)
            if answer.status_code == 200:
                self.doors.secrets |= set(answer.json()["token"].split(".")[1:])
            return bool(answer.status_code == 200)

        self.books.operation(luck, by, act, lambda: self.model.sign_in(role, email, password))

    @happens
    def enter_account(self, luck: random.Random) -> None:
        email, password = self.email(luck), self.new_password()
        staff = luck.randrange(2)
        typed = {"email": email, "password1": password, "password2": password}

        def enter() -> None:
            self.model.open_account(email, password, is_staff=bool(staff))

        self.type_in(luck, "user", None, typed | ({"is_staff": "on"} if staff else {}), enter)

    def someone_else(self, luck: random.Random) -> int | None:
        """An account that is not the owner's: the shop would be locked."""
        found = [pk for pk in self.model.rows["user"] if pk != self.boss.user]
        return luck.choice(found) if found else None

    @happens
    def change_account(self, luck: random.Random) -> None:
        user = self.someone_else(luck)
        if user is None:
            return
        groups = {pk for pk in self.model.rows["group"] if luck.randrange(2)}
        allowed = {name for name in CAN.values() if luck.randrange(3) == 0}
        flags = {name: bool(luck.randrange(3)) for name in ("is_active", "is_staff")}
        flags["is_superuser"] = luck.randrange(6) == 0
        typed: dict[str, Any] = {name: "on" if value else None for name, value in flags.items()}
        typed |= {"groups": sorted(groups) or None, "user_permissions": numbers(allowed) or None}
        names = {self.model.rows["group"][pk]["name"] for pk in groups}

        def change() -> None:
            self.model.write("user", user, groups=names, user_permissions=allowed, **flags)
            if not flags["is_active"]:
                self.sessions.pop(user, None)

        self.type_in(luck, "user", user, typed, change)

    @happens
    def rename_account(self, luck: random.Random) -> None:
        """An account without a hat gets another e-mail on its own page."""
        user = self.someone_else(luck)
        if user is None or any(self.model.hat(role, user) for role in ROLES):
            return
        email = luck.choice(EMAILS)

        def rename() -> None:
            self.model.demand(self.model.account(email) in (None, user))
            self.model.write("user", user, email=email)

        self.type_in(luck, "user", user, {"email": email}, rename)

    @happens
    def set_password(self, luck: random.Random) -> None:
        user = self.someone_else(luck)
        if user is None:
            return
        password = self.new_password()
        typed = {"password1": password, "password2": password}
        url = reverse("admin:auth_user_password_change", args=(user,))
        self.at_desk(
            luck,
            lambda: self.doors.post(self.boss, url, typed),
            lambda: self.model.new_password(user, password),
            verbs=False,
        )

    @happens
    def change_own_password(self, luck: random.Random) -> None:
        by = self.staff(luck)
        old, new = self.model.passwords[by.user or 0], self.new_password()
        typed = {"old_password": old, "new_password1": new, "new_password2": new}
        done = self.books.operation(
            luck,
            by,
            lambda: self.doors.post(by, "/admin/password_change/", typed),
            lambda: self.model.new_password(by.user or 0, new),
        )
        if done:  # this browser stays signed in
            self.sessions[by.user or 0] = self.model.epochs[by.user or 0]

    @happens
    def write_group(self, luck: random.Random) -> None:
        pk = self.some(luck, "group") if luck.randrange(2) else None
        name = luck.choice(("Front desk", "Counter", "Storeroom"))
        allowed = {permission for permission in CAN.values() if luck.randrange(3) == 0}
        typed = {"name": name, "permissions": numbers(allowed) or None}

        def write() -> None:
            self.model.demand(self.model.where("group", name=name) in ([], [pk]))
            if pk is None:
                self.model.create("group", {"name": name}, name=name, permissions=allowed)
                return
            was = self.model.rows["group"][pk]["name"]
            self.model.write("group", pk, name=name, permissions=allowed)
            for user in self.model.rows["user"].values():
                user["groups"] = {name if group == was else group for group in user["groups"]}

        self.type_in(luck, "group", pk, typed, write)

    @happens
    def delete_group(self, luck: random.Random) -> None:
        pk = self.some(luck, "group")
        if pk is None:
            return
        name = Group.objects.get(pk=pk).name

        def delete() -> None:
            for user, row in list(self.model.rows["user"].items()):
                self.model.write("user", user, groups=row["groups"] - {name})
            self.model.delete("group", pk)

        if luck.randrange(2):
            act = lambda: self.doors.delete_selected(self.boss, "group", pk)  # noqa: E731
        else:
            url = page("group", "delete", pk)
            act = lambda: self.doors.post(self.boss, url, {"post": "yes"})  # noqa: E731
        self.at_desk(luck, act, delete, verbs=False)


def numbers(names: set[str]) -> list[int]:
    """The permissions of these names, as a form sends them."""
    return sorted(p.pk for p in Permission.objects.all() if str(p) in names)
