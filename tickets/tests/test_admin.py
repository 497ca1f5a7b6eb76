"""The back office's pages of tickets: the whole page is saved through the verbs, or not at all."""

import datetime
from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.admin.forms import changed_meanwhile
from autoful.admin.inlines import GONE_MEANWHILE
from autoful.testing.pages import Desk, fields_of, refusals_of
from customers.models import Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults
from tickets import admin
from tickets.lifecycle import transition
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange
from tickets.parts import change_quantity
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status
ADD = reverse("admin:tickets_serviceticket_add")


def change(ticket):
    return reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))


def row(prefix, index, **fields):
    """One row of the team or the parts, typed in."""
    typed = {f"{prefix}-{index}-{name}": value for name, value in fields.items()}
    return typed | {f"{prefix}-TOTAL_FORMS": str(index + 1)}


def everything():
    """All that a ticket's page could have touched."""
    models = (ServiceTicket, Assignment, PartLine, StatusChange, Part, StockMovement, Vehicle)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def new_ticket(**typed):
    return {
        "customer": CustomerFactory.create().pk,
        "vin": valid_vin(1).lower(),
        "service_desc": "Brakes",
        "service_date": "2025-03-14",
    } | typed


def test_open_with_team_and_parts_in_one_form(desk):
    mike, pads = MechanicFactory.create(), PartFactory.create()
    typed = new_ticket() | row("assignments", 0, mechanic=mike.pk)
    typed |= row("part_lines", 0, part=pads.pk, quantity_used=2)
    assert desk.save(ADD, typed).status_code == 302
    ticket = ServiceTicket.objects.get()
    assert (ticket.vin, ticket.status) == (valid_vin(1), "pending")
    assert ticket.service_date == datetime.date(2025, 3, 14)
    assert ticket.vehicle.customer == ticket.customer
    assert ticket.assignments.get().assigned_by == desk.user
    assert ticket.part_lines.get().quantity_used == 2
    pads.refresh_from_db()
    assert pads.quantity_in_stock == 48
    assert ticket.status_changes.get().actor == desk.user
    movement = pads.movements.first()
    assert (movement.reason, movement.actor) == ("used", desk.user)
    for written in (ticket, ticket.assignments.get(), ticket.part_lines.get(), pads):
        entry = LogEntry.objects.get_for_object(written).first()
        assert entry.actor == desk.user, written
        assert entry.additional_data["role"] == "back_office"


def test_too_little_stock_leaves_nothing_and_keeps_what_was_typed(desk):
    mike = MechanicFactory.create()
    plenty, few = PartFactory.create(), PartFactory.create(quantity_in_stock=1, part_name="Pads")
    ticket = ServiceTicketFactory.create()
    before, entries = everything(), LogEntry.objects.count()
    typed = {"service_desc": "Changed my mind"} | row("assignments", 0, mechanic=mike.pk)
    typed |= row("part_lines", 0, part=plenty.pk, quantity_used=5)
    typed |= row("part_lines", 1, part=few.pk, quantity_used=7)
    answer = desk.save(change(ticket), typed)
    assert "Not enough stock of Pads: 7 asked for, 1 available." in refusals_of(answer)
    assert everything() == before
    assert LogEntry.objects.count() == entries
    page = answer.content.decode()
    assert "Changed my mind" in page
    again = fields_of(answer, "serviceticket_form")
    assert again["part_lines-1-quantity_used"] == "7"
    assert again["part_lines-1-part"] == [str(few.pk)]
    assert again["assignments-0-mechanic"] == [str(mike.pk)]
    assert not list(answer.context["messages"])


def test_a_new_ticket_that_is_refused_is_not_there(desk):
    few = PartFactory.create(quantity_in_stock=1)
    before = everything()
    typed = new_ticket() | row("part_lines", 0, part=few.pk, quantity_used=2)
    answer = desk.save(ADD, typed)
    assert "Not enough stock" in refusals_of(answer)
    assert everything() == before


def test_edit(desk):
    ticket = ServiceTicketFactory.create()
    VehicleFactory.create(vin=valid_vin(42), customer=ticket.customer)
    answer = desk.save(change(ticket), {"notes": "Loud", "vin": valid_vin(42), "mileage": "900"})
    assert answer.status_code == 302
    ticket.refresh_from_db()
    assert (ticket.notes, ticket.vehicle.vin, ticket.mileage) == ("Loud", valid_vin(42), 900)


def test_what_a_verb_refuses_is_said_at_its_row(desk):
    plenty, few = PartFactory.create(), PartFactory.create(quantity_in_stock=1)
    ticket = ServiceTicketFactory.create()
    typed = row("part_lines", 0, part=plenty.pk, quantity_used=2)
    typed |= row("part_lines", 1, part=few.pk, quantity_used=2) | {"part_lines-TOTAL_FORMS": "2"}
    answer = desk.save(change(ticket), typed)
    rows = answer.context_data["inline_admin_formsets"][1].formset.forms
    assert [len(form.non_field_errors()) for form in rows[:2]] == [0, 1]
    assert "Not enough stock" in rows[1].non_field_errors()[0]


def test_saving_unchanged_changes_nothing(desk):
    ticket = ServiceTicketFactory.create(
        mechanics=[MechanicFactory.create()], parts=[(PartFactory.create(), 2)]
    )
    before = everything()
    assert desk.save(change(ticket), {}).status_code == 302
    assert everything() == before


def test_team_and_parts_are_added_and_removed(desk):
    mike, lisa = MechanicFactory.create(), MechanicFactory.create()
    pads, oil = PartFactory.create(), PartFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[mike], parts=[(pads, 3)])
    typed = {"assignments-0-DELETE": "on", "part_lines-0-DELETE": "on"}
    typed |= row("assignments", 1, mechanic=lisa.pk)
    typed |= row("part_lines", 1, part=oil.pk, quantity_used=4)
    assert desk.save(change(ticket), typed).status_code == 302
    assert [a.mechanic for a in ticket.assignments.all()] == [lisa]
    assert [(line.part, line.quantity_used) for line in ticket.part_lines.all()] == [(oil, 4)]
    pads.refresh_from_db()
    oil.refresh_from_db()
    assert (pads.quantity_in_stock, oil.quantity_in_stock) == (50, 46)
    assert not Part.objects.out_of_balance().exists()


def test_a_part_that_is_there_already_grows_its_line(desk):
    pads = PartFactory.create()
    ticket = ServiceTicketFactory.create(parts=[(pads, 3)])
    typed = row("part_lines", 1, part=pads.pk, quantity_used=2)
    typed |= row("part_lines", 2, part=pads.pk, quantity_used=1)
    assert desk.save(change(ticket), typed).status_code == 302
    assert ticket.part_lines.get().quantity_used == 6


@pytest.mark.parametrize("quantity", [1, 7])
def test_a_quantity_is_corrected_and_its_price_stays(desk, quantity):
    pads = PartFactory.create()
    ticket = ServiceTicketFactory.create(parts=[(pads, 3)])
    typed = {"part_lines-0-quantity_used": str(quantity), "part_lines-0-unit_price": "0.01"}
    typed |= {"part_lines-0-part": str(PartFactory.create().pk)}
    assert desk.save(change(ticket), typed).status_code == 302
    line = ticket.part_lines.get()
    assert (line.quantity_used, line.part, line.unit_price) == (quantity, pads, pads.price)
    pads.refresh_from_db()
    assert pads.quantity_in_stock == 50 - quantity
    assert faults() == []


@pytest.mark.parametrize(
    ("quantity", "refusal"),
    [
        ("51", "51 asked for, 50 available"),
        ("0", "greater than or equal"),
        ("", "required"),
        ("9" * 30, "less than or equal"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused(desk, quantity, refusal):
    ticket = ServiceTicketFactory.create(parts=[(PartFactory.create(), 1)])
    before = everything()
    answer = desk.save(change(ticket), {"part_lines-0-quantity_used": quantity, "notes": "N"})
    assert refusal in refusals_of(answer)
    assert everything() == before


def test_of_two_who_correct_one_quantity_the_second_is_told(desk):
    ticket = ServiceTicketFactory.create(parts=[(PartFactory.create(), 3)])
    line = ticket.part_lines.get()
    values = fields_of(desk.get(change(ticket)), "serviceticket_form")
    change_quantity(ticket=ticket, line_id=line.pk, quantity=4, was=3, actor=COMMAND)
    answer = desk.post(change(ticket), values | {"part_lines-0-quantity_used": "5"})
    assert changed_meanwhile("4") in refusals_of(answer)
    again = fields_of(answer, "serviceticket_form")
    # What nobody typed is not written.
    assert desk.post(change(ticket), values | {"notes": "Caliper"}).status_code == 302
    assert ticket.part_lines.get().quantity_used == 4
    # Who has been told and saves once more means it.
    assert desk.post(change(ticket), again).status_code == 302
    assert ticket.part_lines.get().quantity_used == 5
    assert faults() == []


@pytest.mark.parametrize("left", [0, 1])
def test_a_quantity_typed_into_a_row_that_is_gone_is_told(desk, left):
    parts = [(PartFactory.create(), 3), (PartFactory.create(), 3)]
    ticket = ServiceTicketFactory.create(parts=parts)
    values = fields_of(desk.get(change(ticket)), "serviceticket_form")
    gone = ticket.part_lines.order_by("pk")[: 2 - left].values_list("pk", flat=True)
    ticket.part_lines.filter(pk__in=list(gone)).delete()
    answer = desk.post(change(ticket), values | {"part_lines-0-quantity_used": "5"})
    assert GONE_MEANWHILE in refusals_of(answer)
    assert ticket.part_lines.count() == left
    # Which part it was stands there, and once more is no better; taken away here too, it is.
    assert str(parts[0][0]) in answer.content.decode()
    again = fields_of(answer, "serviceticket_form")
    assert GONE_MEANWHILE in refusals_of(desk.post(change(ticket), again))
    assert desk.post(change(ticket), again | {"part_lines-0-DELETE": "on"}).status_code == 302
    assert ticket.part_lines.count() == left


@pytest.mark.parametrize("gone", [0, 1, 2])
@pytest.mark.parametrize("wrong", [{"vin": "SHORT"}, {"part_lines-2-quantity_used": "999"}, {}])
def test_a_row_that_is_gone_does_not_move_the_others(desk, gone, wrong):
    team = [MechanicFactory.create() for _ in range(3)]
    ticket = ServiceTicketFactory.create(
        mechanics=team, parts=[(PartFactory.create(), n) for n in (1, 2, 3)]
    )
    values = fields_of(desk.get(change(ticket)), "serviceticket_form")
    ticket.part_lines.order_by("pk")[gone].delete()
    ticket.assignments.order_by("pk")[gone].delete()
    before = everything()
    answer = desk.post(change(ticket), values | wrong)
    assert answer.status_code == (200 if wrong else 302)
    assert everything() == before
    if wrong and gone != 2:
        # What came back says of each row what it did.
        again = fields_of(answer, "serviceticket_form")
        rows = [n for n in range(3) if n != gone]
        assert [again[f"part_lines-{n}-id"] for n in rows] == [
            values[f"part_lines-{n}-id"] for n in rows
        ]


def test_saving_asks_nothing_of_the_parts_of_lines_that_are_there(desk):
    def queries(lines):
        parts = [(PartFactory.create(), 1) for _ in range(lines)]
        ticket = ServiceTicketFactory.create(parts=parts)
        values = fields_of(desk.get(change(ticket)), "serviceticket_form") | {"notes": "Loud"}
        with CaptureQueriesContext(connection) as seen:
            assert desk.post(change(ticket), values).status_code == 302
        return len(seen)

    queries(1)
    # Of each line that may be written Django asks whether it is there, and checks its quantity between
    # two savepoints; nothing of its part.
    assert queries(6) - queries(1) <= 5 * 4


def test_a_line_of_another_ticket_is_none_of_this_one(desk):
    ticket, other = (ServiceTicketFactory.create(parts=[(PartFactory.create(), 5)]) for _ in "12")
    before = everything()
    theirs = {"part_lines-0-id": other.part_lines.get().pk, "part_lines-0-quantity_used": "1"}
    assert GONE_MEANWHILE in refusals_of(desk.save(change(ticket), theirs))
    assert everything() == before


def test_a_mechanic_who_cannot_work_is_refused(desk):
    waiting = MechanicFactory.create(approved=False)
    ticket = ServiceTicketFactory.create()
    answer = desk.save(change(ticket), row("assignments", 0, mechanic=waiting.pk))
    assert "cannot take work" in refusals_of(answer)
    assert not ticket.assignments.exists()


def test_one_removed_by_somebody_else_meanwhile_is_just_gone(desk):
    mike = MechanicFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[mike], parts=[(PartFactory.create(), 1)])
    values = fields_of(desk.get(change(ticket)), "serviceticket_form")
    ticket.assignments.all().delete()
    ticket.part_lines.all().delete()
    for typed in ({}, {"assignments-0-DELETE": "on", "part_lines-0-DELETE": "on"}):
        assert desk.post(change(ticket), values | typed).status_code == 302


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
class TestClosed:
    def test_team_and_parts_are_only_shown(self, desk, status):
        ticket = ServiceTicketFactory.create(
            status=status, mechanics=[MechanicFactory.create()], parts=[(PartFactory.create(), 1)]
        )
        fields = fields_of(desk.get(change(ticket)), "serviceticket_form")
        assert not any("DELETE" in name or "__prefix__" in name for name in fields)

    def test_the_rest_of_it_is_written(self, desk, status):
        mike, parts = MechanicFactory.create(), [(PartFactory.create(), n) for n in (1, 2)]
        ticket = ServiceTicketFactory.create(status=status, mechanics=[mike], parts=parts)
        lines = list(ticket.part_lines.values())
        typed = {"notes": "Paid in cash", "mileage": "81200"}
        assert desk.save(change(ticket), typed).status_code == 302
        ticket.refresh_from_db()
        assert (ticket.notes, ticket.mileage) == ("Paid in cash", 81200)
        assert list(ticket.part_lines.values()) == lines
        answer = desk.save(change(ticket), {"vin": "SHORT"})
        assert "A VIN has 11 to 17 characters" in refusals_of(answer)
        assert "part_lines-0-quantity_used" not in answer.content.decode()

    def test_the_verb_refuses_what_was_typed_before_it_closed(self, desk, status):
        pads = PartFactory.create()
        ticket = ServiceTicketFactory.create()
        values = fields_of(desk.get(change(ticket)), "serviceticket_form")
        if status == Status.COMPLETED:
            transition(ticket=ticket, to=Status.IN_PROGRESS, actor=COMMAND)
        transition(ticket=ticket, to=status, actor=COMMAND)
        before = everything()
        typed = row("part_lines", 0, part=pads.pk, quantity_used=1)
        answer = desk.post(change(ticket), values | typed)
        assert "can no longer be changed" in refusals_of(answer)
        assert everything() == before


def test_lines_that_were_only_shown_are_left_when_it_is_open_again(desk):
    ticket = ServiceTicketFactory.create(status=Status.COMPLETED, parts=[(PartFactory.create(), 3)])
    values = fields_of(desk.get(change(ticket)), "serviceticket_form")
    transition(ticket=ticket, to=Status.IN_PROGRESS, reason="Squeaks", actor=COMMAND)
    assert desk.post(change(ticket), values | {"notes": "Loud"}).status_code == 302
    assert ticket.part_lines.get().quantity_used == 3


def test_delete_puts_parts_back(desk):
    pads = PartFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[MechanicFactory.create()], parts=[(pads, 2)])
    page = reverse("admin:tickets_serviceticket_delete", args=(ticket.pk,))
    assert "parts go back into stock" in " ".join(desk.get(page).content.decode().split())
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert not ServiceTicket.objects.exists()
    pads.refresh_from_db()
    assert pads.quantity_in_stock == 50


def test_cost_is_for_those_who_may_see_costs(clerk):
    ticket = ServiceTicketFactory.create(parts=[(PartFactory.create(cost=Decimal("31.41")), 1)])
    names = ("view_serviceticket", "view_partline")
    clerk.user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    desk = Desk(clerk.user)
    line = reverse("admin:tickets_partline_change", args=(ticket.part_lines.get().pk,))
    pages = (change(ticket), reverse("admin:tickets_partline_changelist"), line)
    for page in pages:
        assert "31.41" not in desk.get(page).content.decode()
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_cost"))
    for page in pages:
        assert "31.41" in desk.get(page).content.decode()


def test_what_a_page_costs_does_not_grow_with_its_rows(desk):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            desk.get(change(ticket))
        return len(seen)

    ticket = ServiceTicketFactory.create(
        mechanics=[MechanicFactory.create()], parts=[(PartFactory.create(), 1)]
    )
    queries()
    few = queries()
    for _ in range(5):
        typed = row("assignments", 0, mechanic=MechanicFactory.create().pk)
        typed |= row("part_lines", 0, part=PartFactory.create().pk, quantity_used=1)
        count = ticket.assignments.count()
        typed = {k.replace("-0-", f"-{count}-"): v for k, v in typed.items()}
        typed |= {f"{name}-TOTAL_FORMS": count + 1 for name in ("assignments", "part_lines")}
        desk.save(change(ticket), typed)
    assert ticket.part_lines.count() == 6
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_a_page_that_loses_a_race_is_saved_again_whole(desk, monkeypatch):
    pads = PartFactory.create()
    ticket = ServiceTicketFactory.create()
    tries = []

    def losing(**kwargs):
        tries.append(1)
        edited = edit(**kwargs)
        if len(tries) == 1:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return edited

    edit = admin.edit_ticket
    monkeypatch.setattr(admin, "edit_ticket", losing)
    typed = {"notes": "Loud"} | row("part_lines", 0, part=pads.pk, quantity_used=2)
    answer = desk.save(change(ticket), typed)
    assert answer.status_code == 302
    assert len(tries) == 2
    ticket.refresh_from_db()
    pads.refresh_from_db()
    assert (ticket.notes, pads.quantity_in_stock) == ("Loud", 48)
    assert len(list(desk.get(change(ticket)).context["messages"])) == 1


@pytest.mark.django_db(transaction=True)
def test_a_page_that_loses_every_time_says_so(desk, monkeypatch):
    ticket = ServiceTicketFactory.create()

    def losing(**kwargs):
        raise OperationalError(1213, "Deadlock found when trying to get lock")

    monkeypatch.setattr(admin, "edit_ticket", losing)
    answer = desk.save(change(ticket), {"notes": "Loud"})
    assert "Too many people are changing this at once" in refusals_of(answer)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "Loud" in answer.content.decode()


def test_a_line_crossed_out_whose_quantity_somebody_raised_is_told(desk):
    part = PartFactory.create(quantity_in_stock=50)
    ticket = ServiceTicketFactory.create(parts=[(part, 1)])
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    form = fields_of(desk.get(page), "serviceticket_form") | {"part_lines-0-DELETE": "on"}
    line = ticket.part_lines.get()
    change_quantity(ticket=ticket, line_id=line.pk, quantity=9, was=1, actor=COMMAND)
    assert "changed the quantity" in desk.post(page, form).content.decode()
    assert ticket.part_lines.get().quantity_used == 9
    form = fields_of(desk.get(page), "serviceticket_form") | {"part_lines-0-DELETE": "on"}
    assert desk.post(page, form).status_code == 302
    assert not ticket.part_lines.exists()
