"""Cursors: places in an ordered list, which stay where they are whatever comes and goes.

A place is the values that a row is ordered by, its id last, so the row itself may be gone. What
comes after a place is asked of the database in full: it alone knows which texts are equal there.

A cursor is signed. Nobody but the shop can name a place, so nobody can compare rows with values of
their own, nor fill the cache with places that nobody was ever shown.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import Col
from rest_framework.exceptions import ValidationError

LONGEST = 4_096  # the longest texts that a list is ordered by, twice over
FORM = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}"
UNKNOWN = "This is no cursor of this list. An empty one is its first page."

# The places after and before one, with or without the one itself, and what each leaves out.
REST = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@dataclass(frozen=True)
class Column:
    """One of those that a list is ordered by."""

    name: str
    falls: bool
    nullable: bool
    field: models.Field[Any, Any]

    def __str__(self) -> str:
        return "-" * self.falls + self.name


@dataclass(frozen=True)
class Order:
    """All that a list of `model` is ordered by; ties end in the id."""

    model: type[models.Model]
    columns: tuple[Column, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.columns))

    def applied_to(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.order_by(*map(str, self.columns))

    def turned_round(self) -> Order:
        return replace(self, columns=tuple(replace(c, falls=not c.falls) for c in self.columns))

    def values_of(self, key: dict[str, Any]) -> tuple[Any, ...]:
        """The place of the row that this is the key of."""
        return (*(key[column.name] for column in self.columns[:-1]), key["pk"])

    def after(self, values: Sequence[Any], *, itself: bool) -> Q:
        """Which rows come after these values of the columns; `itself`: and who has just these.

        Each column is bounded once more outside the OR, from which alone no server would take it
        that one stretch of an index is enough. NULL comes before everything.
        """
        (column, *others), (value, *rest) = self.columns, values
        name = column.name
        further = Q(**{f"{name}__{'lt' if column.falls else 'gt'}": value})
        reached = Q(**{f"{name}__{'lte' if column.falls else 'gte'}": value})
        if not others:
            return reached if itself else further
        same = replace(self, columns=tuple(others)).after(rest, itself=itself)
        if value is None:
            null = Q(**{f"{name}__isnull": True})
            return null & same if column.falls else ~null | (null & same)
        if column.falls and column.nullable:
            null = Q(**{f"{name}__isnull": True})
            further, reached = further | null, reached | null
        return reached & (further | (Q(**{name: value}) & same))


def order_of(queryset: QuerySet[Any]) -> Order:
    """What the queryset is ordered by, each column once and none after the id."""
    model = queryset.model
    identity = model._meta.pk.name
    names = [str(name) for name in queryset.query.order_by or model._meta.ordering]
    names.append("-" * names[-1:][0].startswith("-") + identity if names else identity)
    columns: dict[str, Column] = {}
    query = queryset.query.clone()  # finding a column may join its table
    for signed in names:
        name = signed.lstrip("-")
        name = identity if name == "pk" else name
        if name not in columns and identity not in columns:
            found: Any = query.resolve_ref(name)
            own = isinstance(found, Col) and "__" not in name
            nullable = not own or found.target.null
            columns[name] = Column(name, signed.startswith("-"), nullable, found.output_field)
    return Order(model, tuple(columns.values()))


@dataclass(frozen=True)
class Cursor:
    """On which side of which place: `side` is one of `REST`."""

    side: str
    values: tuple[Any, ...]

    @property
    def goes_back(self) -> bool:
        return "<" in self.side

    def rest(self) -> Cursor:
        """All that this one leaves out."""
        return replace(self, side=REST[self.side])

    def narrowed(self, queryset: QuerySet[Any], order: Order) -> QuerySet[Any]:
        """The rows on this side of the place, those next to it first."""
        walked = order.turned_round() if self.goes_back else order
        beyond = walked.after(self.values, itself="=" in self.side)
        return walked.applied_to(queryset.filter(beyond))


def write(cursor: Cursor, order: Order) -> str:
    """The cursor as a client carries it, good in any URL."""
    said = [cursor.side, str(order), [_said(value) for value in cursor.values]]
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    packed = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    return _signer(order).sign(packed)


def read(text: str, order: Order) -> Cursor:
    """What `write` wrote for a list of this order; raises ValidationError."""
    if len(text) > LONGEST or not re.fullmatch(FORM, text):
        raise _refused(UNKNOWN)
    try:
        packed = _signer(order).unsign(text)
        padded = packed + "=" * (-len(packed) % 4)
        side, ordering, said = json.loads(base64.urlsafe_b64decode(padded))
        if ordering != str(order):
            raise _refused(f"This cursor belongs to the ordering {ordering}, not to {order}.")
        # What we signed was right then; a new release may have changed a column since.
        values = [_read(c, value) for c, value in zip(order.columns, said, strict=True)]
        return Cursor(REST[REST[side]], tuple(values))
    except (BadSignature, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused(UNKNOWN) from error


def _refused(message: str) -> ValidationError:
    return ValidationError({"cursor": [message]})


def _signer(order: Order) -> Signer:
    return Signer(sep=".", salt=f"cursor of {order.model._meta.label_lower}")


def _said(value: Any) -> Any:
    """As JSON has it; the database gets back what it gave."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _read(column: Column, value: Any) -> Any:
    """A value that the column can be compared with; ValueError or TypeError for any other."""
    field = column.field
    if value is None and column.nullable:
        return None
    if isinstance(field, models.IntegerField) and type(value) is int:
        if -(2**63) <= value < 2**63:
            return value
    elif isinstance(field, models.DecimalField) and isinstance(value, str):
        places = field.decimal_places
        if re.fullmatch(rf"-?[0-9]{{1,{field.max_digits - places}}}\.[0-9]{{{places}}}", value):
            return Decimal(value)
    elif type(field) is models.DateField and isinstance(value, str):
        return date.fromisoformat(value)
    elif isinstance(field, models.CharField) and isinstance(value, str):
        value.encode()  # half a surrogate pair is no text
        return value
    raise TypeError(f"{column.name}: {value!r}")
