"""The back office's pages of parts and their ledger."""

from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.testing.pages import Desk, refusals_of
from autoful.testing.queries import Statements
from inventory import stock
from inventory.models import LARGEST_QUANTITY, Part, StockMovement
from inventory.tests.factories import PartFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:inventory_part_changelist")
ADD = reverse("admin:inventory_part_add")
NEW = {"part_name": "Brake pad", "price": "45.99", "cost": "20.50", "quantity_in_stock": "12"}


def page(name, part):
    return reverse(f"admin:inventory_part_{name}", args=(part.pk,))


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def in_balance():
    return not Part.objects.out_of_balance().exists()


def test_enter_with_opening_stock(desk):
    assert desk.save(ADD, NEW).status_code == 302
    part = Part.objects.get()
    movement = part.movements.get()
    assert (part.quantity_in_stock, part.part_number) == (12, None)
    assert (movement.reason, movement.change, movement.balance) == ("opening", 12, 12)
    assert (movement.actor, movement.role) == (desk.user, "back_office")
    assert {entry.actor for entry in LogEntry.objects.get_for_object(part)} == {desk.user}


def test_a_number_that_is_taken_is_refused(desk):
    PartFactory.create(part_number="BP-1")
    answer = desk.save(ADD, NEW | {"part_number": "BP-1"})
    assert "part_number" in answer.context_data["adminform"].form.errors
    assert Part.objects.count() == 1


def test_a_number_taken_in_the_meantime_is_refused_by_the_verb(desk, monkeypatch):
    there = PartFactory.create(part_number="BP-1")
    part = PartFactory.create()
    monkeypatch.setattr(Part, "validate_unique", lambda *args, **kwargs: None)
    answer = desk.save(page("change", part), {"part_number": "BP-1", "price": "1.23"})
    assert "Another part has this number already." in refusals_of(answer)
    assert 'value="1.23"' in answer.content.decode()
    part.refresh_from_db()
    assert (part.part_number, part.price) == (None, Decimal("45.99"))
    assert there.part_number == "BP-1"


def test_quantity_is_not_typed_over(desk):
    part = PartFactory.create()
    answer = desk.save(page("change", part), {"quantity_in_stock": "999", "location": "A1"})
    assert answer.status_code == 302
    part.refresh_from_db()
    assert (part.quantity_in_stock, part.location) == (50, "A1")
    assert in_balance()


def test_receive(desk):
    part = PartFactory.create()
    for name in ("receive", "adjust"):
        assert "50 in stock now." in desk.get(page(name, part)).content.decode()
    answer = desk.post(page("receive", part), {"quantity": "8", "note": "invoice 7"}, follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["8 received; 58 in stock."]
    movement = part.movements.first()
    assert (movement.reason, movement.change, movement.balance) == ("received", 8, 58)
    assert (movement.note, movement.actor) == ("invoice 7", desk.user)


def test_adjust(desk):
    part = PartFactory.create()
    assert "required" in desk.post(page("adjust", part), {"quantity": "3"}).content.decode()
    desk.post(page("adjust", part), {"quantity": "3", "note": "counted"})
    part.refresh_from_db()
    movement = part.movements.first()
    assert part.quantity_in_stock == 3
    assert (movement.reason, movement.change, movement.note) == ("adjusted", -47, "counted")
    assert in_balance()


def test_more_than_can_be_counted_is_refused_on_the_form(desk):
    part = PartFactory.create()
    typed = {"quantity": str(LARGEST_QUANTITY), "note": "a whole ship"}
    answer = desk.post(page("receive", part), typed)
    assert answer.status_code == 200
    assert "That is more of" in answer.content.decode()
    assert "a whole ship" in answer.content.decode()
    part.refresh_from_db()
    assert part.quantity_in_stock == 50
    assert part.movements.count() == 1


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "", str(10**30)])
def test_what_is_no_delivery_is_refused(desk, quantity):
    part = PartFactory.create()
    assert desk.post(page("receive", part), {"quantity": quantity}).status_code == 200
    assert part.movements.count() == 1


def test_who_may_not_change_parts_receives_nothing(clerk):
    part = PartFactory.create()
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_part"))
    desk = Desk(clerk.user)
    assert "receive/" not in desk.get(page("change", part)).content.decode()
    for name in ("receive", "adjust"):
        assert desk.get(page(name, part)).status_code == 403
        assert desk.post(page(name, part), {"quantity": 1, "note": "x"}).status_code == 403
    assert part.movements.count() == 1


def test_delete_one_without_history(desk):
    part = PartFactory.create()
    assert desk.post(page("delete", part), {"post": "yes"}).status_code == 302
    assert not Part.objects.exists()


@pytest.mark.parametrize(("cost", "told"), [("50", True), ("45.99", False), ("", False)])
def test_a_price_below_the_cost_is_told(desk, cost, told):
    answer = desk.save(ADD, NEW | {"cost": cost})
    said = [str(message) for message in desk.get(answer["Location"]).context["messages"]]
    assert any("costs more than the customer pays" in text for text in said) == told


def test_a_number_that_differs_in_capitals_is_told(desk):
    PartFactory.create(part_number="FLD-153")
    answer = desk.save(ADD, NEW | {"part_number": "fld-153"})
    said = [str(message) for message in desk.get(answer["Location"]).context["messages"]]
    assert any("There is a part FLD-153 already" in text for text in said)


def test_a_used_one_stays_and_the_verb_says_why(desk):
    part = PartFactory.create()
    ServiceTicketFactory.create(parts=[(part, 1)])
    asked = desk.get(page("delete", part)).content.decode()
    assert f"{part.part_name} has been used on service tickets" in asked
    assert 'name="post"' not in asked  # nothing to say yes to
    answer = desk.post(page("delete", part), {"post": "yes"}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said == [f"{part.part_name} has been used on service tickets and cannot be deleted."]
    assert part.movements.count() == 2


def test_deleting_several_deletes_all_or_none(desk):
    free, used = PartFactory.create(), PartFactory.create()
    ServiceTicketFactory.create(parts=[(used, 1)])
    data = {"action": "delete_selected", "_selected_action": [free.pk, used.pk]}
    asked = desk.post(LIST, data).content.decode()
    assert f"{used.part_name} has been used" in asked and 'name="post"' not in asked
    data["post"] = "yes"
    answer = desk.post(LIST, data, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert len(said) == 1
    assert said[0].endswith("cannot be deleted. Nothing was changed.")
    assert Part.objects.count() == 2
    assert StockMovement.objects.count() == 3


def test_the_ledger_shows_the_latest_and_costs_the_same(desk):
    part = PartFactory.create()

    def queries():
        with Statements(connection) as seen:
            answer = desk.get(page("change", part))
        return len(seen), answer.content.decode().count("delivery no. ")

    desk.get(page("change", part))
    for number in range(5):
        stock.receive(part=part, quantity=1, note=f"delivery no. {number}", actor=COMMAND)
    few = queries()
    for number in range(60):
        stock.receive(part=part, quantity=1, note=f"delivery no. {number}", actor=COMMAND)
    many = queries()
    assert (few[1], many[1]) == (5, 25)
    assert many[0] == few[0]


def test_a_movement_between_opening_and_saving_is_no_problem(desk):
    part = PartFactory.create()
    from autoful.testing.pages import fields_of

    values = fields_of(desk.get(page("change", part)), "part_form")
    stock.receive(part=part, quantity=5, actor=COMMAND)
    assert desk.post(page("change", part), values | {"location": "B2"}).status_code == 302
    part.refresh_from_db()
    assert (part.location, part.quantity_in_stock) == ("B2", 55)


def test_low_stock(desk):
    low = PartFactory.create(quantity_in_stock=5, reorder_point=5)
    none = PartFactory.create(quantity_in_stock=0)
    PartFactory.create()

    def shown(value):
        return set(desk.get(LIST, {"stock": value}).context_data["cl"].result_list)

    assert shown("low") == {low, none}
    assert shown("none") == {none}


def test_cost_is_for_those_who_may_see_parts(clerk):
    part = PartFactory.create(cost=Decimal("31.41"))
    clerk.user.user_permissions.add(Permission.objects.get(codename="change_part"))
    desk = Desk(clerk.user)
    for name, args in (("changelist", ()), ("change", (part.pk,)), ("history", (part.pk,))):
        answer = desk.get(reverse(f"admin:inventory_part_{name}", args=args))
        assert answer.status_code == 200
        assert "31.41" not in answer.content.decode()


def test_a_count_from_before_the_last_sale_is_told(desk):
    part = PartFactory.create(quantity_in_stock=18)
    url = page("adjust", part)
    form = {"was": desk.get(url).context_data["form"]["was"].value(), "note": "Count"}
    stock.take(part_id=part.pk, quantity=2, reference="ticket-1", actor=COMMAND)
    answer = desk.post(url, form | {"quantity": "18"})
    assert (
        "There were 18 in stock when you opened the page, and there are 16"
        in answer.content.decode()
    )
    assert "16 in stock now." in answer.content.decode()
    part.refresh_from_db()
    assert part.quantity_in_stock == 16
    # Who has been told and saves once more means it.
    again = form | {"was": answer.context_data["form"]["was"].value(), "quantity": "18"}
    assert desk.post(url, again).status_code == 302
    part.refresh_from_db()
    assert part.quantity_in_stock == 18


def test_who_moved_stock_is_told_by_name(desk, mike):
    part, ticket = PartFactory.create(), ServiceTicketFactory.create()
    body = {"inventory_id": part.pk, "quantity_used": 2}
    assert mike.post(f"/service_tickets/{ticket.pk}/add-inventory", body).status_code == 201
    stock.receive(part=part, quantity=3, actor=COMMAND)
    for url in (page("change", part), reverse("admin:inventory_stockmovement_changelist")):
        shown = desk.get(url).content.decode()
        assert f"{mike.name} (mechanic {mike.id})" in shown
        assert "back_office" not in shown
