"""Rows as a serializer shows them: from SQL to what JSON is made of, without model instances.

A serializer is where a shape is declared, and the only place. What it says is taken literally:
`source` names a column, or a path to one (`mechanic.user.email`); a serializer inside it is a row
that this one points at; one with `many=True` is the rows that point at this one, by number, or with
a `max_length` the newest of them, newest first. Each value is shown as its field's
`to_representation` shows it. What cannot be read from columns is refused.

A shape costs one query, and one more for each `many=True` in it, whatever the number of rows. The
ORM makes their SQL once. Why, and what it saves: docs/adr/0018-from-rows-to-json.md.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from rest_framework import serializers

from autoful.prepared import Prepared

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


def read(shape: Shape, numbers: Sequence[int], *, using: str = DEFAULT_DB_ALIAS) -> dict[int, Row]:
    """What `shape` shows of the rows of its model with these numbers, by number.

    A row that is not there, or not any more, is left out. Raises TypeError when `shape` declares
    what cannot be read from columns.
    """
    reader = _reader(shape)
    rows = {values[0]: reader.show(values) for values in reader.select.rows(numbers, using)}
    for name, nested in reader.nested.items():
        for values in nested.select.rows(list(rows), using):
            rows[values[0]][name].append(nested.show(values))
    return rows


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

    def rows(self, numbers: Sequence[int], using: str) -> list[list[Any]]:
        """The values of each row, as they are shown."""
        count = len(numbers)
        if not count:
            return []
        if count not in self._statements:
            self._statements[count] = Prepared(self._select, count)
        rows = self._statements[count].rows(*numbers, using=using)
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

    def shown(self, serializer: Any, path: Path) -> Callable[[list[Any]], Row]:
        """What makes of a row's values what `serializer`, of the row at `path`, shows of it."""
        makers = [
            (name, self._maker(serializer, name, field, (*path, *field.source_attrs)))
            for name, field in serializer.fields.items()
            if not field.write_only
        ]
        return lambda values: {name: make(values) for name, make in makers}

    def _maker(
        self, serializer: Any, name: str, field: Any, path: Path
    ) -> Callable[[list[Any]], Any]:
        if isinstance(field, serializers.ListSerializer | serializers.ManyRelatedField):
            if serializer.parent is not None:
                raise TypeError(f"{serializer}: many={name} is read for the outermost rows only.")
            self.nested[name] = _pointing_at(self.select.model, field, path)
            return lambda _: []
        if isinstance(field, serializers.Serializer):
            number, show = self.select.add((*path, "pk")), self.shown(field, path)
            return lambda values: None if values[number] is None else show(values)
        if not path or isinstance(field, serializers.SerializerMethodField):
            raise TypeError(f"{type(serializer).__name__}.{name} cannot be read from a column.")
        as_it_is = type(field).to_representation in AS_IT_IS
        return itemgetter(self.select.add(path, None if as_it_is else field.to_representation))


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
