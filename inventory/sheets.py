"""Parts in a spreadsheet."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models.functions import Lower

from autoful.actor import Actor
from autoful.sheets.columns import Amount, Column, Number
from autoful.sheets.entries import Entry
from autoful.sheets.sheet import RowForm, ShopSheet, number_column, state_column
from inventory.forms import PartForm, QuantityField
from inventory.models import Part
from inventory.parts import change_part
from inventory.remarks import about_number, about_price

FAR = 5  # times as much, or as little, as before


class PartRowForm(RowForm, PartForm):
    counted = QuantityField(required=False)

    def clean_counted(self) -> int | None:
        counted: int | None = self.cleaned_data["counted"]
        if counted is not None and self.instance.pk is None:
            raise forms.ValidationError("A new part's stock goes into the column In stock.")
        # An empty cell: nobody has counted.
        return self.initial.get("counted") if counted is None else counted


class PartSheet(ShopSheet):
    """The stock of a part that is there changes by what was counted alone: the number that a file was
    written with would take back all that was sold since."""

    model, form, key = Part, PartRowForm, "part_number"

    number = number_column()
    part_name = Column("Name", "part_name", told="Required.")
    part_number = Column(
        "Part number",
        "part_number",
        told="To the letter. Tells which part it is where there is no No.",
    )
    category = Column("Category", "category")
    price = Column("Price", "price", Amount(), told="What the customer pays. Required.")
    cost = Column("Cost", "cost", Amount(), told="What the shop pays.")
    quantity_in_stock = Column(
        "In stock",
        "quantity_in_stock",
        Number(),
        told="Of a new part: what is there to begin with.",
    )
    counted = Column(
        "Counted",
        "counted",
        Number(),
        told="Of a part you have: what is on the shelf. The difference goes into the ledger.",
    )
    reorder_point = Column(
        "Reorder point", "reorder_point", Number(), told="Empty: 5 for a new one, else as it is."
    )
    location = Column("Location", "location")
    state = state_column()

    def initial(self, known: Part) -> dict[str, Any]:
        return {"counted": known.quantity_in_stock}

    def not_asked(self, known: Part | None) -> set[str]:
        return {"quantity_in_stock"} if known else set()

    def __init__(self, page: Any, user: Any) -> None:
        super().__init__(page, user)
        self._spelled: dict[str, str] = {}

    def look_around(self, entries: Sequence[Entry]) -> None:
        new = [number for e in entries if not e.known and (number := e.values.get("part_number"))]
        lower = Lower("part_number")
        alike = self.existing().annotate(lower=lower).filter(lower__in={n.lower() for n in new})
        numbers = alike.values_list("part_number", flat=True) if new else ()
        self._spelled = {number.lower(): number for number in numbers}

    def remarks(self, entry: Entry, before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        number, said = entry.values.get("part_number"), []
        if entry.known is None and number and (other := self._spelled.get(number.lower())):
            said.append(about_number(other))
        return [
            *said,
            *self._about_stock(entry),
            *_about_money(before if entry.known else {}, cleaned),
        ]

    def _about_stock(self, entry: Entry) -> list[str]:
        """Of a file that says another stock than there is: it was written before the last sale."""
        typed, counted = entry.values.get("quantity_in_stock"), entry.values.get("counted")
        now = entry.known.quantity_in_stock if entry.known else typed
        if typed in (None, now) or counted == now:
            return []
        if counted is None:
            return [
                f"Its stock stays as it is, {now}. What you have counted goes into the column Counted."
            ]
        return [
            f"The file says {typed} in stock, and there are {now} by now. If what moved since is not in "
            "your count, count again."
        ]

    def enter(self, fields: dict[str, Any], actor: Actor) -> Part:
        fields.pop("counted", None)
        part: Part = super().enter(fields, actor)
        return part

    def change(self, row: Part, changed: dict[str, Any], actor: Actor) -> None:
        counted = changed.pop("counted", None)
        change_part(
            part=row, fields=changed, quantity_in_stock=counted, note="Counted.", actor=actor
        )


def _about_money(before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
    """Of a price or a cost that may be a comma in the wrong place."""
    said = []
    for name in ("price", "cost"):
        was, now = before.get(name), cleaned.get(name)
        if was and now and not was / FAR < now < was * FAR:
            said.append(f"The {name} was {was} until now.")
    price, cost = (cleaned.get(name, before.get(name)) for name in ("price", "cost"))
    unchanged = (before.get("price"), before.get("cost")) == (price, cost)
    return said if unchanged else [*said, *about_price(price, cost)]
