"""Columns that mean the same on SQLite, MariaDB and MySQL."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


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
