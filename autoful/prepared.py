"""Statements that the ORM writes once, for what every request asks with other values.

    mechanic = Prepared(lambda number: Mechanic.objects.select_related("user").filter(pk=number))
    mechanic.rows(7)

The ORM takes longer to write a query than a database to answer it by a number, and writes the same
text each time. Here the text is kept. The queryset that `select` returns is the only place where
the query stands; `rows` gives instances, or dicts for `values()`, or lists for `values_list()`.

Questions that do not wait for each other's answers go to the database together:

    row, team = ask([TICKET.asked(7), TEAM.asked(7)])

An UPDATE is one of them, and its answer is how many rows it found: see `Move`; so is an INSERT:
`autoful.inserts`. On MySQL all that is one way there and back, and the way is half of what a row by
its number costs.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.expressions import Combinable
from django.db.models.query import (
    ModelIterable,
    ValuesIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.signals import post_init
from django.db.models.sql import UpdateQuery

from autoful.mysql import SEPARATOR

# Within a text that LIKE looks for, as the ORM writes them.
LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})

# Stands for the first number while the query is written: larger than any constant of ours, and
# small enough for every kind of column, or Django knows that no row has it and writes no query.
FIRST = 1_700_000_000
PLACES = re.compile(r"%%|%s|\b170000[0-9]{4}\b")  # LIMIT and OFFSET are written into the text
STANDS_IN = re.compile(r"(?P<around>%?)\b(?P<value>170000[0-9]{4})\b(?P=around)")


class Prepared:
    """`select` gets `count` values, and uses each as a number of a row, a limit or an offset, as the
    text in a column of texts, or as what such a text contains.
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
        text, parameters = compiler.as_sql()
        return _Statement(text, parameters, _Rows(queryset, compiler).told)


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
        text, parameters = query.get_compiler(using).as_sql()
        return _Statement(text, parameters, how_many)


# What a cursor of the driver's answered, by it and by Django's connection.
Told = Callable[[Any, Any], Any]
# A text, what the driver writes into it, and what tells the answer.
Written = tuple[str, Sequence[Any], Told]


class Asked(Protocol):
    """What `ask` takes."""

    def written(self, using: str) -> Written: ...


def how_many(cursor: Any, connection: Any) -> int:
    """How many rows a statement wrote, or found as they were to be."""
    return int(cursor.rowcount)


class Question(NamedTuple):
    prepared: Prepared
    values: tuple[int | str, ...]

    def written(self, using: str) -> "Written":
        statement = self.prepared.statement(using)
        return statement.sql(self.values), statement.bound(self.values), statement.told


def ask(questions: Sequence[Asked], *, using: str = DEFAULT_DB_ALIAS) -> list[Any]:
    """What each is answered, in their order: rows, or how many it wrote, or a new row's number. They
    are answered one after the other, as if asked so; what one that fails leaves is taken back.
    """
    written = [question.written(using) for question in questions]
    texts: Sequence[str]
    constants: Sequence[Sequence[Any]]
    texts, constants, tellers = zip(*written, strict=True)
    connection = connections[using]
    takes_several = connection.vendor == "mysql"
    if takes_several:
        texts, constants = [SEPARATOR.join(texts)], [list(chain.from_iterable(constants))]
    found: list[Any] = []
    tell = iter(tellers)
    try:
        with connection.cursor() as cursor:
            # The driver's own: Django's look up each step anew.
            answers = cursor.cursor.cursor if takes_several else cursor.cursor
            for text, some in zip(texts, constants, strict=True):
                cursor.execute(text, some)
                with connection.wrap_database_errors:
                    found.append(next(tell)(answers, connection))
                    while takes_several and answers.nextset():
                        found.append(next(tell)(answers, connection))
    except Error as failure:
        # What failed half-way is not gone on with: see `transaction.mark_for_rollback_on_error`.
        if connection.in_atomic_block:
            connection.needs_rollback = True
            connection.rollback_exc = failure  # type: ignore[attr-defined]
        raise
    return found


class _Statement:
    """The text of a statement, and what tells its answer."""

    def __init__(self, text: str, parameters: Iterable[Any], told: Told) -> None:
        self.told = told
        values = iter(parameters)
        self._bound: list[Any] = []
        # A place in these, that of the value which goes there, and whether a text is to contain it.
        self._texts: list[tuple[int, int, bool]] = []
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
            if isinstance(value, str) and (stands := STANDS_IN.search(value)):
                contained = bool(stands["around"])
                is_like = text[: found.start()].endswith("LIKE ")
                if stands[0] != value or is_like is not contained:
                    raise TypeError(
                        "A text is compared, or contained, and nothing else is made here."
                    )
                self._texts.append((len(self._bound), int(stands["value"]) - FIRST, contained))
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
        for place, at, contained in self._texts:
            value = str(values[at])
            bound[place] = f"%{value.translate(LIKE)}%" if contained else value
        return bound


class _Rows:
    """What tells the rows of a SELECT, as its queryset would make them of the driver's."""

    def __init__(self, queryset: QuerySet[Any, Any], compiler: Any) -> None:
        # What is a connection's own by name: it would keep it open for a thread that has gone.
        selected = [expression for expression, *_ in compiler.select]
        operations = compiler.connection.ops
        self.converted = [
            (at, _of_its_own(convert, operations), expression)
            for at, (converters, expression) in compiler.get_converters(selected).items()
            for convert in converters
        ]
        self.made = _maker(queryset, compiler)

    def told(self, cursor: Any, connection: Any) -> list[Any]:
        rows = [list(row) for row in cursor.fetchall()]
        for at, converter, expression in self.converted:
            named = isinstance(converter, str)
            convert = getattr(connection.ops, converter) if named else converter
            for row in rows:
                row[at] = convert(row[at], expression, connection)
        return self.made(rows)


def _of_its_own(converter: Any, operations: Any) -> Any:
    """The name of a connection's own converter; any other as it is."""
    return converter.__name__ if getattr(converter, "__self__", None) is operations else converter


def _from_db(model: type[Model]) -> Callable[[str, Sequence[str], Sequence[Any]], Any]:
    """The model's `from_db`, or what does the same without asking each of its fields what becomes of
    its value, if it has no way of its own.
    """
    own_way = (model.__init__, model.from_db.__func__)  # type: ignore[attr-defined]
    usual = (Model.__init__, Model.from_db.__func__)  # type: ignore[attr-defined]
    if own_way != usual or post_init.has_listeners(model):
        return model.from_db

    def made(db: str, names: Sequence[str], values: Sequence[Any]) -> Any:
        instance = model.__new__(model)
        instance._state = ModelState()
        instance._state.adding, instance._state.db = False, db
        instance.__dict__.update(zip(names, values, strict=True))
        return instance

    return made


def _populate_plainly(populators: Iterable[Any]) -> None:
    """Let what is selected along be made as `_from_db` makes it."""
    for one in populators:
        one.model_cls = SimpleNamespace(from_db=_from_db(one.model_cls))
        _populate_plainly(one.related_populators)


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
        _populate_plainly(others)
        from_db = _from_db(model)

        def instance(row: list[Any]) -> Any:
            made = from_db(queryset.db, names, row[own])
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
