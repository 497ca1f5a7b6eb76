"""However a sign-in is wrong, it takes as long: nobody learns by the clock who has an account.

Two hundred tries of each kind at full size. The kinds take turns, so that whatever else the machine
does falls on all alike, and their medians are compared.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from autoful.actor import COMMAND
from autoful.testing.personas import Persona, customer, mechanic, nobody
from customers.registration import close_customer
from tests.drills import control, scaled

pytestmark = pytest.mark.django_db

RIGHT, WRONG = "correct horse battery", "wrong horse battery"
GAP = 0.05
TRIES = scaled(full=200, small=8)
FULL = bool(scaled(full=True, small=False))
KINDS = {
    "wrong password": ("customers", "sarah@example.com", WRONG),
    "unknown": ("customers", "unknown@example.com", WRONG),
    "wrong role": ("customers", "mike@example.com", RIGHT),
    "deactivated": ("customers", "off@example.com", RIGHT),
    "closed": ("customers", "gone@example.com", RIGHT),
}


@pytest.fixture
def caller(settings: Any) -> Iterator[Persona]:
    settings.RATE_LIMITS = None
    customer("Sarah Johnson", "sarah@example.com")
    mechanic("Mike Chen", "mike@example.com")
    off = customer("Off Duty", "off@example.com")
    off.user.is_active = False
    off.user.save()
    close_customer(customer=customer("Gone Away", "gone@example.com").profile, actor=COMMAND)
    client = nobody()
    for kind in KINDS:  # what is slow only the first time
        seconds(client, kind)
    yield client


def seconds(caller: Persona, kind: str) -> float:
    door, email, password = KINDS[kind]
    started = time.perf_counter()
    answer = caller.post(f"/{door}/login", {"email": email, "password": password})
    taken = time.perf_counter() - started
    assert answer.status_code == 401
    return taken


def measured(caller: Persona, tries: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(tries):
        # Nobody always goes after the same one.
        order = list(KINDS)[turn % len(KINDS) :] + list(KINDS)[: turn % len(KINDS)]
        for kind in order:
            taken[kind].append(seconds(caller, kind))
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


def test_every_kind_of_wrong_takes_as_long(caller: Persona) -> None:
    """At full size on a machine with nothing else to do: within 5 %."""
    found, chance = gap(measured(caller, TRIES))
    allowed = GAP if FULL else GAP + chance
    assert found < allowed, f"{found:.1%} apart, and chance makes {chance:.1%}"


@control
def test_control_without_the_equalising_hash(
    caller: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoful.accounts.sign_in.make_password", lambda password: "")
    found, chance = gap(measured(caller, 20))
    assert found > 5, f"{found:.1%} apart, and chance makes {chance:.1%}"
