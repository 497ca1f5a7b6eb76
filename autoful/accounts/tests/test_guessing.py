"""Guesses at passwords are counted for the account, whoever makes them, before anything is hashed."""

import ipaddress
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.core.cache import caches
from django.test import RequestFactory

from autoful import limits, outage
from autoful.accounts import guessing
from autoful.accounts.account import credentials
from autoful.accounts.errors import EmailTaken, InvalidCredentials
from autoful.accounts.forms import SignInForm
from autoful.accounts.models import User
from autoful.accounts.sign_in import sign_in
from autoful.accounts.tests.factories import PASSWORD
from autoful.actor import NOBODY, Origin, Role, coming_from
from autoful.limits import TooManyRequests, Usage
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona, nobody, wearing
from autoful.testing.rivals import at_once, many_connections

pytestmark = pytest.mark.django_db

WRONG = "wrong horse battery"
HOME = "198.51.100.7"


class Clock:
    """The time in this process, standing still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = float(int(time.time()))
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that reaches the hasher."""
    passwords: list[str] = []
    encode = BCryptSHA256PasswordHasher.encode

    def counting(self: Any, password: str, salt: Any) -> str:
        passwords.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", counting)
    return passwords


@pytest.fixture
def victim(hashed: list[str]) -> Persona:
    """Dana, who is a customer, a mechanic and the back office."""
    user = User.objects.create(
        email="dana@example.com", password=make_password(PASSWORD), is_staff=True
    )
    wearing(Role.MECHANIC, user, name="Dana Two", approved=True)
    person = wearing(Role.CUSTOMER, user, name="Dana Two", email=user.email)
    hashed.clear()
    return person


@pytest.fixture(params=["the shop's cache", "Redis is away"])
def _counting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever calls are counted just now."""
    if request.param == "Redis is away":
        monkeypatch.setattr(outage, "ask", lambda question: None)


@contextmanager
def calling_from(address: str) -> Iterator[None]:
    with coming_from(Origin("the-request", address, lambda: NOBODY)):
        yield


def addresses() -> Iterator[str]:
    return map(str, ipaddress.ip_network("10.0.0.0/8").hosts())


# --- The doors, as their verbs and their form -----------------------------------------------------


def as_customer(email: str, password: str) -> None:
    sign_in(email=email, password=password, role=Role.CUSTOMER)


def as_mechanic(email: str, password: str) -> None:
    sign_in(email=email, password=password, role=Role.MECHANIC)


def second_hat(email: str, password: str) -> None:
    credentials(email=email, password=password, role=Role.MECHANIC)


def back_office(email: str, password: str) -> None:
    form = SignInForm(RequestFactory().post("/"), {"username": email, "password": password})
    form.is_valid()
    if "Too many requests" in str(form.errors):
        raise TooManyRequests(Usage({}, wait=1))
    if form.errors:
        raise InvalidCredentials


DOORS = [as_customer, as_mechanic, second_hat, back_office]


def passes(door: Any, address: str, email: str, password: str = WRONG) -> bool:
    """Try; whether the try was let through to the hash, right or wrong."""
    with calling_from(address):
        try:
            door(email, password)
        except TooManyRequests:
            return False
        except (InvalidCredentials, EmailTaken):
            return True
        return True


# --- Strangers ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_counting")
@pytest.mark.parametrize("email", ["dana@example.com", "nobody.at.all@example.com"])
def test_ten_thousand_guesses_reach_the_hash_five_times_a_minute(
    email: str, victim: Persona, hashed: list[str], clock: Clock
) -> None:
    strangers = addresses()
    for _ in range(5):
        hashed.clear()
        for door, address in zip(itertools.cycle(DOORS[:3]), itertools.islice(strangers, 2000)):
            passes(door, address, email)
        assert len(hashed) == 5
        clock.now += 60


def test_the_old_password_is_not_guessed_at_a_desk_left_unattended(
    victim: Persona, hashed: list[str], clock: Clock
) -> None:
    desk = Desk(victim.user)
    typed = {"old_password": WRONG, "new_password1": "a fine new horse"}
    typed["new_password2"] = typed["new_password1"]
    hashed.clear()
    for _ in range(8):
        answer: Any = desk.post("/admin/password_change/", typed)
        assert answer.status_code == 200
    assert len(hashed) == 5 and "Too many requests" in answer.content.decode()
    right = typed | {"old_password": PASSWORD}
    assert desk.post("/admin/password_change/", right).status_code == 200  # not even the right one
    clock.now += 60
    assert desk.post("/admin/password_change/", right).status_code == 302


def test_control_without_the_count_they_all_reach_it(
    victim: Persona, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guessing, "count_try", lambda email: None)
    for door, address in zip(itertools.cycle(DOORS), itertools.islice(addresses(), 40)):
        passes(door, address, "dana@example.com")
    assert len(hashed) == 40


def at_the_same_moment(folder: Path) -> int:
    """Forty strangers guess at once; how many are let through to the hash."""
    tries = zip(itertools.cycle(DOORS[:3]), itertools.islice(addresses(), 40))
    with many_connections(folder):
        through = at_once(*[partial(passes, *each, "dana@example.com") for each in tries])
    assert {type(each) for each in through} == {bool}, through
    return sum(through)


@pytest.mark.usefixtures("_counting", "clock", "victim")
@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_reach_the_hash_five_times(
    tmp_path: Path, hashed: list[str]
) -> None:
    assert at_the_same_moment(tmp_path) == len(hashed) == 5


@pytest.mark.usefixtures("victim")
@pytest.mark.django_db(transaction=True)
def test_control_a_count_that_is_read_first_lets_more_through(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def use(name: str, key: str) -> limits.Usage:
        tried = caches["limits-local"].get(key, 0)
        time.sleep(0.1)
        caches["limits-local"].set(key, tried + 1)
        return limits.Usage({}, wait=tried // 5)

    monkeypatch.setattr(limits, "use", use)
    assert at_the_same_moment(tmp_path) == len(hashed) > 5


@pytest.mark.usefixtures("_counting", "victim")
def test_at_the_edge_of_a_minute_it_is_ten(hashed: list[str], clock: Clock) -> None:
    """Five at its end and five at the beginning of the next: a fixed window, and no worse."""
    strangers = addresses()

    def guess() -> int:
        """How many of ten reach the hash in this second."""
        hashed.clear()
        for _ in range(10):
            passes(as_customer, next(strangers), "dana@example.com")
        return len(hashed)

    assert guess() == 5
    began, clock.now = clock.now, clock.now + 1
    while not guess():  # until a minute begins
        clock.now += 1
        assert clock.now <= began + 60
    clock.now += 60 + 59
    reached = []
    for _ in range(62):
        reached.append(guess())
        clock.now += 1
    assert reached == [5, 5, *[0] * 59, 5]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("used", DOORS)
def test_the_doors_share_the_five(used: Any, door: Any, victim: Persona, hashed: list[str]) -> None:
    strangers = addresses()
    assert all(passes(used, next(strangers), "dana@example.com") for _ in range(5))
    hashed.clear()
    assert not passes(door, next(strangers), "dana@example.com", PASSWORD), "and not if it is right"
    assert hashed == []


@pytest.mark.usefixtures("clock")
def test_an_email_is_the_same_however_it_is_spelled(victim: Persona, hashed: list[str]) -> None:
    spellings = ["dana@example.com", "DANA@EXAMPLE.COM", " Dana@Example.com", "dana@example.com\t"]
    tries = zip(itertools.cycle(spellings), itertools.cycle(DOORS), addresses())
    for spelling, door, address in itertools.islice(tries, 20):
        passes(door, address, spelling)
    assert len(hashed) == 5


@pytest.mark.usefixtures("clock")
def test_one_account_under_attack_blocks_no_other(victim: Persona, tom: Persona) -> None:
    strangers = addresses()
    for _ in range(6):
        passes(as_customer, next(strangers), "dana@example.com")
    assert passes(as_customer, next(strangers), "tom@example.com")


@pytest.mark.usefixtures("clock")
def test_too_many_says_the_same_of_known_and_unknown(victim: Persona) -> None:
    said, strangers = [], addresses()
    for email in ("dana@example.com", "nobody.at.all@example.com"):
        caller = nobody()
        for _ in range(6):
            answer = caller.post(
                "/customers/login",
                {"email": email, "password": WRONG},
                REMOTE_ADDR=next(strangers),
            )
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        # The limit that refused: the caller's own has calls left.
        assert answer["RateLimit-Limit"] == "5"
        assert answer["RateLimit-Remaining"] == "0"
        assert answer["RateLimit-Reset"] == answer["Retry-After"]
        del answer["X-Request-ID"]
        said.append((answer.content, dict(answer.headers)))
    assert said[0] == said[1]


def test_off_is_off_and_the_command_line_is_nobodys_guess(
    victim: Persona, settings: Any, clock: Clock
) -> None:
    for _ in range(7):
        with pytest.raises(EmailTaken):
            second_hat("dana@example.com", WRONG)
    settings.RATE_LIMITS = None
    strangers = addresses()
    assert all(passes(as_customer, next(strangers), "dana@example.com") for _ in range(7))


# --- The person themselves ------------------------------------------------------------------------


@pytest.mark.usefixtures("_counting")
@pytest.mark.parametrize("before", [as_customer, back_office])
def test_who_has_signed_in_from_there_is_not_locked_out(
    before: Any, victim: Persona, hashed: list[str], clock: Clock
) -> None:
    assert passes(before, HOME, "Dana@example.com", PASSWORD)
    strangers = addresses()
    for _ in range(3):
        clock.now += 60
        for _ in range(50):
            passes(as_customer, next(strangers), "dana@example.com")
        for door in (as_customer, as_mechanic, back_office):
            assert passes(door, HOME, "dana@example.com", PASSWORD)
        assert not passes(as_customer, next(strangers), "dana@example.com", PASSWORD)


@pytest.mark.usefixtures("clock")
def test_a_known_address_has_its_five_and_no_more(victim: Persona, hashed: list[str]) -> None:
    assert passes(as_customer, HOME, "dana@example.com", PASSWORD)
    hashed.clear()
    for door in itertools.islice(itertools.cycle(DOORS), 20):
        passes(door, HOME, "dana@example.com")
    assert len(hashed) == 5
    assert passes(as_customer, next(addresses()), "dana@example.com"), "the strangers' are left"


@pytest.mark.usefixtures("clock")
def test_a_guess_that_was_wrong_makes_no_address_known(victim: Persona) -> None:
    strangers = [str(address) for address in itertools.islice(addresses(), 6)]
    for address in strangers[:5]:
        assert passes(as_customer, address, "dana@example.com")
    assert not any(passes(as_customer, address, "dana@example.com") for address in strangers)


@pytest.mark.usefixtures("clock")
def test_knowing_one_account_there_is_knowing_no_other(victim: Persona, tom: Persona) -> None:
    """An attacker signs in to an account of their own first."""
    strangers = [str(address) for address in itertools.islice(addresses(), 6)]
    for address in strangers:
        with calling_from(address):
            guessing.remember_address("tom@example.com")
    guessed = [passes(as_customer, address, "dana@example.com") for address in strangers]
    assert guessed == [True] * 5 + [False]


def test_no_cache_learns_an_email(victim: Persona) -> None:
    kept: list[str] = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                kept.append(repr((args, kwargs)))
                return getattr(caches["default"], name)(*args, **kwargs)

            return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guessing, "caches", {"limits": Listening(), "limits-local": Listening()})
        patch.setattr("django_ratelimit.core.caches", {"limits": Listening()})
        assert passes(as_customer, HOME, "dana@example.com", PASSWORD)
    assert len(kept) > 2
    assert "dana" not in "".join(kept)


# --- Signing up -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("clock", "hashed")
def test_each_new_account_does_not_buy_five_more(settings: Any) -> None:
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"
    made = 0
    caller = nobody()
    for number in range(12):
        body = {"name": "Chain Link", "email": f"link{number}@example.com", "phone": "+1 555 0100"}
        answer = caller.post("/customers", body | {"password": PASSWORD}, REMOTE_ADDR=HOME)
        if answer.status_code == 201:
            made += 1
            # The newest account takes over.
            caller = nobody()
            signed_in = caller.post(
                "/customers/login",
                {"email": body["email"], "password": PASSWORD},
                REMOTE_ADDR=f"203.0.113.{number}",
            )
            caller.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in.json()['token']}")
    assert made == 5
