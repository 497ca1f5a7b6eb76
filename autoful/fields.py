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


class _Insensitive:
    """Looking for an identifier, as opposed to comparing two, does not mind the case."""

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        column, parameters = super().process_lhs(compiler, connection, lhs)  # type: ignore[misc]
        if connection.vendor == "mysql":
            column = f"{column} COLLATE utf8mb4_general_ci"
        return column, parameters


@ExactCharField.register_lookup
class ExactIExact(_Insensitive, IExact): ...


@ExactCharField.register_lookup
class ExactIContains(_Insensitive, IContains): ...


@ExactCharField.register_lookup
class ExactIStartsWith(_Insensitive, IStartsWith): ...


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
