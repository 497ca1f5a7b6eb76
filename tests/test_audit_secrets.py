"""No entry and no log line holds a secret, and nothing stays of who has left."""

import json
import logging
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import connection

from autoful.accounts.models import User
from autoful.accounts.tests.factories import UserFactory
from autoful.accounts.tokens import issue
from autoful.actor import COMMAND, Role
from autoful.testing.personas import Persona
from customers import registration as customer_desk
from customers.models import Vehicle
from customers.tests.factories import CustomerFactory
from mechanics import registration as mechanic_desk
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


def everything_recorded() -> str:
    """Every column of every entry, Django's own log of the admin among them."""
    text = []
    for table in ("auditlog_logentry", "django_admin_log"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            text += [repr(row) for row in cursor.fetchall()]
    return "\n".join(text)


def test_no_secret_is_recorded_or_logged(nobody: Persona, caplog: pytest.LogCaptureFixture) -> None:
    secrets = ["first secret phrase", "second secret phrase", "wrong secret phrase"]
    caplog.set_level(logging.DEBUG)
    body = {"name": "Ann", "email": "ann@example.com", "phone": "+1 555 0100"}
    made = nobody.post("/customers", body | {"password": secrets[0]})
    assert made.status_code == 201
    nobody.post("/mechanics", body | {"password": secrets[0], "salary": 1000})
    hashes = [User.objects.get().password]
    signed_in = nobody.post(
        "/customers/login", {"email": "ann@example.com", "password": secrets[0]}
    )
    tokens = [signed_in.json()["token"]]
    nobody.post("/customers/login", {"email": "ann@example.com", "password": secrets[2]})
    nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens[0]}")
    changed = nobody.put(f"/customers/{made.json()['id']}", {"password": secrets[1]})
    assert changed.status_code == 200
    user = User.objects.get()
    hashes.append(user.password)
    assert nobody.get("/customers").status_code == 401  # the old token
    nobody.post("/customers/login", data="{" + secrets[2], content_type="application/json")
    tokens.append(str(issue(Role.CUSTOMER, user.customer, user)))
    nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens[1]}")
    assert nobody.delete(f"/customers/{made.json()['id']}").status_code == 200

    recorded = everything_recorded()
    logged = "\n".join(json.dumps(vars(record), default=repr) for record in caplog.records)
    assert "ann" in recorded.lower()
    assert "customers/" in logged
    for secret in [*secrets, *hashes, *(part for t in tokens for part in t.split(".")[1:])]:
        assert secret not in recorded
        assert secret not in logged


PERSONAL = ["Zebediah", "Quux", "zeb@example.com", "zeb-new@example.com", "555 777", "ZEB 123"]


def traces(record: str) -> list[str]:
    return [word for word in PERSONAL if word in record]


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_closed_customer_stays_in_the_entries(boss: Persona) -> None:
    user = UserFactory.create(email="zeb@example.com")
    customer = CustomerFactory.create(user=user, name="Zebediah Quux", phone="+1 555 777 1")
    ServiceTicketFactory.create(customer=customer, mechanics=[MechanicFactory.create()])
    vehicle = Vehicle.objects.get()
    vehicle.plate = "ZEB 123"
    vehicle.save()
    customer_desk.change_customer(
        customer=customer, email="zeb-new@example.com", phone="+1 555 777 2", actor=COMMAND
    )
    assert traces(everything_recorded()) == PERSONAL
    count = LogEntry.objects.count()
    customer_desk.close_customer(customer=customer, actor=COMMAND)
    assert traces(everything_recorded()) == []
    assert LogEntry.objects.count() > count  # who changed which field and when stays


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_departed_mechanic_but_the_name_stays_in_the_entries() -> None:
    user = UserFactory.create(email="zeb@example.com")
    mechanic = MechanicFactory.create(
        user=user, name="Zebediah Quux", phone="+1 555 777 1", salary=61234
    )
    ServiceTicketFactory.create(mechanics=[mechanic])
    mechanic_desk.change_mechanic(mechanic=mechanic, email="zeb-new@example.com", actor=COMMAND)
    assert "61234" in everything_recorded()
    mechanic_desk.close_mechanic(mechanic=mechanic, actor=COMMAND)
    assert traces(everything_recorded()) == ["Zebediah", "Quux"]
    assert "61234" not in everything_recorded()


def test_the_others_entries_are_untouched_by_an_erasure(sarah: Persona, tom: Persona) -> None:
    customer_desk.close_customer(customer=sarah.profile, actor=COMMAND)
    record = everything_recorded()
    assert "Sarah Johnson" not in record
    assert "Tom Baker" in record
    assert "tom@example.com" in record
