"""The parts room: what is to be ordered, what does not move, and what it is all worth."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from autoful.actor import COMMAND
from autoful.admin import VerbAdmin
from autoful.testing.pages import Desk
from inventory import order_sheet, stock
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/inventory/part/"
SHEET = f"{LIST}order-sheet/"


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def looking(clerk, *permissions):
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Desk(clerk.user)


def downloaded(desk):
    answer = desk.get(SHEET, {"format": "csv"})
    assert answer["Content-Disposition"].startswith('attachment; filename="order-sheet-')
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_the_sheet_has_what_is_low_by_category_and_name(desk):
    wiper = PartFactory.create(part_name="Wiper", quantity_in_stock=1, reorder_point=3)
    brakes = {"category": "Brakes", "part_number": "BP-1", "location": "A3"}
    pads = PartFactory.create(part_name="Pads", quantity_in_stock=4, reorder_point=4, **brakes)
    PartFactory.create(part_name="Plenty", quantity_in_stock=5, reorder_point=4)
    parts = desk.get(SHEET).context_data["parts"]
    assert [(part, part.needed) for part in parts] == [(wiper, 3), (pads, 1)]
    row = downloaded(desk)[1]
    assert row == {
        "Part number": "BP-1",
        "Part": "Pads",
        "Category": "Brakes",
        "Shelf": "A3",
        "In stock": "4",
        "Reorder at": "4",
        "Needed": "1",
        "Cost": "20.50",
        "Total": "20.50",
    }


def test_a_delivery_of_what_is_needed_takes_it_off_the_sheet(desk):
    part = PartFactory.create(quantity_in_stock=2, reorder_point=6)
    (listed,) = desk.get(SHEET).context_data["parts"]
    stock.receive(part=part, quantity=listed.needed, note="", actor=COMMAND)
    page = desk.get(SHEET)
    assert page.context_data["parts"] == []
    assert "Nothing is to be ordered" in page.content.decode()


def test_the_sum_leaves_out_what_nobody_knows_and_says_so(desk):
    PartFactory.create(quantity_in_stock=0, reorder_point=1, cost=Decimal("12.34"))
    PartFactory.create(quantity_in_stock=0, reorder_point=1, cost=None)
    page = desk.get(SHEET)
    assert (page.context_data["total"], page.context_data["unknown"]) == (Decimal("24.68"), 1)
    assert "without 1 part of unknown cost" in page.content.decode()


def test_a_long_sheet_says_that_the_file_has_all(desk, monkeypatch):
    monkeypatch.setattr(order_sheet, "PRINTED", 2)
    for _ in range(3):
        PartFactory.create(quantity_in_stock=0)
    page = desk.get(SHEET)
    assert len(page.context_data["parts"]) == 2
    assert "The first 2 parts" in page.content.decode()
    assert len(downloaded(desk)) == 3


def test_costs_are_for_those_who_see_them(clerk):
    PartFactory.create(quantity_in_stock=0, cost=Decimal("31.41"))
    desk = looking(clerk, "view_part")
    for page in (LIST, SHEET):
        said = desk.get(page).content.decode()
        assert "31.41" not in said and "at cost" not in said and "Total" not in said
    assert "Cost" not in downloaded(desk)[0]
    desk = looking(clerk, "view_part", "view_cost")
    for page in (LIST, SHEET):
        assert "31.41" in desk.get(page).content.decode()
    assert downloaded(desk)[0]["Cost"] == "31.41"


def test_the_sheet_is_for_those_who_see_parts(clerk):
    assert looking(clerk, "view_serviceticket").get(SHEET).status_code == 403


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])  # noqa: RUF001
def test_no_cell_runs_as_a_formula(desk, text):
    Part.objects.filter(pk=PartFactory.create(quantity_in_stock=0).pk).update(category=text)
    (row,) = downloaded(desk)
    assert row["Category"].startswith("'") and row["Category"].replace("'", "") == text
    Part.objects.update(category=f"Ada;{text}")
    assert downloaded(desk)[0]["Category"].startswith(("Ada;'", "Ada;\t'"))
    assert row["In stock"] == "0"


def test_dead_stock_is_what_has_not_moved_for_so_many_days(desk):
    def moved(days, **fields):
        part = PartFactory.create(**fields)
        at = timezone.now() - timedelta(days=days)
        StockMovement.objects.filter(part=part).update(created_at=at)
        return part

    old, older = moved(100), moved(400)
    moved(10)
    moved(800, quantity_in_stock=0)
    counted = moved(500)
    stock.set_quantity(part=counted, quantity=49, note="counted", actor=COMMAND)

    def found(days):
        listed = desk.get(LIST, {"unmoved": days}).context_data["cl"].result_list
        return {part.pk for part in listed}

    assert found(90) == {old.pk, older.pk}
    assert found(365) == {older.pk}
    assert found(401) == set()
    assert desk.get(LIST, {"unmoved": "9" * 30}).status_code == 200


def test_stock_in_money(desk):
    PartFactory.create(quantity_in_stock=3, cost=Decimal("2.50"), price=Decimal("4.99"))
    PartFactory.create(quantity_in_stock=2, cost=None, price=Decimal("10.00"))
    PartFactory.create(quantity_in_stock=0, cost=None, price=Decimal("99.00"))
    value = desk.get(LIST).context_data["value"]
    assert (value.at_cost, value.at_price) == (Decimal("7.50"), Decimal("34.97"))
    assert value.without_cost == 1
    assert "1 part" in desk.get(LIST).content.decode()


def test_a_part_deleted_while_it_is_counted_is_no_error(desk, monkeypatch):
    part = PartFactory.create(quantity_in_stock=3)
    adjust = reverse("admin:inventory_part_adjust", args=(part.pk,))
    whole = VerbAdmin.whole_or_not

    def gone_before(page, request, step):
        Part.objects.filter(pk=part.pk).delete()
        return whole(page, request, step)

    monkeypatch.setattr(VerbAdmin, "whole_or_not", gone_before)
    answer = desk.post(adjust, {"quantity": "2", "was": "3", "note": "x"}, follow=True)
    assert answer.status_code == 200
    assert "Inventory part not found." in answer.content.decode()
