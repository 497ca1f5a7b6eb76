"""What is to be ordered: a list for the supplier, on paper or in a spreadsheet."""

from collections.abc import Iterator
from typing import Any

from autoful.sheets.writing import one_by_one
from inventory.models import Part

PRINTED = 1_000  # parts on paper; twenty pages
HEADER = ("Part number", "Part", "Category", "Shelf", "In stock", "Reorder at", "Needed")
COST = ("Cost", "Total")


def parts() -> Iterator[Part]:
    """By category and name, as shelves and suppliers' catalogues are."""
    return one_by_one(Part.objects.to_order().order_by("category", "part_name", "id"))


def header(*, sees_cost: bool) -> tuple[str, ...]:
    return HEADER + COST * sees_cost


def rows(*, sees_cost: bool) -> Iterator[list[Any]]:
    """The sheet's cells below `header`; what costs nobody knows how much is left empty."""
    for part in parts():
        row: list[Any] = [part.part_number or "", part.part_name, part.category, part.location]
        row += [part.quantity_in_stock, part.reorder_point, part.needed]
        yield [*row, *([part.cost, part.cost_of_needed] if sees_cost else [])]
