"""`manage.py check_stock`."""

import io

import pytest
from django.core.management import CommandError, call_command

from autoful.actor import COMMAND
from inventory import stock
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db


def run() -> str:
    out = io.StringIO()
    call_command("check_stock", stdout=out)
    return out.getvalue()


def test_parts_that_agree() -> None:
    PartFactory.create(quantity_in_stock=0)
    part = PartFactory.create(quantity_in_stock=5)
    stock.take(part_id=part.pk, quantity=2, reference="", actor=COMMAND)
    assert run() == "All 2 parts agree with their ledger.\n"


def test_no_part_at_all() -> None:
    assert run() == "All 0 parts agree with their ledger.\n"


@pytest.mark.parametrize("cheat", ["stock", "ledger", "no ledger"])
def test_a_manipulated_row_is_named(cheat: str) -> None:
    PartFactory.create(part_name="Honest")
    part = PartFactory.create(part_name="Brake pads", quantity_in_stock=5)
    if cheat == "stock":
        Part.objects.filter(pk=part.pk).update(quantity_in_stock=9)
        said = "9 in stock, but the ledger says 5."
    elif cheat == "ledger":
        StockMovement.objects.filter(part=part).update(change=4)
        said = "5 in stock, but the ledger says 4."
    else:
        StockMovement.objects.filter(part=part)._raw_delete("default")
        said = "5 in stock, but the ledger says 0."
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^1 part\(s\) differ from their ledger.$") as raised:
        call_command("check_stock", stdout=out)
    assert raised.value.returncode != 0
    assert out.getvalue() == f"Part {part.pk} (Brake pads): {said}\n"
