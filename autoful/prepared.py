"""SELECTs that the ORM writes once, for what every request asks with other numbers.

    mechanic = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    mechanic.rows(7)

The ORM takes longer to write a query than a database to answer it by a number, and writes the same
text each time. Here the text is kept. The queryset that `select` returns is the only place where
the query stands; `rows` gives instances, or dicts for `values()`, or lists for `values_list()`.
"""

import re
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.query import (
    ModelIterable,
    ValuesIterable,
    ValuesListIterable,
    get_related_populators,
)

# Stands for the first number while the query is written: larger than any constant of ours, and
# small enough for every kind of column, or Django knows that no row has it and writes no query.
FIRST = 1_700_000_000
PLACES = re.compile(r"%%|%s|\b170000[0-9]{4}\b")  # LIMIT and OFFSET are written into the text


class Prepared:
    """`select` gets `count` numbers, and uses each as a number of a row, a limit or an offset."""

    def __init__(self, select: Callable[..., QuerySet[Any, Any]], count: int = 1) -> None:
        self.select, self.count = select, count
        self._statements: dict[str, _Statement] = {}

    def rows(self, *numbers: int, using: str = DEFAULT_DB_ALIAS) -> list[Any]:
        statement = self._statements.get(using)
        if statement is None:
            stand_ins = range(FIRST, FIRST + self.count)
            statement = _Statement(self.select(*stand_ins).using(using))
            self._statements[using] = statement
        return statement.rows(numbers, using)

    def first(self, *numbers: int, using: str = DEFAULT_DB_ALIAS) -> Any:
        """The first of the rows, or None."""
        return next(iter(self.rows(*numbers, using=using)), None)


class _Statement:
    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        text, parameters = compiler.as_sql()
        constants = iter(parameters)
        self.parameters: list[tuple[bool, Any]] = []  # whether it is a place among the numbers

        def place(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%%"
            value = next(constants) if found[0] == "%s" else int(found[0])
            is_number = isinstance(value, int) and FIRST <= value < FIRST + 10_000
            self.parameters.append((is_number, value - FIRST if is_number else value))
            return "%s"

        self.sql = PLACES.sub(place, text)
        # Not the functions: they are a connection's own, and would keep it open for a thread that
        # has gone.
        selected = [expression for expression, *_ in compiler.select]
        self.converted = [(at, e) for at, (_, e) in compiler.get_converters(selected).items()]
        self.made = _maker(queryset, compiler)

    def rows(self, numbers: tuple[int, ...], using: str) -> list[Any]:
        values = [numbers[value] if is_number else value for is_number, value in self.parameters]
        connection = connections[using]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            rows = [list(row) for row in cursor.fetchall()]
        for at, expression in self.converted:
            own = connection.ops.get_db_converters(expression)
            for convert in [*own, *expression.get_db_converters(connection)]:
                for row in rows:
                    row[at] = convert(row[at], expression, connection)
        return self.made(rows)


def _maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[list[list[Any]]], list[Any]]:
    """What makes of values what the queryset would."""
    kind = queryset._iterable_class
    lookups: Any = queryset
    if lookups._prefetch_related_lookups or (kind is ModelIterable and compiler.annotation_col_map):
        raise TypeError(f"{queryset.model} is prefetched or annotated, which is not made here.")
    if kind is ModelIterable:
        klass, model = compiler.klass_info, compiler.klass_info["model"]
        own = slice(klass["select_fields"][0], klass["select_fields"][-1] + 1)
        names = [column.target.attname for column, *_ in compiler.select[own]]
        others = get_related_populators(klass, compiler.select, queryset.db)  # type: ignore[call-arg]

        def instance(row: list[Any]) -> Any:
            made = model.from_db(queryset.db, names, row[own])
            for other in others:
                other.populate(row, made)
            return made

        return lambda rows: [instance(row) for row in rows]
    if kind is ValuesIterable:
        query = queryset.query
        shown = list(query.selected or query.values_select)
        return lambda rows: [dict(zip(shown, row, strict=True)) for row in rows]
    if kind is ValuesListIterable:
        return lambda rows: rows
    raise TypeError(f"{kind.__name__} is not made here.")
