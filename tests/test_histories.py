"""The history of each object in the back office, as its reader finds it."""

from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape

from autoful.accounts.models import User
from autoful.actor import COMMAND, Actor, Role
from autoful.admin.history import sentence
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.models import Customer, Vehicle
from customers.registration import change_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from customers.vehicles import save_vehicle
from inventory.models import Part
from inventory.parts import change_part, delete_part, enter_part
from inventory.stock import receive, take
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.registration import approve, change_mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.assignment import assign, release
from tickets.lifecycle import edit_ticket, transition
from tickets.models import ServiceTicket
from tickets.parts import add_part
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status


def told(user: User, row: Any) -> list[str]:
    """Oldest first."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_history"
    page: Any = Desk(user).get(reverse(name, args=(row.pk,)))
    assert page.status_code == 200
    events = page.context_data["events"]
    shown = page.content.decode()
    for event in events:
        for said in (event.who.name, event.who.hat, event.what):
            assert escape(said) in shown
    return [f"{event.who.name} {event.what}" for event in reversed(events)]


def as_mechanic(mechanic: Mechanic) -> Actor:
    return Actor(Role.MECHANIC, mechanic.user, mechanic.pk)


def test_a_part(boss: Persona) -> None:
    mike = as_mechanic(MechanicFactory.create(name="Mike Chen"))
    fields = {"part_name": "Brake Pad Set", "price": Decimal("39.00"), "location": "A1"}
    part = enter_part(fields=fields, quantity_in_stock=50, actor=COMMAND)
    fields = {"price": Decimal("42.90"), "location": "", "category": "Brakes"}
    change_part(part=part, fields=fields, actor=boss.actor)
    take(part_id=part.pk, quantity=2, reference="ticket-1", actor=mike)
    first, *others = told(boss.user, part)
    assert first.startswith("Autoful entered this: name Brake Pad Set; ")
    assert "price 39.00" in first and "cost" not in first  # it has none
    changed = next(said for said in others if said.startswith(boss.user.email))
    for each in (
        "changed price from 39.00 to 42.90",
        "emptied location: A1",
        "set category to Brakes",
    ):
        assert each in changed
    assert "Mike Chen changed stock from 50 to 48 (used for ticket-1)" in others


def test_what_may_not_be_seen_has_changed_and_no_more(boss: Persona, clerk: Persona) -> None:
    mike = MechanicFactory.create(name="Mike Chen", salary=Decimal("54321.99"), approved=False)
    change_mechanic(mechanic=mike, salary=Decimal("60000"), actor=boss.actor)
    approve(mechanic=mike, actor=boss.actor)
    assert told(boss.user, mike)[-2:] == [
        f"{boss.user.email} changed salary from 54321.99 to 60000.00",
        f"{boss.user.email} changed approved from no to yes",
    ]
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_mechanic"))
    seen = told(User.objects.get(pk=clerk.user.pk), mike)
    assert seen[-2] == f"{boss.user.email} changed salary"
    assert not any("54321" in said or "60000" in said for said in seen)


def test_whose_it_was_and_is(boss: Persona) -> None:
    sarah, tom = (CustomerFactory.create(name=name) for name in ("Sarah Miller", "Tom Reed"))
    car = VehicleFactory.create(customer=sarah)
    car.customer = tom
    save_vehicle(vehicle=car, changed=["customer"], actor=boss.actor)
    assert told(boss.user, car)[-1] == (
        f"{boss.user.email} changed owner from Sarah Miller to Tom Reed"
    )
    # In the list of all entries, which looks nothing up, by number.
    entry = LogEntry.objects.get_for_object(car).first()
    assert sentence(entry, set()) == (f"changed owner from no. {sarah.pk} to no. {tom.pk}")


def test_another_one_of_the_same_name_is_told_by_number(boss: Persona) -> None:
    one, other = (CustomerFactory.create(name="Sarah Miller") for _ in range(2))
    car = VehicleFactory.create(customer=one)
    car.customer = other
    save_vehicle(vehicle=car, changed=["customer"], actor=boss.actor)
    assert told(boss.user, car)[-1].endswith(
        f"changed owner from Sarah Miller (no. {one.pk}) to Sarah Miller (no. {other.pk})"
    )


def test_what_was_deleted_can_still_be_read() -> None:
    fields = {"part_name": "Pad", "price": Decimal("2.00"), "cost": Decimal("1.23")}
    part = Part.objects.create(**fields)
    delete_part(part=part, actor=COMMAND)
    entry = LogEntry.objects.filter(action=LogEntry.Action.DELETE).latest("pk")
    assert sentence(entry, set()) == (
        "deleted this: name Pad; price 2.00; cost 1.23; stock 0; reorder point 5"
    )
    assert "1.23" not in sentence(entry, {"cost"})


def test_days_and_moments_are_told_as_the_shop_writes_them(settings: Any, boss: Persona) -> None:
    settings.TIME_ZONE = "America/Denver"
    ticket = ServiceTicketFactory.create()
    transition(ticket=ticket, to=ServiceTicket.Status.IN_PROGRESS, actor=boss.actor)
    transition(ticket=ticket, to=ServiceTicket.Status.COMPLETED, actor=boss.actor)
    ticket.refresh_from_db()
    entries = LogEntry.objects.get_for_object(ticket)
    said = " ".join(sentence(entry, set()) for entry in entries)
    ended = timezone.localtime(ticket.completed_at)
    assert f"set completed to {date_format(ended, 'j M Y, H:i')}" in said
    assert f"service date {date_format(ticket.service_date, 'j M Y')}" in said


def test_customers_are_named_to_whoever_sees_them_and_mechanics_to_all_who_work_here(
    boss: Persona, clerk: Persona
) -> None:
    mike = MechanicFactory.create(name="Mike Chen")
    ticket = ServiceTicketFactory.create()
    assign(ticket=ticket, mechanic_id=mike.pk, actor=boss.actor)
    release(ticket=ticket, mechanic_id=mike.pk, actor=boss.actor)
    assert [said.partition(" ")[2] for said in told(boss.user, ticket)[-2:]] == [
        "put on the team: Mike Chen",
        "took off the team: Mike Chen",
    ]
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_serviceticket"))
    seen = told(User.objects.get(pk=clerk.user.pk), ticket)
    assert seen[-2].endswith("put on the team: Mike Chen")
    assert not any(ticket.customer.name in said for said in seen)


def test_a_tickets_parts_and_moves(boss: Persona) -> None:
    mike = as_mechanic(MechanicFactory.create(name="Mike Chen"))
    fields = {"part_name": "Brake Pad Set", "price": Decimal(39)}
    part = enter_part(fields=fields, quantity_in_stock=50, actor=COMMAND)
    ticket = ServiceTicketFactory.create()
    transition(ticket=ticket, to=ServiceTicket.Status.IN_PROGRESS, actor=mike)
    add_part(ticket=ticket, part_id=part.pk, quantity=2, actor=mike)
    assert told(boss.user, ticket)[-2:] == [
        "Mike Chen moved the ticket to in progress",
        "Mike Chen added 2 × Brake Pad Set, stock 48",  # noqa: RUF001
    ]


def test_parts_are_not_told_to_whoever_sees_none(boss: Persona, clerk: Persona) -> None:
    part = PartFactory.create(part_name="Secret Part", quantity_in_stock=50)
    ticket = ServiceTicketFactory.create()
    add_part(ticket=ticket, part_id=part.pk, quantity=2, actor=COMMAND)
    sees = Permission.objects.get(codename="view_serviceticket")
    clerk.user.user_permissions.set([sees])
    seen = told(User.objects.get(pk=clerk.user.pk), ticket)
    assert seen[-1] == f"Autoful added 2 × part {part.pk}"  # noqa: RUF001
    assert told(boss.user, ticket)[-1].endswith("Secret Part, stock 48")


def test_a_long_history_is_leafed_through(boss: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event once, whichever of its sources it comes from; the page of the ticket shows the latest."""
    mike = as_mechanic(MechanicFactory.create(name="Mike Chen"))
    part = PartFactory.create(quantity_in_stock=500)
    ticket = ServiceTicketFactory.create()
    for n in range(20):
        add_part(ticket=ticket, part_id=part.pk, quantity=1, actor=mike)
        edit_ticket(ticket=ticket, fields={"notes": f"Note {n:02}"}, actor=mike)
        to = Status.ON_HOLD if n % 2 else Status.IN_PROGRESS
        transition(ticket=ticket, to=to, actor=mike, reason=f"Reason {n}")
    monkeypatch.setattr("autoful.admin.history_page.EVENTS", 15)
    desk, name = Desk(boss.user), f"/admin/tickets/serviceticket/{ticket.pk}"
    pages: list[Any] = [desk.get(f"{name}/history/", {"p": n}) for n in (1, 2, 3, 4, 5)]
    whole = [event for page in pages for event in page.context_data["events"]]
    assert [len(page.context_data["events"]) for page in pages] == [15, 15, 15, 15, 1]
    assert [event.when for event in whole] == sorted((e.when for e in whole), reverse=True)
    assert len({event.what for event in whole}) == 61
    older = ["Older" in page.content.decode() for page in pages]
    assert older == [True, True, True, True, False]
    for odd in ("0", "-1", "x", "9" * 30, "101"):
        assert desk.get(f"{name}/history/", {"p": odd}).context_data["page"] == 1
    shown: Any = desk.get(f"{name}/change/")
    assert [e.what for e in shown.context_data["timeline"]] == [e.what for e in whole[:30]]
    assert f"{name}/history/" in shown.content.decode().partition("Timeline")[2]


def test_a_secret_is_told_as_changed(boss: Persona, sarah: Persona) -> None:
    sarah.user.set_password("another-secret-1")
    sarah.user.save()
    entries = LogEntry.objects.get_for_object(sarah.user)
    said = [sentence(entry, set()) for entry in entries]
    assert "changed password" in said
    assert not any("***" in text or "bcrypt" in text for text in said)


@pytest.mark.parametrize("model", [Customer, Mechanic, Part, ServiceTicket, Vehicle])
def test_it_costs_the_same_however_much_has_happened(model: Any, boss: Persona) -> None:
    row: Any = {
        Customer: CustomerFactory.create,
        Mechanic: MechanicFactory.create,
        Part: lambda: enter_part(
            fields={"part_name": "Pad", "price": Decimal(2)}, quantity_in_stock=9, actor=COMMAND
        ),
        ServiceTicket: ServiceTicketFactory.create,
        Vehicle: VehicleFactory.create,
    }[model]()

    def happen() -> None:
        actor = as_mechanic(MechanicFactory.create())
        if model is Part:
            receive(part=row, quantity=1, actor=actor)
        elif model is ServiceTicket:
            assign(ticket=row, mechanic_id=actor.profile_id, actor=actor)
        elif model is Vehicle:
            row.customer = CustomerFactory.create()
            save_vehicle(vehicle=row, changed=["customer"], actor=actor)
        else:
            name = f"Named by {actor.profile_id}"
            if model is Customer:
                change_customer(customer=row, name=name, actor=actor)
            else:
                change_mechanic(mechanic=row, name=name, actor=actor)

    def queries() -> int:
        with Statements(connection) as seen:
            told(boss.user, row)
        return len(seen)

    happen()
    queries()
    few, before = queries(), LogEntry.objects.get_for_object(row).count()
    for _ in range(4):
        happen()
    assert LogEntry.objects.get_for_object(row).count() >= before + 4
    assert queries() == few
