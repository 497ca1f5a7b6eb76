"""SELECTs that the ORM writes once, for what every request asks with other numbers.

    mechanic = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    mechanic.rows(7)

The ORM takes longer to write a query than a database to answer it by a number, and writes the same
text each time. Here the text is kept. The queryset that `select` returns is the only place where
the query stands; `rows` gives instances, or dicts for `values()`, or lists for `values_list()`.

Questions that do not wait for each other's answers go to the database together:

    row, team = ask([TICKET.asked(7), TEAM.asked(7)])

On MySQL that is one way there and back, and the way is half of what a row by its number costs.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

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
SEPARATOR = ";\n"  # of statements that go together
PLACES = re.compile(r"%%|%s|\b170000[0-9]{4}\b")  # LIMIT and OFFSET are written into the text


class Prepared:
    """`select` gets `count` numbers, and uses each as a number of a row, a limit or an offset."""

    def __init__(self, select: Callable[..., QuerySet[Any, Any]], count: int = 1) -> None:
        self.select, self.count = select, count
        self._statements: dict[str, _Statement] = {}

    def asked(self, *numbers: int) -> "Question":
        """The question for these numbers, for `ask`."""
        return Question(self, numbers)

    def rows(self, *numbers: int, using: str = DEFAULT_DB_ALIAS) -> list[Any]:
        (rows,) = ask([self.asked(*numbers)], using=using)
        return rows

    def first(self, *numbers: int, using: str = DEFAULT_DB_ALIAS) -> Any:
        """The first of the rows, or None."""
        return next(iter(self.rows(*numbers, using=using)), None)

    def statement(self, using: str) -> "_Statement":
        statement = self._statements.get(using)
        if statement is None:
            stand_ins = range(FIRST, FIRST + self.count)
            statement = _Statement(self.select(*stand_ins).using(using))
            self._statements[using] = statement
        return statement


class Question(NamedTuple):
    prepared: Prepared
    numbers: tuple[int, ...]


def ask(questions: Sequence[Question], *, using: str = DEFAULT_DB_ALIAS) -> list[list[Any]]:
    """The rows of each, in their order. They are answered one after the other, as if asked so."""
    statements = [prepared.statement(using) for prepared, _ in questions]
    texts = [s.sql(numbers) for s, (_, numbers) in zip(statements, questions, strict=True)]
    constants = [statement.constants for statement in statements]
    connection = connections[using]
    takes_several = connection.vendor == "mysql"
    if takes_several:
        texts, constants = [SEPARATOR.join(texts)], [list(chain.from_iterable(constants))]
    found = []
    with connection.cursor() as cursor, connection.wrap_database_errors:
        for text, some in zip(texts, constants, strict=True):
            cursor.execute(text, some)
            answers = cursor.cursor  # the driver's own: Django's looks up each step anew
            found.append(answers.fetchall())
            while takes_several and answers.nextset():
                found.append(answers.fetchall())
    return [s.made_of(rows, connection) for s, rows in zip(statements, found, strict=True)]


class _Statement:
    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        text, parameters = compiler.as_sql()
        values = iter(parameters)
        self.constants: list[Any] = []
        places: list[int] = []

        def place(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%%%%"
            value = next(values) if found[0] == "%s" else int(found[0])
            if isinstance(value, int) and FIRST <= value < FIRST + 10_000:
                places.append(value - FIRST)
                return "%d"
            self.constants.append(value)
            return "%%s"

        # Numbers are written into the text, which takes nothing else; constants are the driver's.
        self._text = PLACES.sub(place, text)
        self._chosen = itemgetter(*places) if places else itemgetter(slice(0))
        # Not the functions: they are a connection's own, and would keep it open for a thread that
        # has gone.
        selected = [expression for expression, *_ in compiler.select]
        self.converted = [(at, e) for at, (_, e) in compiler.get_converters(selected).items()]
        self.made = _maker(queryset, compiler)

    def sql(self, numbers: tuple[int, ...]) -> str:
        """The text with the numbers in their places."""
        return self._text % self._chosen(numbers)

    def made_of(self, found: Iterable[Iterable[Any]], connection: Any) -> list[Any]:
        """What the queryset would make of the driver's rows."""
        rows = [list(row) for row in found]
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
