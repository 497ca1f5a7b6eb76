"""What a row of a kind means: which one it is, what it changes, and the verbs that do it.

Each app says it for its own kinds, in its `sheets.py`: columns, the form that knows the rules of
its fields, and the page of the back office whose verbs write. So a row is refused in the words in
which the page refuses it.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.utils.http import int_to_base36
from import_export.resources import Resource

from autoful.actor import Actor
from autoful.db import lock_all
from autoful.errors import DomainError
from autoful.sheets.cells import holdable
from autoful.sheets.columns import Column, Number, Text
from autoful.sheets.entries import Entry, Layout, Outcome
from autoful.sheets.models import Fate
from autoful.sheets.writing import newest_first

CHANGED_MEANWHILE = (
    "This has been changed since the file was written. Export it again to see what it says now."
)


class State(Text):
    """The moment of a row's last change, as a word that no spreadsheet takes for a number or a day."""

    def render(self, value: datetime.datetime | None, obj: Any = None, **kwargs: Any) -> Any:
        return f"r{int_to_base36(int(value.timestamp() * 1_000_000))}" if value else ""


def _left_to_the_database(exclude: Any = None) -> None: ...


class RowForm(forms.ModelForm):
    """What may be typed into a row. What only the database could tell is asked of it once, by the verb:
    each of these questions is a query for every row."""

    def validate_unique(self) -> None:
        """The verb refuses what is taken."""

    def _post_clean(self) -> None:
        # Constraints are the second guard behind the fields' own validators.
        self.instance.validate_constraints = _left_to_the_database
        super()._post_clean()  # type: ignore[misc]
        del self.instance.validate_constraints


class ShopSheet(Resource):
    """The columns of a kind of row, in and out."""

    model: ClassVar[type[models.Model]]
    form: ClassVar[type[RowForm]]
    key = ""  # the field that tells which row it is where there is no number

    def __init__(self, page: Any, user: Any) -> None:
        super().__init__()
        self.page = page
        hidden = page.hidden_fields(user) | self.hidden(user)
        for name in [n for n, column in self.fields.items() if column.field in hidden]:
            del self.fields[name]
        self.columns: list[Column] = list(self.fields.values())
        self.by_field = {column.field: column for column in self.columns}

    @classmethod
    def rights(cls) -> list[str]:
        """The permissions that importing needs."""
        app, name = cls.model._meta.app_label, cls.model._meta.model_name
        return [f"{app}.add_{name}", f"{app}.change_{name}"]

    def may_be_imported_by(self, user: Any) -> bool:
        """Whether `user` may by now what they might when this was made for them."""
        hidden = self.page.hidden_fields(user) | self.hidden(user)
        works_here = user.is_active and user.is_staff and user.has_perms(self.rights())
        return bool(works_here and not hidden & self.by_field.keys())

    def hidden(self, user: Any) -> set[str]:
        """The fields that `user` may not see, besides those that are hidden on the page."""
        return set()

    # --- Out ---

    def rows(self, rows: Any) -> Any:
        """The same rows with all that the columns show."""
        return rows

    def table(self, rows: Any) -> tuple[list[str], Iterator[list[Any]]]:
        """The headings, and the cells of each of these rows, read piece by piece, newest first."""
        cells = map(self.export_resource, newest_first(self.rows(rows)))
        return self.get_export_headers(), cells

    # --- In ---

    def existing(self) -> Any:
        """The rows that an import may find."""
        return self.model._default_manager.all()

    def remarks(self, entry: Entry, before: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        """What is to be looked at twice before it is imported, and is no error.

        `before` is what the fields of a row that is there said: its form has written into it by now.
        """
        return []

    def look_around(self, entries: Sequence[Entry]) -> None:
        """Ask the shop once, for all of these rows, what the remarks on them need to know; not when they
        are imported, when nobody reads remarks any more."""

    def enter(self, fields: dict[str, Any], actor: Actor) -> Any:
        return self.page.enter(fields, actor)

    def change(self, row: Any, changed: dict[str, Any], actor: Actor) -> None:
        self.page.change(row, changed, actor)

    def initial(self, known: Any) -> dict[str, Any]:
        """What the form's fields of no column of the table stand at."""
        return {}

    def not_asked(self, known: Any) -> set[str]:
        """The fields that are not read of such a row."""
        return set()

    def title(self, row: Any) -> str:
        return str(row)

    def outcomes(
        self,
        entries: Sequence[Entry],
        layout: Layout,
        seen: dict[Any, int],
        actor: Actor,
        *,
        locking: bool = False,
    ) -> Iterator[Outcome]:
        """Write these rows by the verbs, inside a transaction of the caller's, and say what that did, one
        by one: who does not go on after one that is refused has not tried the others.

        `seen` is kept from one piece of a file to the next: see `find`. `locking` keeps everybody else
        from the rows that there are until the end of the transaction.
        """
        self.parse(entries, layout)
        self.find(entries, seen)
        if locking:
            self.lock(entries)
        else:
            self.look_around(entries)
        return (self.take(entry, actor) for entry in entries)

    def parse(self, entries: Iterable[Entry], layout: Layout) -> None:
        """What the cells of each say."""
        for entry in entries:
            if len(entry.cells) > layout.width:
                entry.wrong.append("There are more cells in this row than headings.")
            padded = entry.cells + [None] * (layout.width - len(entry.cells))
            for place, column in layout.places.items():
                if isinstance(padded[place], str) and "\0" in padded[place]:
                    entry.wrong.append(f"{column.column_name}: null characters are not allowed.")
                    continue
                try:
                    entry.values[column.field] = column.widget.clean(padded[place])
                except ValueError as wrong:
                    entry.wrong.append(f"{column.column_name}: {wrong}")

    def find(self, entries: Sequence[Entry], seen: dict[Any, int]) -> None:
        """Which row of the shop each is about, by its number, else by its key; nothing for a new one.

        `seen` says which entry was about a row before: two that change the same one are a mistake.
        """
        numbers = {number for e in entries if (number := e.values.get("pk")) is not None}
        by_number = self.existing().in_bulk([n for n in numbers if 0 < n < 1 << 63])
        by_key: dict[Any, Any] = {}
        if self.key:
            keys = {key for e in entries if (key := e.values.get(self.key))}
            found = self.existing().filter(**{f"{self.key}__in": keys})
            by_key = {getattr(row, self.key): row for row in found}
        for entry in entries:
            number, key = entry.values.get("pk"), entry.values.get(self.key)
            if number is not None:
                entry.known = by_number.get(number)
                if entry.known is None:
                    name = self.model._meta.verbose_name
                    entry.wrong.append(
                        f"There is no {name} {number}. Leave No. empty for a new one."
                    )
            elif key:
                entry.known = by_key.get(key)
            same = {("number", entry.known.pk)} if entry.known else set()
            same |= {("key", key)} if key else set()
            for one in sorted(same):
                before = seen.setdefault(one, entry.number)
                if before != entry.number:
                    entry.wrong.append(f"Row {before} is about the same one.")
                    break

    def lock(self, entries: Sequence[Entry]) -> None:
        """Let nobody else write the rows that these are about before they are written.

        The race: somebody changes a row after it was read with its whole piece and before its turn
        comes, and loses that to a file that was shown other figures.
        """
        known = [entry for entry in entries if entry.known is not None]
        locked = lock_all(self.existing(), {entry.known.pk for entry in known})
        for entry in known:
            number, entry.known = entry.known.pk, locked.get(entry.known.pk)
            if entry.known is None:
                entry.wrong.append(f"{self.model._meta.verbose_name} {number} is deleted by now.")

    def take(self, entry: Entry, actor: Actor) -> Outcome:
        """Write the row by the verbs, and say what that did. One that is refused writes nothing."""
        if entry.wrong:
            return Outcome(Fate.REFUSED, self._name(entry.known), remarks=entry.wrong)
        known = entry.known
        form = self._form(entry)
        if not form.is_valid():
            title, said = self.title(form.instance), self._complaints(form)
            if known is None and (key := entry.values.get(self.key)):
                said.insert(0, f"There is no {self.model._meta.verbose_name} {key} yet.")
            return Outcome(Fate.REFUSED, title, remarks=said)
        # Of what the columns show: a remark must not tell what is hidden.
        before = {name: said for name, said in form.initial.items() if name in self.by_field}
        after = form.cleaned_data
        changed = [n for n in form.changed_data if _plain(before.get(n)) != _plain(after[n])]
        title, remarks = self.title(form.instance), self.remarks(entry, before, after)
        if known is not None and not changed:
            return Outcome(Fate.SAME, title, remarks=remarks)
        changes = [self._change(form, name) for name in changed]
        state = entry.values.get("updated_at")
        if known is not None and state and state != State().render(known.updated_at):
            return Outcome(Fate.REFUSED, title, changes, [CHANGED_MEANWHILE])
        try:
            if known is None:
                self.enter(form.cleaned_data, actor)
            else:
                self.change(known, {name: form.cleaned_data[name] for name in changed}, actor)
        except DomainError as refusal:
            return Outcome(Fate.REFUSED, title, changes, [refusal.message])
        return Outcome(Fate.NEW if known is None else Fate.CHANGED, title, changes, remarks)

    def _form(self, entry: Entry) -> forms.ModelForm:
        """The form with what the row says; what it says nothing about is not asked for.

        An empty cell of a new row stands for what the field has of itself: reorder at 5. Of one that is
        there, such a field stays as it is, or a list of new ones could not be imported again.
        """
        known = entry.known
        form = self.form(
            instance=known or self.model(), initial=self.initial(known) if known else None
        )
        asked_for = form.fields.keys() - self.not_asked(known)
        data = {name: value for name, value in entry.values.items() if name in asked_for}
        for name, asked in list(form.fields.items()):
            if name in asked_for and data.get(name) in (None, ""):
                default = asked.initial if known else form.initial.get(name, asked.initial)
                if known is None and (asked.required or default is not None):
                    data[name] = default() if callable(default) else default
                elif known is not None and asked.required and default is not None:
                    data.pop(name, None)
            if name not in data:
                del form.fields[name]
        form.data, form.is_bound = data, True
        return form

    def _complaints(self, form: forms.ModelForm) -> list[str]:
        said = []
        for name, errors in form.errors.items():
            column = self.by_field.get(name)
            where = "" if name == NON_FIELD_ERRORS or column is None else f"{column.column_name}: "
            said += [f"{where}{error}" for error in errors]
        return said

    def _change(self, form: forms.ModelForm, name: str) -> list[str]:
        column = self.by_field[name]
        before = form.initial.get(name) if form.instance.pk else None
        after = _plain(form.cleaned_data[name])
        return [column.column_name, *(str(column.widget.render(v)) for v in (before, after))]

    def _name(self, known: Any) -> str:
        return self.title(known) if known is not None else ""


def _plain(value: Any) -> Any:
    """As a file can tell it from another one: by its number, with line ends of one kind."""
    value = value.pk if isinstance(value, models.Model) else value
    return "" if value is None else holdable(value)


def number_column() -> Column:
    return Column(
        "No.",
        "pk",
        Number(),
        told="Autoful's own number of it, as in an export. Empty for a new one.",
    )


def state_column() -> Column:
    told = "Leave it as it is: by it you are told when the row was changed after the export."
    return Column("State", "updated_at", State(), told=told)
