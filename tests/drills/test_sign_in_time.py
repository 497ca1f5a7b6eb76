"""However a sign-in is wrong, it takes as long: nobody learns by the clock who has an account.

Two hundred tries of each kind at full size. The kinds take turns, so that whatever else the machine
does falls on all alike, and the medians of those at one door are compared.
"""

import statistics
import time
from typing import Any

import pytest

from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND
from autoful.testing.personas import Persona, boss, customer, mechanic, nobody
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory
from mechanics.tests.factories import MechanicFactory
from tests.drills import control, scaled

pytestmark = pytest.mark.django_db

RIGHT, WRONG = "correct horse battery", "wrong horse battery"
GAP = 0.05
TRIES = scaled(full=200, small=8)
FULL = bool(scaled(full=True, small=False))
# By door. A walk-in is a customer whom the front desk entered: an e-mail without an account.
DOORS = {
    "/customers/login": {
        "wrong password": ("sarah@example.com", WRONG),
        "unknown": ("unknown@example.com", WRONG),
        "wrong role": ("mike@example.com", RIGHT),
        "deactivated": ("off@example.com", RIGHT),
        "closed": ("gone@example.com", RIGHT),
        "walk-in": ("walkin@example.com", WRONG),
    },
    "/mechanics/login": {
        "wrong password": ("mike@example.com", WRONG),
        "unknown": ("unknown@example.com", WRONG),
        "wrong role": ("sarah@example.com", RIGHT),
        "not approved, wrong password": ("wendy@example.com", WRONG),
    },
    "/admin/login/": {
        "wrong password": ("boss@example.com", WRONG),
        "unknown": ("unknown@example.com", WRONG),
        "not of the back office": ("sarah@example.com", RIGHT),
    },
}


@pytest.fixture
def caller(settings: Any) -> Persona:
    settings.RATE_LIMITS = None
    settings.WHITENOISE_USE_FINDERS = False
    customer("Sarah Johnson", "sarah@example.com")
    mechanic("Mike Chen", "mike@example.com")
    boss()
    off = customer("Off Duty", "off@example.com")
    off.user.is_active = False
    off.user.save()
    close_customer(customer=customer("Gone Away", "gone@example.com").profile, actor=COMMAND)
    CustomerFactory.create(user=None, email="walkin@example.com")
    MechanicFactory.create(user=UserFactory.create(email="wendy@example.com"), approved=False)
    return nobody()


def seconds(caller: Persona, door: str, kind: str) -> float:
    email, password = DOORS[door][kind]
    is_page = door.startswith("/admin/")
    body = {"username" if is_page else "email": email, "password": password}
    started = time.perf_counter()
    answer = caller.post(door, body, format="multipart" if is_page else "json")
    taken = time.perf_counter() - started
    # The page comes back with what is wrong.
    assert answer.status_code == (200 if is_page else 401)
    return taken


def measured(caller: Persona, door: str, tries: int) -> dict[str, list[float]]:
    kinds = list(DOORS[door])
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind in kinds:  # what is slow only the first time
        seconds(caller, door, kind)
    for turn in range(tries):
        # Nobody always goes after the same one.
        first = turn % len(kinds)
        for kind in kinds[first:] + kinds[:first]:
            taken[kind].append(seconds(caller, door, kind))
    return taken


def gap(taken: dict[str, list[float]]) -> tuple[float, float]:
    """How far the medians lie apart, as a share of the quickest, and how far chance puts them.

    The second is four standard errors of the difference of two medians, the spread taken from the
    middle half of the tries: a machine that does other things stretches the rest.
    """
    medians = [statistics.median(times) for times in taken.values()]
    errors = []
    for times in taken.values():
        low, _, high = statistics.quantiles(times, n=4)
        errors.append(1.2533 * (high - low) / 1.349 / len(times) ** 0.5)
    fastest = min(medians)
    return (max(medians) - fastest) / fastest, 4 * 2**0.5 * max(errors) / fastest


@pytest.mark.parametrize("door", DOORS if FULL else ["/customers/login"])
def test_every_kind_of_wrong_takes_as_long(door: str, caller: Persona) -> None:
    """At full size on a machine with nothing else to do: within 5 %."""
    found, chance = gap(measured(caller, door, TRIES))
    allowed = GAP if FULL else GAP + chance
    assert found < allowed, f"{found:.1%} apart, and chance makes {chance:.1%}"


@control
def test_control_without_the_equalising_hash(
    caller: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoful.accounts.sign_in.make_password", lambda password: "")
    found, chance = gap(measured(caller, "/customers/login", 20))
    assert found > 5, f"{found:.1%} apart, and chance makes {chance:.1%}"
