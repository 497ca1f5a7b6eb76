"""Who comes to the counter and leaves an e-mail is safe from whoever registers with it."""

import datetime
from typing import Any

import pytest

from autoful.accounts.tests.factories import PASSWORD
from autoful.actor import COMMAND, Role
from autoful.testing.personas import Persona, nobody, wearing
from customers.models import Customer, Vehicle
from customers.registration import enter_walk_in
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

EMAIL = "wanda@home.example"
VIN = "JH4KA8260MC000000"
# What is theirs, and stands in no public view. The e-mail the newcomer knows already.
SECRETS = ("Walker", "+1 555 771 1221", VIN, "Argued about the bill", "QX-771")


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"


@pytest.fixture
def ticket() -> ServiceTicket:
    """Wanda's, who has no account."""
    wanda = enter_walk_in(name="Wanda Walker", email=EMAIL, phone="+1 555 771 1221", actor=COMMAND)
    made = ServiceTicketFactory.create(
        customer=wanda,
        vin=VIN,
        notes="Argued about the bill",
        mechanics=[MechanicFactory.create()],
        service_date=datetime.date(2025, 3, 14),
    )
    Vehicle.objects.update(plate="QX-771")
    return made


def wandas(ticket: ServiceTicket) -> Any:
    """Her record, her car and her ticket, column by column."""
    return (
        Customer.objects.filter(pk=ticket.customer_id).values().get(),
        Vehicle.objects.filter(pk=ticket.vehicle_id).values().get(),
        ServiceTicket.objects.filter(pk=ticket.pk).values().get(),
    )


def sees_nothing_of_hers(person: Persona, ticket: ServiceTicket) -> None:
    pages = {
        path: person.get(path)
        for path in (
            *("/customers", "/customers?per_page=100", "/customers/top", "/inventory"),
            *(f"/customers/{person.id}", f"/customers/{ticket.customer_id}"),
            *("/customers/my-tickets", "/service_tickets", f"/service_tickets/{ticket.pk}"),
        )
    }
    for path, answer in pages.items():
        assert answer.status_code == 200, path
        assert not [text for text in SECRETS if text in answer.content.decode()], path
    assert pages["/customers/my-tickets"].json()["tickets"] == []
    mine = pages[f"/customers/{person.id}"].json()
    assert (mine["ticket_count"], mine["service_tickets"]) == (0, [])
    for method, path in (
        ("put", f"/customers/{ticket.customer_id}"),
        ("delete", f"/customers/{ticket.customer_id}"),
        ("patch", f"/service_tickets/{ticket.pk}"),
    ):
        assert getattr(person, method)(path, {"name": "Mine Now"}).status_code == 403
    # Filters are oracles: the e-mail that both have leads nobody to the other record.
    assert person.get(f"/customers?email={EMAIL}").status_code == 403
    assert person.get(f"/service_tickets?customer_id={ticket.customer_id}").status_code == 403


def signed_in(role: str, email: str) -> Persona:
    answer = nobody().post(f"/{role}s/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    person = nobody()
    person.profile = type("Profile", (), {"pk": answer.json()[f"{role}_id"]})
    person.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return person


@pytest.mark.parametrize("email", [EMAIL, "WANDA@Home.Example"])
def test_registering_with_her_email(email: str, ticket: ServiceTicket) -> None:
    before = wandas(ticket)
    body = {"name": "Eve Newcomer", "email": email, "phone": "+1 555 010 2030"}
    made = nobody().post("/customers", body | {"password": PASSWORD})
    assert made.status_code == 201
    assert made.json()["id"] != ticket.customer_id
    assert made.json()["ticket_count"] == 0
    assert not [text for text in SECRETS if text in made.content.decode()]
    sees_nothing_of_hers(signed_in("customer", EMAIL), ticket)
    assert wandas(ticket) == before


def test_changing_ones_email_to_hers(ticket: ServiceTicket, sarah: Persona) -> None:
    before = wandas(ticket)
    changed = sarah.put(f"/customers/{sarah.id}", {"email": EMAIL})
    assert changed.status_code == 200
    assert not [text for text in SECRETS if text in changed.content.decode()]
    sees_nothing_of_hers(sarah, ticket)
    assert wandas(ticket) == before


def test_a_mechanic_taking_her_email_is_not_her(ticket: ServiceTicket, mike: Persona) -> None:
    """A mechanic sees the shop's data; as a customer they see their own, and hers is not."""
    before = wandas(ticket)
    customer = wearing(Role.CUSTOMER, mike.user, name=mike.name, email=mike.user.email)
    assert mike.put(f"/mechanics/{mike.id}", {"email": EMAIL}).status_code == 200
    customer.profile.refresh_from_db()
    assert customer.profile.email == EMAIL, "the hat of the same person follows"
    sees_nothing_of_hers(customer, ticket)
    assert wandas(ticket) == before


def test_signing_up_as_a_mechanic_and_then_as_a_customer(ticket: ServiceTicket) -> None:
    before = wandas(ticket)
    body = {"name": "Eve Newcomer", "email": EMAIL, "phone": "+1 555 010 2030"}
    body["password"] = PASSWORD
    assert nobody().post("/mechanics", body | {"salary": 1000}).status_code == 201
    assert nobody().post("/customers", body).status_code == 201
    sees_nothing_of_hers(signed_in("customer", EMAIL), ticket)
    assert wandas(ticket) == before


def test_her_car_brought_in_by_somebody_else_brings_no_history(
    ticket: ServiceTicket, sarah: Persona, mike: Persona
) -> None:
    """The shop enters a ticket for the newcomer with her VIN: an old ticket stays hers."""
    opened = mike.post(
        "/service_tickets",
        {
            "customer_id": sarah.id,
            "VIN": VIN,
            "service_desc": "Oil change",
            "service_date": "2025-04-01",
        },
    )
    assert opened.status_code == 201
    mine = sarah.get("/customers/my-tickets").json()["tickets"]
    assert [row["id"] for row in mine] == [opened.json()["id"]]
    old = sarah.get(f"/service_tickets/{ticket.pk}")
    assert not [text for text in SECRETS if text in old.content.decode()]
