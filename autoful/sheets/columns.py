"""The columns of a sheet: what each is called, what a cell of it means, and how it is written."""

import datetime
import re
from decimal import Decimal
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from autoful.money import to_cents

# 12,50 as half of the world writes it. 1,234 and 1.234 may be a thousand and may be one and a bit,
# depending on where one is.
_NUMBER = re.compile(r"[+-]?\d{1,15}([.,](?!\d{3}$)\d{1,15})?")
# With both marks, the later one begins the cents, wherever one is.
_GROUPED = re.compile(r"[+-]?\d{1,3}((,\d{3}){1,4}\.|(\.\d{3}){1,4},)\d{1,15}")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T[\d:.]+)?")  # of a workbook also with its time
_SIGNS = "$€£¥ \xa0"


class Text(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else str(value)


class Amount(Widget):
    """A number with decimals, of a point or of a comma."""

    like = "Write it like 1234.50"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = "" if value is None else str(value).strip(_SIGNS)
        if not text:
            return None
        if _GROUPED.fullmatch(text):
            thousands = next(mark for mark in text if mark in ",.")
            text = text.replace(thousands, "")
        elif not _NUMBER.fullmatch(text):
            raise ValueError(
                f"“{text[:40]}” is not a number, or could mean two different ones. {self.like}."
            )
        return Decimal(text.replace(",", "."))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if value is None:
            return ""
        return to_cents(value) if isinstance(value, Decimal) else value


class Number(Amount):
    """A whole number."""

    like = "Write it like 1234"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        amount = super().clean(value)
        if amount is None:
            return None
        if amount != amount.to_integral_value():
            raise ValueError(f"“{value}” is not a whole number.")
        return int(amount)


class Day(Text):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            day = _DAY.fullmatch(str(value))
            return datetime.date.fromisoformat(day[1] if day else "")
        except ValueError:
            # 03/04/2026 is in March or in April, depending on where one is.
            raise ValueError(
                f"“{str(value)[:40]}” is not a day. Write it like 2026-03-31."
            ) from None


class Choice(Text):
    """One of the choices of a column: written by its label, read by either name."""

    def __init__(self, choices: Any) -> None:
        super().__init__()
        self.choices = choices

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value in (None, ""):
            return ""
        for choice in self.choices:
            if spelled(value) in (spelled(choice.value), spelled(choice.label)):
                return choice.value
        known = ", ".join(choice.label.lower() for choice in self.choices)
        raise ValueError(f"“{str(value)[:40]}” is none of: {known}.")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return self.choices(value).label if value else ""


class YesNo(Text):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "yes" if value else "no"


class Column(Field):
    """`heading` is what its first cell says, `field` what the rules call it.

    `told` says to people what belongs there. One that is not `read` is for reading by people: what
    they change in it changes nothing.
    """

    def __init__(
        self,
        heading: str,
        field: str,
        widget: Widget | None = None,
        *,
        told: str = "",
        read: bool = True,
        written: str | None = None,
    ) -> None:
        super().__init__(written or field, heading, widget or Text(), readonly=not read)
        self.field, self.told = field, told

    @property
    def read(self) -> bool:
        return not self.readonly


def spelled(text: Any) -> str:
    """Two that differ in case, blanks, hyphens and points alone are one heading: “E-mail”, “email”."""
    return re.sub(r"[\s_.\-]+", "", str(text)).casefold()
