"""Statements that the ORM writes once, for what every request asks with other values.

    mechanic = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    mechanic.rows(7)

The ORM takes longer to write a query than a database to answer it by a number, and writes the same
text each time. Here the text is kept. The queryset that `select` returns is the only place where
the query stands; `rows` gives instances, or dicts for `values()`, or lists for `values_list()`.

Questions that do not wait for each other's answers go to the database together:

    row, team = ask([TICKET.asked(7), TEAM.asked(7)])

An UPDATE is one of them, and its answer is how many rows it found: see `Move`. On MySQL all that is one way there and back, and the way is half of what a row by its number costs.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.query import (
    ModelIterable,
    ValuesIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import UpdateQuery

# Stands for the first number while the query is written: larger than any constant of ours, and
# small enough for every kind of column, or Django knows that no row has it and writes no query.
FIRST = 1_700_000_000
SEPARATOR = ";\n"  # of statements that go together
PLACES = re.compile(r"%%|%s|\b170000[0-9]{4}\b")  # LIMIT and OFFSET are written into the text


class Prepared:
    """`select` gets `count` values, and uses each as a number of a row, a limit or an offset, or as
    the text in a column of texts.
    """

    def __init__(self, select: Callable[..., QuerySet[Any, Any]], count: int = 1) -> None:
        self.select, self.count = select, count
        self._statements: dict[str, _Statement] = {}

    def asked(self, *values: int | str) -> "Question":
        """The question for these values, for `ask`."""
        return Question(self, values)

    def rows(self, *values: int | str, using: str = DEFAULT_DB_ALIAS) -> list[Any]:
        (rows,) = ask([self.asked(*values)], using=using)
        return rows

    def first(self, *values: int | str, using: str = DEFAULT_DB_ALIAS) -> Any:
        """The first of the rows, or None."""
        return next(iter(self.rows(*values, using=using)), None)

    def statement(self, using: str) -> "_Statement":
        statement = self._statements.get(using)
        if statement is None:
            statement = self._statements[using] = self._written(using)
        return statement

    def _written(self, using: str) -> "_Statement":
        queryset = self.select(*range(FIRST, FIRST + self.count)).using(using)
        compiler = queryset.query.get_compiler(queryset.db)
        return _Select(queryset, compiler)


class Move(Prepared):
    """`moved` says what becomes of the rows that `select` returns; both get the same values."""

    def __init__(
        self,
        select: Callable[..., QuerySet[Any, Any]],
        moved: Callable[..., Mapping[str, Combinable]],
        count: int = 1,
    ) -> None:
        super().__init__(select, count)
        self.moved = moved

    def _written(self, using: str) -> "_Statement":
        stand_ins = range(FIRST, FIRST + self.count)
        query: Any = self.select(*stand_ins).using(using).query.chain(UpdateQuery)
        query.add_update_values(self.moved(*stand_ins))
        return _Written(*query.get_compiler(using).as_sql())


class Question(NamedTuple):
    prepared: Prepared
    values: tuple[int | str, ...]

    def written(self, using: str) -> "tuple[str, Sequence[Any], _Statement]":
        """Text, its constants, and what tells the answer."""
        statement = self.prepared.statement(using)
        return statement.sql(self.values), statement.bound(self.values), statement


@cache
def insert_of(model: type[Model]) -> "Insert":
    return Insert(model)


class Insert:
    """An INSERT of rows by the values of `fields`, each as the driver takes it."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.fields = [f for f in model._meta.local_concrete_fields if not f.primary_key]

    def asked(self, rows: Sequence[Sequence[Any]]) -> "Rows":
        """For `ask`, which answers with how many there were."""
        return Rows(self, rows, COUNTED)

    def numbered(self, row: Sequence[Any]) -> "Rows":
        """One, and `ask` answers with its number."""
        return Rows(self, [row], NUMBERED)

    def values(self, row: Model, using: str) -> list[Any]:
        """Those of a new row, as it is now."""
        connection = connections[using]
        return [
            field.get_db_prep_save(getattr(row, field.attname), connection) for field in self.fields
        ]

    @cache  # noqa: B019 - there is one of each model, and it stays
    def head(self, using: str) -> str:
        """Up to the values."""
        quoted = connections[using].ops.quote_name
        columns = ", ".join(quoted(str(field.column)) for field in self.fields)
        table = quoted(self.model._meta.db_table)
        return f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 - names of ours


class Rows(NamedTuple):
    insert: Insert
    rows: Sequence[Sequence[Any]]
    told: "_Statement"

    def written(self, using: str) -> "tuple[str, Sequence[Any], _Statement]":
        one = f"({', '.join(['%s'] * len(self.insert.fields))})"
        text = self.insert.head(using) + ", ".join([one] * len(self.rows))
        return text, list(chain.from_iterable(self.rows)), self.told


def ask(questions: Sequence[Question | Rows], *, using: str = DEFAULT_DB_ALIAS) -> list[Any]:
    """The rows of each, in their order, or how many it wrote. They are answered one after the other,
    as if asked so.
    """
    written = [question.written(using) for question in questions]
    texts: Sequence[str]
    constants: Sequence[Sequence[Any]]
    texts, constants, statements = zip(*written, strict=True)
    connection = connections[using]
    takes_several = connection.vendor == "mysql"
    if takes_several:
        texts, constants = [SEPARATOR.join(texts)], [list(chain.from_iterable(constants))]
    found: list[Any] = []
    each = iter(statements)
    # What failed half-way is not gone on with.
    with transaction.mark_for_rollback_on_error(using), connection.cursor() as cursor:
        for text, some in zip(texts, constants, strict=True):
            cursor.execute(text, some)
            answers = cursor.cursor  # the driver's own: Django's looks up each step anew
            found.append(next(each).told(answers, connection))
            with connection.wrap_database_errors:
                while takes_several and answers.nextset():
                    found.append(next(each).told(answers, connection))
    return found


class _Statement:
    """The text of a statement, and what becomes of the driver's answer: `told`."""

    def __init__(self, text: str, parameters: Iterable[Any]) -> None:
        values = iter(parameters)
        self._bound: list[Any] = []
        self._texts: list[tuple[int, int]] = []  # a place in these, and the value's that goes there
        places: list[int] = []

        def place(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%%%%"
            value = next(values) if found[0] == "%s" else int(found[0])
            if isinstance(value, int) and FIRST <= value < FIRST + 10_000:
                places.append(value - FIRST)
                return "%d"
            if type(value) is int:
                return str(value)
            if isinstance(value, str) and value.isdigit() and 0 <= int(value) - FIRST < 10_000:
                self._texts.append((len(self._bound), int(value) - FIRST))
            self._bound.append(value)
            return "%%s"

        # Numbers are written into the text, which takes nothing else; the rest is the driver's.
        self._text = PLACES.sub(place, text)
        self._chosen = itemgetter(*places) if places else itemgetter(slice(0))

    def sql(self, values: tuple[int | str, ...]) -> str:
        """The text with the numbers in their places."""
        return self._text % self._chosen(values)

    def bound(self, values: tuple[int | str, ...]) -> list[Any]:
        """What the driver writes into it."""
        if not self._texts:
            return self._bound
        bound = self._bound.copy()
        for place, value in self._texts:
            bound[place] = values[value]
        return bound

    def told(self, cursor: Any, connection: Any) -> Any:
        raise NotImplementedError


class _Written(_Statement):
    def told(self, cursor: Any, connection: Any) -> int:
        return int(cursor.rowcount)


class _Numbered(_Statement):
    def told(self, cursor: Any, connection: Any) -> int:
        return int(cursor.lastrowid)


# What is told of an INSERT; its text is its own.
COUNTED, NUMBERED = _Written("", ()), _Numbered("", ())


class _Select(_Statement):
    def __init__(self, queryset: QuerySet[Any, Any], compiler: Any) -> None:
        super().__init__(*compiler.as_sql())
        # Not the functions: they are a connection's own, and would keep it open for a thread that
        # has gone.
        selected = [expression for expression, *_ in compiler.select]
        self.converted = [(at, e) for at, (_, e) in compiler.get_converters(selected).items()]
        self.made = _maker(queryset, compiler)

    def told(self, cursor: Any, connection: Any) -> list[Any]:
        """What the queryset would make of the driver's rows."""
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
