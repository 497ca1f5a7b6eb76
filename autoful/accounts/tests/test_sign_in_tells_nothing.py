"""Whatever is wrong with a sign-in, it is the same words for the same work.

That it takes the same time is measured by tests/drills/test_sign_in_time.py.
"""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.db import connection
from django.test import Client

from autoful.accounts.account import closed_email
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.actor import COMMAND
from autoful.testing.personas import Persona, customer, mechanic
from autoful.testing.queries import Statements
from customers.registration import close_customer, enter_walk_in
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db

WRONG = "wrong horse battery"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def kinds() -> dict[str, tuple[str, str, str]]:
    """Door, e-mail and password of every kind of sign-in that is refused."""
    customer("Sarah Johnson", "sarah@example.com")
    mechanic("Mike Chen", "mike@example.com")
    UserFactory.create(email="clerk@example.com", is_staff=True)
    MechanicFactory.create(user=UserFactory.create(email="waiting@example.com"), approved=False)
    off = customer("Off Duty", "off@example.com")
    off.user.is_active = False
    off.user.save()
    gone = customer("Gone Away", "gone@example.com")
    close_customer(customer=gone.profile, actor=COMMAND)
    enter_walk_in(name="Wanda Walk", email="walk-in@example.com", actor=COMMAND)
    User.objects.exclude(pk=gone.user.pk).update(password=make_password(PASSWORD))
    return {
        "wrong password": ("customers", "sarah@example.com", WRONG),
        "unknown": ("customers", "unknown@example.com", WRONG),
        "wrong role": ("customers", "mike@example.com", PASSWORD),
        "wrong role and password": ("mechanics", "sarah@example.com", WRONG),
        "deactivated": ("customers", "off@example.com", PASSWORD),
        "deactivated, wrong": ("customers", "off@example.com", WRONG),
        "closed": ("customers", "gone@example.com", PASSWORD),
        "closed, by its new address": (
            "customers",
            closed_email(gone.user.pk),
            PASSWORD,
        ),
        "a walk-in": ("customers", "walk-in@example.com", PASSWORD),
        "the back office": ("mechanics", "clerk@example.com", PASSWORD),
        "waiting, wrong password": ("mechanics", "waiting@example.com", WRONG),
    }


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rounds of every hash that is computed."""
    rounds: list[int] = []
    encode = BCryptSHA256PasswordHasher.encode

    def counting(self: Any, password: str, salt: Any) -> str:
        text = salt.decode() if isinstance(salt, bytes) else salt
        rounds.append(int(text.split("$")[2]))
        return str(encode(self, password, salt))

    monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", counting)
    return rounds


def shape(query: dict[str, str]) -> str:
    """What a query does, without the values."""
    values = r"'(?:[^'\\]|\\.)*'|\bs\d+_x\d+\b|\b\d+\b|\bNULL\b|\bTrue\b|\bFalse\b"
    return re.sub(values, "?", query["sql"])[:90]


def test_the_same_words_for_the_same_work(
    kinds: dict[str, tuple[str, str, str]], hashed: list[int], nobody: Persona
) -> None:
    seen = {}
    nobody.post("/customers/login", {"email": "first@example.com", "password": WRONG})  # warm
    for kind, (door, email, password) in kinds.items():
        hashed.clear()
        with Statements(connection) as queries:
            answer = nobody.post(f"/{door}/login", {"email": email, "password": password})
        work = [shape(query).replace("mechanic", "customer") for query in queries]
        headers = set(answer.headers.items()) - {
            (name, answer[name]) for name in ("Allow", "X-Request-ID")
        }
        seen[kind] = (answer.status_code, answer.content, headers, list(hashed), work)
    expected = seen["wrong password"]
    assert expected[0] == 401
    assert len(expected[3]) == 1, "one hash"
    assert any("INSERT" in query for query in expected[4]), "one entry in the audit trail"
    for kind, found in seen.items():
        assert found == expected, kind


def test_control_without_the_equalising_hash_it_would_be_seen(
    kinds: dict[str, tuple[str, str, str]],
    hashed: list[int],
    nobody: Persona,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autoful.accounts.sign_in.make_password", lambda password: "")
    with pytest.raises(AssertionError, match="unknown"):
        test_the_same_words_for_the_same_work(kinds, hashed, nobody)


def test_the_back_offices_door_tells_nothing_either(
    kinds: dict[str, tuple[str, str, str]], hashed: list[int]
) -> None:
    tried = {
        "wrong password": ("clerk@example.com", WRONG),
        "unknown": ("unknown@example.com", WRONG),
        "no back office": ("sarah@example.com", PASSWORD),
        "deactivated": ("off@example.com", PASSWORD),
        "a walk-in": ("walk-in@example.com", PASSWORD),
    }
    seen = {}
    for kind, (email, password) in tried.items():
        hashed.clear()
        page = Client().post("/admin/login/", {"username": email, "password": password})
        said = page.context_data["form"].non_field_errors()
        seen[kind] = (page.status_code, list(said), list(hashed))
    assert len(seen["unknown"][2]) == 1
    for kind, found in seen.items():
        assert found == seen["unknown"], kind
