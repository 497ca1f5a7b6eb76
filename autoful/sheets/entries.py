"""A row of a file: what its cells say, which column each belongs to, and what becomes of it."""

from dataclasses import dataclass, field
from typing import Any

from autoful.sheets.columns import Column, spelled
from autoful.sheets.models import Fate
from autoful.sheets.reading import Cells, UnreadableFile


@dataclass
class Entry:
    """A row of a file: what its cells say, and which row of the shop it is about."""

    number: int  # as the spreadsheet counts
    cells: Cells
    values: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    known: Any = None


@dataclass
class Outcome:
    """What becomes of a row."""

    fate: Fate
    title: str = ""
    changes: list[list[str]] = field(default_factory=list)  # heading, before, after
    remarks: list[str] = field(default_factory=list)

    @property
    def is_noted(self) -> bool:
        """Whether somebody should look at it twice before it is imported."""
        return bool(self.remarks) and self.fate != Fate.REFUSED


class Layout:
    """Which cell of a row belongs to which column, by the headings of the file."""

    def __init__(self, columns: list[Column], headings: Cells) -> None:
        """Raises UnreadableFile for headings that are none, or twice the same."""
        known = {spelled(name): c for c in columns for name in (c.field, c.column_name)}
        self.places: dict[int, Column] = {}
        self.unread: list[str] = []
        self.width = len(headings)
        for place, heading in enumerate(headings):
            column = known.get(spelled(heading or ""))
            if column is None or not column.read:
                if heading is not None:
                    self.unread.append(str(heading)[:60])
            elif column in self.places.values():
                raise UnreadableFile(f"Two columns are headed “{column.column_name}”.")
            else:
                self.places[place] = column
        if not self.places:
            names = ", ".join(column.column_name for column in columns if column.read)
            found = ", ".join(self.unread)[:100] or "nothing"
            raise UnreadableFile(
                f"The first row must have the headings of the columns, some of: {names}. "
                f"It has: {found}."
            )
