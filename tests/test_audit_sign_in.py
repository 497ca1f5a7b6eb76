"""Sign-ins and refused sign-ins are in the audit trail."""

from typing import Any

import pytest
from auditlog.models import LogEntry

from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.actor import COMMAND
from autoful.testing.personas import Persona
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


ADDRESS = "203.0.113.9"
FROM: dict[str, Any] = {"HTTP_X_REQUEST_ID": "the-clients-own-id-42", "REMOTE_ADDR": ADDRESS}


def last_entry() -> int:
    newest = LogEntry.objects.order_by("-id").first()
    return newest.pk if newest else 0


def since(last: int) -> list[LogEntry]:
    return list(LogEntry.objects.filter(pk__gt=last).order_by("id"))


def sign_in(client: Persona, role: str, email: str, password: str = PASSWORD) -> Any:
    body = {"email": email, "password": password}
    return client.post(f"/{role}s/login", body, **FROM)


def test_a_sign_in_is_recorded(nobody: Persona, sarah: Persona) -> None:
    before = last_entry()
    answer = sign_in(nobody, "customer", "sarah@example.com")
    assert answer.status_code == 200
    (entry,) = since(before)
    assert (entry.actor, entry.object_id, entry.changes) == (sarah.user, sarah.user.pk, {})
    assert entry.action == LogEntry.Action.ACCESS
    assert entry.additional_data == {
        "event": "signed in",
        "role": "customer",
        "profile_id": sarah.id,
    }
    assert (entry.cid, entry.remote_addr) == (answer["X-Request-ID"], ADDRESS)


@pytest.mark.parametrize(
    ("role", "email", "password"),
    [
        ("customer", "sarah@example.com", "wrong password"),
        ("mechanic", "sarah@example.com", PASSWORD),
        ("customer", "unknown@example.com", PASSWORD),
        ("customer", "closed@example.com", PASSWORD),
    ],
)
def test_a_refused_sign_in_is_recorded(
    role: str, email: str, password: str, nobody: Persona, sarah: Persona
) -> None:
    CustomerFactory.create(user=UserFactory.create(email="closed@example.com", is_active=False))
    before = last_entry()
    answer = sign_in(nobody, role, email, password)
    assert answer.status_code == 401
    (entry,) = since(before)
    known = User.objects.filter(email=email).first()
    assert (entry.actor, entry.object_id) == (None, known.pk if known else None)
    assert entry.additional_data == {"event": "sign-in refused", "hat": role, "role": "nobody"}
    assert (entry.cid, entry.remote_addr) == (answer["X-Request-ID"], ADDRESS)


def test_a_mechanic_not_approved_yet_is_recorded(nobody: Persona) -> None:
    MechanicFactory.create(user=UserFactory.create(email="new@example.com"), approved=False)
    before = last_entry()
    assert sign_in(nobody, "mechanic", "new@example.com").status_code == 403
    assert [entry.additional_data["event"] for entry in since(before)] == ["sign-in refused"]


def test_the_back_offices_sign_ins_are_recorded(nobody: Persona, boss: Persona) -> None:
    for password, event in (("wrong password", "sign-in refused"), (PASSWORD, "signed in")):
        before = last_entry()
        answer = nobody.post(
            "/admin/login/",
            {"username": "boss@example.com", "password": password},
            format="multipart",
            **FROM,
        )
        (entry,) = [e for e in since(before) if e.action == LogEntry.Action.ACCESS]
        assert (entry.additional_data["event"], entry.object_id) == (event, boss.user.pk)
        assert (entry.cid, entry.remote_addr) == (answer["X-Request-ID"], ADDRESS)


def close_while_hashing(sarah: Persona, nobody: Persona, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sarah's account is closed while somebody tries a password of hers; what the trail says."""

    def check(user: User, password: str) -> bool:
        close_customer(customer=sarah.profile, actor=COMMAND)
        return False

    monkeypatch.setattr(User, "check_password", check)
    assert sign_in(nobody, "customer", "sarah@example.com").status_code == 401
    return str([list(entry.values()) for entry in LogEntry.objects.values()])


def test_a_try_does_not_bring_back_the_email_of_a_closed_account(
    sarah: Persona, nobody: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = close_while_hashing(sarah, nobody, monkeypatch)
    assert "sign-in refused" in said
    assert "sarah@example.com" not in said


def test_control_without_reading_again_it_would(
    sarah: Persona, nobody: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoful.accounts.sign_in._again", lambda account_id: sarah.user)
    assert "sarah@example.com" in close_while_hashing(sarah, nobody, monkeypatch)
