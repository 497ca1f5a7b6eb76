"""Rows as a serializer shows them: from SQL to what JSON is made of, without model instances.

A serializer is where a shape is declared, and the only place. What it says is taken literally:
`source` names a column, or a path to one (`mechanic.user.email`); a serializer inside it is a row
that this one points at; one with `many=True` is the rows that point at this one, by number, or with
a `max_length` the newest of them, newest first. Each value is shown as its field's
`to_representation` shows it. What cannot be read from columns is refused.

A shape costs one query, and one more for each `many=True` in it, whatever the number of rows; on
MySQL they go there together. The ORM makes their SQL once. Why, and what it saves:
docs/adr/0018-from-rows-to-json.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.utils.timezone import get_current_timezone
from rest_framework import serializers

from autoful.prepared import Prepared, Question, ask

Row = dict[str, Any]
Shape = type[serializers.Serializer[Any]]
Path = tuple[str, ...]

# What these show of a value that comes from a column of their kind is that value.
AS_IT_IS = {
    kind.to_representation
    for kind in (
        serializers.BooleanField,
        serializers.CharField,
        serializers.ChoiceField,
        serializers.DecimalField,
        serializers.IntegerField,
    )
}


def _moment(value: datetime) -> str:
    """What DRF's DateTimeField shows of a moment, in the shop's time zone; in a fifth of its time."""
    text = value.astimezone(get_current_timezone()).isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def read(shape: Shape, numbers: Sequence[int], *, using: str = DEFAULT_DB_ALIAS) -> dict[int, Row]:
    """What `shape` shows of the rows of its model with these numbers, by number.

    A row that is not there, or not any more, is left out. Raises TypeError when `shape` declares
    what cannot be read from columns.
    """
    rows, _ = read_beside((), {shape: numbers}, using=using)
    return rows


def columns(shape: Shape) -> Sequence[str]:
    """What `shape` needs of a row itself, by name; whoever finds rows may bring them along.

    Empty when it needs rows that this one points at: joined to a page, MariaDB begins with those,
    all of them, and sorts.
    """
    names = _reader(shape).select.columns
    return () if any("__" in name for name in names) else names


def read_beside(
    questions: Iterable[Question],
    asked: Mapping[Shape, Sequence[int]],
    brought: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> tuple[dict[int, Row], list[list[Any]]]:
    """What each shape shows of rows of its own, and the answers to `questions`, which are asked
    before, and together with them.

    If the `columns` of the rows are `brought`, by number, only what is nested in them is read.
    """
    everything = [*questions]
    besides = len(everything)
    readers = [(_reader(shape), numbers) for shape, numbers in asked.items() if numbers]
    for reader, numbers in readers:
        everything += [one.asked(numbers) for one in reader.selects(rows_too=not brought)]
    answers = ask(everything, using=using) if everything else []
    rows: dict[int, Row] = {}
    found = iter(answers[besides:])
    for reader, numbers in readers:
        names = reader.select.columns
        own = [[brought[n][name] for name in names] for n in numbers] if brought else next(found)
        rows |= {values[0]: reader.show(values) for values in reader.select.shown(own)}
        for name, nested in reader.nested.items():
            for values in nested.select.shown(next(found)):
                if values[0] in rows:  # or it is gone since
                    rows[values[0]][name].append(nested.show(values))
    return rows, answers[:besides]


@cache
def _reader(shape: Shape) -> "_Reader":
    model: type[models.Model] = shape.Meta.model  # type: ignore[attr-defined]
    reader = _Reader(_Select(model, "pk"))
    reader.show = reader.shown(shape(), ())
    return reader


class _Select:
    """Columns of the rows of `model` whose `key` is one of some numbers; the first is the key.

    `path` leads to the rows that are meant. With `most`, the newest so many of one number's.
    """

    def __init__(
        self, model: type[models.Model], key: str, path: Path = (), most: int | None = None
    ) -> None:
        self.model, self.key, self.most = model, key, most
        self.number = "__".join([*path, "pk"])
        self.columns = [key]
        self.shows: list[tuple[int, Callable[[Any], Any]]] = []
        self._statements: dict[int, Prepared] = {}  # by the count of numbers

    def add(self, path: Path, show: Callable[[Any], Any] | None = None) -> int:
        """Select one more column; returns its place among the values."""
        self.columns.append("__".join(path))
        place = len(self.columns) - 1
        if show is not None:
            self.shows.append((place, show))
        return place

    def asked(self, numbers: Sequence[int]) -> Question:
        """The question for the rows of these numbers."""
        count = len(numbers)
        if count not in self._statements:
            self._statements[count] = Prepared(self._select, count)
        return self._statements[count].asked(*numbers)

    def shown(self, rows: list[list[Any]]) -> list[list[Any]]:
        """The values of each row, as they are shown."""
        for place, show in self.shows:
            for values in rows:
                if values[place] is not None:
                    values[place] = show(values[place])
        return rows

    def _select(self, *numbers: int) -> models.QuerySet[Any, Any]:
        rows = self.model._base_manager.filter(**{f"{self.key}__in": numbers})
        if self.most is None:
            rows = rows.order_by("pk")
        elif len(numbers) == 1:
            rows = rows.order_by(f"-{self.number}")[: self.most]
        else:
            raise TypeError(f"The newest {self.most} can be read of one row only.")
        return rows.values_list(*self.columns)


class _Reader:
    """What is selected for a serializer, how one row of it is shown, and what is nested in it."""

    show: Callable[[list[Any]], Any]

    def __init__(self, select: _Select) -> None:
        self.select = select
        self.nested: dict[str, _Reader] = {}

    def selects(self, *, rows_too: bool) -> "list[_Select]":
        nested = [reader.select for reader in self.nested.values()]
        return [self.select, *nested] if rows_too else nested

    def shown(self, serializer: Any, path: Path) -> Callable[[list[Any]], Row]:
        """What makes of a row's values what `serializer`, of the row at `path`, shows of it."""
        names, places = [], []
        makers: list[tuple[str, Callable[[list[Any]], Any]]] = []
        for name, field in serializer.fields.items():
            if field.write_only:
                continue
            place, make = self._maker(serializer, name, field, (*path, *field.source_attrs))
            names.append(name)
            places.append(place)
            if make is not None:
                makers.append((name, make))
        # All that is a value of its own at once; what is made of several then takes its place.
        chosen = itemgetter(*places, places[0])  # of one alone it would give no tuple

        def show(values: list[Any]) -> Row:
            row = dict(zip(names, chosen(values), strict=False))
            for name, make in makers:
                row[name] = make(values)
            return row

        return show

    def _maker(
        self, serializer: Any, name: str, field: Any, path: Path
    ) -> tuple[int, Callable[[list[Any]], Any] | None]:
        """The place of a field's value, and what makes of a row's values what the field shows, where
        that is not the value alone.
        """
        if isinstance(field, serializers.ListSerializer | serializers.ManyRelatedField):
            if serializer.parent is not None:
                raise TypeError(f"{serializer}: many={name} is read for the outermost rows only.")
            self.nested[name] = _pointing_at(self.select.model, field, path)
            return 0, lambda _: []
        if isinstance(field, serializers.Serializer):
            number, show = self.select.add((*path, "pk")), self.shown(field, path)
            return number, lambda values: None if values[number] is None else show(values)
        if not path or isinstance(field, serializers.SerializerMethodField):
            raise TypeError(f"{type(serializer).__name__}.{name} cannot be read from a column.")
        shown = type(field).to_representation
        if shown in AS_IT_IS:
            return self.select.add(path), None
        plain = not {"format", "timezone"} & vars(field).keys()
        if shown is serializers.DateTimeField.to_representation and plain:
            return self.select.add(path, _moment), None
        return self.select.add(path, field.to_representation), None


def _pointing_at(model: type[models.Model], field: Any, path: Path) -> _Reader:
    """The reader of a field with `many=True`; its path begins with a relation back to `model`."""
    relation: Any = model._meta.get_field(path[0])
    most = getattr(field, "max_length", None)
    reader = _Reader(_Select(relation.related_model, relation.field.attname, path[1:], most))
    if isinstance(field, serializers.ManyRelatedField):
        named: Any = field.child_relation
        column = (*path[1:], named.slug_field)
        reader.show = itemgetter(reader.select.add(column))
    else:
        reader.show = reader.shown(field.child, path[1:])
    return reader
