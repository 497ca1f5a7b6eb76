"""A shop under account: who may be asked to do something, and through which door."""

import io
import random
from collections.abc import Callable
from functools import wraps
from typing import Any
from unittest.mock import patch

from django.core.management import call_command
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.accounting.books import Books
from tests.accounting.doors import page
from tests.accounting.model import COMMAND, NOBODY, By
from tests.accounting.trail import MODELS

# Words that a trail could take for something else, and some that are only awkward.
WORDS = ("None", "True", "0", "erased", "Null Island", "Zoë Ünal", "李 雷", "<b>Bold</b>", "O'Neil")
PHONES = ("+1 555 010 2030", "+1 555 010 4050", "+1 555 010 6070")
EMAILS = tuple(f"{name}@example.com" for name in ("boss", "ann", "bob", "cid", "dee", "eve", "fay"))

LUCK = st.randoms(use_true_random=False)
HAPPENINGS: set[str] = set()


def happens(function: Callable[..., None]) -> Any:
    """Marks what can happen in a shop; nothing happens where what it is about is not there."""

    HAPPENINGS.add(function.__name__)

    @wraps(function)
    def happen(self: Any, luck: random.Random) -> None:
        self.books.about = function.__name__
        function(self, luck)

    return rule(luck=LUCK)(happen)


class Shop:
    """`luck` decides everything that is left open; hypothesis holds it."""

    def __init__(self) -> None:
        self.books = Books()
        self.model, self.doors = self.books.model, self.books.doors
        self.sessions: dict[int, int] = {}  # the epoch in which each browser signed in
        self._passwords = 0
        self.boss = self.open_the_shop(random.Random(1))

    def open_the_shop(self, luck: random.Random) -> By:
        password = self.new_password()

        def create() -> bool:
            call_command(
                "createsuperuser", interactive=False, email="boss@example.com", verbosity=0
            )
            return True

        def become() -> None:
            self.model.open_account("boss@example.com", "", is_staff=True, is_superuser=True)

        self.books.operation(luck, COMMAND, create, become)
        by = By("back_office", self.model.account("boss@example.com"))
        user = by.user or 0

        def change() -> bool:
            with patch("getpass.getpass", return_value=password):  # asked for on a terminal
                call_command("changepassword", "boss@example.com", stdout=io.StringIO())
            return True

        self.books.operation(luck, COMMAND, change, lambda: self.model.new_password(user, password))
        self.sign_in_at_desk(luck, by)
        return by

    def new_password(self) -> str:
        """A phrase of its own; whatever comes of it, it is never written down."""
        self._passwords += 1
        password = f"secret phrase no. {self._passwords:06d}"
        self.doors.secrets.add(password)
        return password

    # --- Choosing ---

    def some(self, luck: random.Random, kind: str, **values: Any) -> int | None:
        """The number of a row, if there is one."""
        found = self.model.where(kind, **values)
        return luck.choice(found) if found else None

    def word(self, luck: random.Random) -> str:
        return luck.choice(WORDS)

    def email(self, luck: random.Random) -> str:
        email = luck.choice(EMAILS)
        return luck.choice((email, email, email.upper()))

    def any_of(self, luck: random.Random, **choices: Callable[[], Any]) -> dict[str, Any]:
        """Some of these fields, perhaps none."""
        return {name: make() for name, make in choices.items() if luck.randrange(2)}

    def mishap(self, luck: random.Random, *, retried: bool = True) -> str:
        """What goes wrong with one operation in four. Verbs try a lost race again."""
        return luck.choice(("", "", "", "", "", "", "breaks", "lost race" if retried else ""))

    # --- People ---

    def person(self, luck: random.Random, role: str) -> By:
        """A customer or a mechanic, if there is one; one who has left tries too."""
        pk = self.some(luck, role)
        return NOBODY if pk is None else By(role, self.model.rows[role][pk]["user"], pk)

    def staff(self, luck: random.Random) -> By:
        """Somebody of the back office, signed in; mostly the owner."""
        clerks = self.model.where("user", is_staff=True, is_active=True)
        by = luck.choice([self.boss, *(By("back_office", pk) for pk in clerks)])
        if self.sessions.get(by.user or 0) != self.model.epochs[by.user or 0]:
            self.sign_in_at_desk(luck, by)
        return by

    def caller(self, luck: random.Random, *usual: str) -> By:
        """Who calls the API: mostly one of the `usual` roles, and else anybody."""
        role = luck.choice((*usual, *usual, "customer", "mechanic", "back_office", "nobody"))
        if role == "nobody":
            return NOBODY
        return self.staff(luck) if role == "back_office" else self.person(luck, role)

    def sign_in_at_desk(self, luck: random.Random, by: By) -> None:
        user = by.user or 0
        typed = {
            "username": self.model.rows["user"][user]["email"],
            "password": self.model.passwords[user],
        }
        self.books.operation(
            luck,
            by,
            lambda: self.doors.post(by, "/admin/login/?next=/admin/", typed),
            lambda: self.model.sign_in_to_office(typed["username"], typed["password"]),
        )
        self.sessions[user] = self.model.epochs[user]

    # --- Doing ---

    def ask(
        self,
        luck: random.Random,
        by: By,
        request: tuple[str, str, Any],
        should: Callable[[], Any],
    ) -> bool:
        """A request to the API; a token that has been ended since is refused."""
        key = (by.role, by.profile or 0)
        epoch = self.model.epochs[by.user] if by.profile and by.user else 0
        if key in self.doors.tokens and self.doors.tokens[key][0] != epoch and luck.randrange(4):
            del self.doors.tokens[key]
        if by.profile and by.user is None and key not in self.doors.tokens:
            by = NOBODY  # closed before they ever signed in
        good = not by.profile or (
            self.model.can_act(by.role, by.profile)
            and self.doors.tokens.get(key, (epoch, ""))[0] == epoch
        )

        def checked() -> None:
            self.model.demand(good)
            should()

        def act() -> bool:
            answer = self.doors.api(by, *request, epoch=epoch)
            return bool(answer.status_code < 300)

        return self.books.operation(luck, by, act, checked, goes_wrong=self.mishap(luck))

    def type_in(
        self,
        luck: random.Random,
        kind: str,
        pk: int | None,
        typed: dict[str, Any],
        should: Callable[[], Any],
    ) -> bool:
        """A page of the back office, filled in by the owner; `pk` None is a new row."""
        url = page(kind, "add") if pk is None else page(kind, "change", pk)
        verbs = kind not in ("user", "group")
        return self.at_desk(luck, lambda: self.doors.save(self.boss, url, typed), should, verbs)

    def at_desk(
        self,
        luck: random.Random,
        act: Callable[[], bool],
        should: Callable[[], Any],
        verbs: bool = True,
    ) -> bool:
        if self.sessions[self.boss.user or 0] != self.model.epochs[self.boss.user or 0]:
            self.sign_in_at_desk(luck, self.boss)
        wrong = self.mishap(luck, retried=verbs)
        return self.books.operation(luck, self.boss, act, should, goes_wrong=wrong)

    def command(self, luck: random.Random, verb: Any, arguments: Any, should: Any) -> bool:
        return self.books.operation(
            luck,
            COMMAND,
            lambda: self.doors.verb(verb, **arguments),
            should,
            goes_wrong=self.mishap(luck),
        )

    def row(self, kind: str, pk: int) -> Any:
        """What a verb is handed."""
        return MODELS[kind]._base_manager.get(pk=pk)
