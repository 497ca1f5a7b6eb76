"""Who is named in histories and in the trail, and to whom."""

from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND, Actor, Role
from autoful.admin.history import sentence
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.models import Customer
from customers.registration import change_customer, close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from customers.vehicles import save_vehicle
from inventory.parts import change_part, enter_part
from inventory.stock import receive
from inventory.tests.factories import PartFactory
from mechanics.registration import close_mechanic
from mechanics.tests.factories import MechanicFactory
from tests.test_histories import as_mechanic, told
from tickets.assignment import assign
from tickets.lifecycle import edit_ticket, transition
from tickets.models import ServiceTicket
from tickets.parts import add_part
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status


def test_whoever_calls_themselves_somebody_else_is_told_by_what_they_are(boss: Persona) -> None:
    mike = MechanicFactory.create(name=boss.user.email)
    part = enter_part(
        fields={"part_name": "Pad", "price": Decimal(2)}, quantity_in_stock=9, actor=boss.actor
    )
    receive(part=part, quantity=1, actor=as_mechanic(mike))
    name = reverse("admin:inventory_part_history", args=(part.pk,))
    page: Any = Desk(boss.user).get(name)
    hats = {event.who.hat for event in page.context_data["events"]}
    assert hats == {f"mechanic {mike.pk}", "back office"}
    assert f"mechanic {mike.pk}</span>" in page.content.decode()


def test_a_mechanic_who_has_left_is_still_named(boss: Persona) -> None:
    mike = MechanicFactory.create(name="Mike Chen")
    part = enter_part(
        fields={"part_name": "Pad", "price": Decimal(2)}, quantity_in_stock=9, actor=COMMAND
    )
    receive(part=part, quantity=1, actor=as_mechanic(mike))
    close_mechanic(mechanic=mike, actor=boss.actor)
    assert "Mike Chen changed stock from 9 to 10 (received)" in told(boss.user, part)


def test_a_customer_is_named_to_whoever_sees_customers(boss: Persona, clerk: Persona) -> None:
    """By the hat they had on: who also works here is not told by the name they are a customer under."""
    sarah = CustomerFactory.create(name="Private Surname", user=UserFactory.create())
    mike = MechanicFactory.create(name="Shop Name", user=sarah.user)
    car = VehicleFactory.create(customer=sarah, colour="green")
    car.colour = "red"
    save_vehicle(vehicle=car, changed=["colour"], actor=Actor(Role.CUSTOMER, sarah.user, sarah.pk))
    car.colour = "blue"
    save_vehicle(vehicle=car, changed=["colour"], actor=as_mechanic(mike))
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_vehicle"))
    reader = User.objects.get(pk=clerk.user.pk)
    assert [said.partition(" changed")[0] for said in told(reader, car)[-2:]] == [
        f"customer {sarah.pk}",
        "Shop Name",
    ]
    assert told(boss.user, car)[-2].startswith("Private Surname changed")
    close_mechanic(mechanic=mike, actor=boss.actor)
    assert not any("Private Surname" in said for said in told(reader, car))


def test_a_closed_account_leaves_no_name(boss: Persona, sarah: Persona) -> None:
    customer = Customer.objects.get(pk=sarah.id)
    change_customer(customer=customer, name="Sarah Smith", actor=boss.actor)
    close_customer(customer=customer, actor=boss.actor)
    seen = [
        sentence(entry, set())
        for kind in (Customer, User)
        for entry in LogEntry.objects.get_for_model(kind)
    ]
    assert any(said.startswith("changed name") for said in seen)
    assert not any("Smith" in said or "sarah" in said.lower() for said in seen)


def test_the_trail_names_what_whoever_reads_it_may_see(boss: Persona, clerk: Persona) -> None:
    mike, part = MechanicFactory.create(name="Mike Chen"), PartFactory.create(part_name="Gasket")
    ticket = ServiceTicketFactory.create(customer=CustomerFactory.create(name="Ada Lovelace"))
    actor = Actor(Role.MECHANIC, mike.user, mike.pk)
    add_part(ticket=ticket, part_id=part.pk, quantity=2, actor=actor)
    edit_ticket(
        ticket=ticket,
        fields={"notes": "Loud"},
        actor=Actor(Role.CUSTOMER, None, ticket.customer_id),
    )
    trail = reverse("admin:auditlog_logentry_changelist")
    page = Desk(boss.user).get(trail).content.decode()
    assert "Mike Chen (mechanic" in page and "Ada Lovelace (customer" in page
    assert "part Gasket" in page
    names = ("view_logentry", "view_serviceticket", "view_partline")
    clerk.user.user_permissions.set(
        Permission.objects.filter(codename__in=names).exclude(content_type__app_label="admin")
    )
    page = Desk(clerk.user).get(trail).content.decode()
    assert "Mike Chen (mechanic" in page
    assert "Ada" not in page and "Gasket" not in page
    line = LogEntry.objects.get_for_object(ticket.part_lines.get()).get()
    one = reverse("admin:auditlog_logentry_change", args=(line.pk,))
    # Which account it was is for those who see accounts.
    assert mike.user.email in Desk(boss.user).get(one).content.decode()
    assert mike.user.email not in Desk(clerk.user).get(one).content.decode()


def test_the_trail_s_list_hides_what_a_page_hides(boss: Persona, clerk: Persona) -> None:
    part = PartFactory.create(cost=Decimal("31.41"))
    change_part(part=part, fields={"cost": Decimal("27.18")}, actor=COMMAND)
    trail = reverse("admin:auditlog_logentry_changelist")
    assert "27.18" in Desk(boss.user).get(trail).content.decode()
    names = ("view_logentry", "view_part")
    clerk.user.user_permissions.set(
        Permission.objects.filter(codename__in=names).exclude(content_type__app_label="admin")
    )
    page = Desk(clerk.user).get(trail).content.decode()
    assert "changed cost" in page and "27.18" not in page and "31.41" not in page


def test_an_e_mail_is_not_found_out_letter_for_letter(boss: Persona, clerk: Persona) -> None:
    mike, part = MechanicFactory.create(name="Mike Chen"), PartFactory.create()
    receive(part=part, quantity=1, actor=Actor(Role.MECHANIC, mike.user, mike.pk))
    names = ("view_logentry", "view_part", "view_stockmovement")
    clerk.user.user_permissions.set(
        Permission.objects.filter(codename__in=names).exclude(content_type__app_label="admin")
    )
    for model in ("auditlog_logentry", "inventory_stockmovement"):
        page = reverse(f"admin:{model}_changelist")

        def found(who: Persona, text: str, page: str = page) -> int:
            return len(Desk(who.user).get(page, {"q": text}).context_data["cl"].result_list)  # type: ignore[attr-defined]

        assert found(clerk, mike.user.email[:5]) == 0
        assert found(clerk, "mike chen") > 0 and found(boss, mike.user.email[:5]) > 0


@pytest.mark.parametrize(
    "page",
    ["tickets_statuschange", "inventory_stockmovement", "tickets_assignment", "auditlog_logentry"],
)
def test_names_cost_no_query_a_row(boss: Persona, page: str) -> None:
    def rows(count: int) -> int:
        for _ in range(count):
            mike, part = MechanicFactory.create(), PartFactory.create()
            actor = Actor(Role.MECHANIC, mike.user, mike.pk)
            ticket = ServiceTicketFactory.create()
            assign(ticket=ticket, mechanic_id=mike.pk, actor=actor)
            add_part(ticket=ticket, part_id=part.pk, quantity=1, actor=actor)
            transition(ticket=ticket, to=Status.ON_HOLD, actor=actor)
        with Statements(connection) as seen:
            assert desk.get(reverse(f"admin:{page}_changelist")).status_code == 200
        return len(seen)

    desk = Desk(boss.user)
    rows(5)  # more than a page of the trail
    assert rows(1) == rows(4)


def test_nor_do_they_in_the_ledger_of_a_part(boss: Persona) -> None:
    desk, part = Desk(boss.user), PartFactory.create()
    page = reverse("admin:inventory_part_change", args=(part.pk,))

    def queries(more: int) -> int:
        for _ in range(more):
            mike = MechanicFactory.create()
            receive(part=part, quantity=1, actor=Actor(Role.MECHANIC, mike.user, mike.pk))
        with Statements(connection) as seen:
            desk.get(page)
        return len(seen)

    queries(1)
    assert queries(1) == queries(4)
