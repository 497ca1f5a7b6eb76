"""Columns that mean the same on SQLite, MariaDB and MySQL."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import IContains, IExact, IStartsWith

# Without a space at either end: those are trimmed before anything is counted.
PHONE = r"^[0-9+(][0-9 ()+./x#*-]{1,30}[0-9()+./x#*-]$"
validate_phone = RegexValidator(PHONE, "Enter a phone number, such as +1 555 010 2030.")


class ExactCharField(models.CharField):
    """Text that is one value only when it is the same to the letter.

    MySQL's default collation takes Widget, widget and wídget for one value in a unique key;
    SQLite does not. Identifiers are compared byte by byte on both.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


class _Folded:
    """Looking for a text, as opposed to comparing two, minds neither case nor accents.

    On MySQL the column's own collation would decide: a byte-wise one minds both, and MariaDB's
    usual one takes every emoji for every other. SQLite: see autoful/sqlite.py.
    """

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        column, parameters = super().process_lhs(compiler, connection, lhs)  # type: ignore[misc]
        if connection.vendor == "mysql":
            # The newest that the oldest supported servers have.
            mariadb = connection.mysql_is_mariadb
            collation = "utf8mb4_unicode_520_ci" if mariadb else "utf8mb4_0900_ai_ci"
            column = f"{column} COLLATE {collation}"
        return column, parameters


class FoldedIExact(_Folded, IExact): ...


class FoldedIContains(_Folded, IContains): ...


class FoldedIStartsWith(_Folded, IStartsWith): ...


# For the search boxes of the back office too, whichever the column.
for _lookup in (FoldedIExact, FoldedIContains, FoldedIStartsWith):
    models.CharField.register_lookup(_lookup)
    models.TextField.register_lookup(_lookup)


class NameField(models.CharField):
    """A name that lists are sorted by, whatever the case, as MySQL does of itself."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "sqlite":
            parameters["collation"] = "NOCASE"
        return parameters


class MoneyField(models.DecimalField):
    """An amount in the shop's currency, to the cent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 10, "decimal_places": 2} | kwargs)
