"""A delivery of several parts on one page of the back office: all of it or nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from inventory.deliveries import MOST_ROWS, ROWS
from inventory.models import LARGEST_QUANTITY, StockMovement
from inventory.tests.factories import PartFactory
from tests.soundness import everything, faults

pytestmark = pytest.mark.django_db

PAGE = "/admin/inventory/part/delivery/"
LIST = "/admin/inventory/part/"


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


def typed(*rows: tuple[Any, Any], note: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {"note": note, "rows-TOTAL_FORMS": ROWS, "rows-INITIAL_FORMS": 0}
    for index, (part, quantity) in enumerate(rows):
        fields |= {f"rows-{index}-part": part, f"rows-{index}-quantity": quantity}
    return fields


def test_what_came_is_booked_with_its_note(desk: Desk) -> None:
    pads, oil = PartFactory.create(), PartFactory.create()
    rows = [("", ""), (oil.pk, 4), (pads.pk, 2), (oil.pk, 1)]
    answer: Any = desk.post(PAGE, typed(*rows, note="invoice 7"), follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert [str(m) for m in answer.context["messages"]] == [
        "Booked into stock: 7 pieces of 2 parts."
    ]
    booked = StockMovement.objects.filter(reason="received").order_by("pk")
    found = booked.values_list("part", "change", "note", "actor")
    by = ("invoice 7", desk.user.pk)
    assert list(found) == [(pads.pk, 2, *by), (oil.pk, 1, *by), (oil.pk, 4, *by)]
    assert faults() == []


@pytest.mark.parametrize(
    ("second", "refusal"),
    [
        (("", "3"), "This field is required."),
        (("{part}", ""), "This field is required."),
        (("{part}", "0"), "greater than or equal to 1"),
        (("{part}", "x"), "Enter a whole number."),
        (("999", "3"), "Select a valid choice."),
        (("x", "3"), "Select a valid choice."),
        (("{part}", str(LARGEST_QUANTITY)), "That is more of"),
    ],
)
def test_a_delivery_is_booked_whole_or_not(
    desk: Desk, second: tuple[str, str], refusal: str
) -> None:
    pads, oil = PartFactory.create(part_name="Pads"), PartFactory.create()
    part, quantity = second
    before = everything()
    answer: Any = desk.post(
        PAGE, typed((pads.pk, 5), (part.format(part=oil.pk), quantity), note="invoice 7")
    )
    assert answer.status_code == 200
    html = answer.content.decode()
    assert refusal in html
    # What was typed is still there.
    assert "invoice 7" in html and "Pads" in html and 'value="5"' in html
    assert everything() == before


def test_an_empty_one_says_what_to_do(desk: Desk) -> None:
    assert "Say which parts came" in desk.post(PAGE, typed()).content.decode()


def test_a_form_that_is_none_of_ours_is_refused(desk: Desk) -> None:
    part = PartFactory.create()
    before = everything()
    many = {f"rows-{n}-part": part.pk for n in range(MOST_ROWS + 5)}
    many |= {f"rows-{n}-quantity": 1 for n in range(MOST_ROWS + 5)}
    for fields in (
        {},
        {"rows-TOTAL_FORMS": "x", "rows-INITIAL_FORMS": "0"},
        {"rows-TOTAL_FORMS": str(MOST_ROWS + 5), "rows-INITIAL_FORMS": "0"} | many,
    ):
        assert desk.post(PAGE, fields).status_code == 200
    assert everything() == before


def test_it_is_for_those_who_change_parts(clerk: Persona) -> None:
    part = PartFactory.create()
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_part"))
    desk = Desk(clerk.user)
    assert "part/delivery/" not in desk.get(LIST).content.decode()
    assert desk.get(PAGE).status_code == 403
    before = everything()
    assert desk.post(PAGE, typed((part.pk, 1))).status_code == 403
    assert everything() == before
    clerk.user.user_permissions.add(Permission.objects.get(codename="change_part"))
    assert "part/delivery/" in Desk(clerk.user).get(LIST).content.decode()


@pytest.mark.parametrize(("query", "rows"), [("", ROWS), ("?long", MOST_ROWS)])
def test_it_has_as_many_rows_as_are_asked_for(desk: Desk, query: str, rows: int) -> None:
    assert f'name="rows-{rows - 1}-quantity"' in desk.get(PAGE + query).content.decode()
    assert f'name="rows-{rows}-quantity"' not in desk.get(PAGE + query).content.decode()
