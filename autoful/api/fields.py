"""Fields of a request's body: JSON types are meant. "5" is not 5, and 5 is not "5".

A form of the browsable API sends text only, so there the types are read from it.
"""

import datetime
import re
from decimal import Decimal
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.utils import html

from autoful.accounts.models import normalize_email
from autoful.fields import validate_phone
from autoful.money import CENT, LARGEST, to_cents

PASSWORD_BOX = {"base_template": "password.html"}  # in the forms of the browsable API
LARGEST_ID = 9_007_199_254_740_991  # what every JSON reader holds exactly


def _from_form(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return html.is_html_input(getattr(field.root, "initial_data", None))


class TextField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        # Before it is trimmed: the schema's maxLength is about what is sent.
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class TextOrNullField(serializers.CharField):
    """Read: null where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True} | kwargs)

    def to_representation(self, value: str) -> Any:
        return value or None


class EmailField(serializers.EmailField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        # As it will be stored, so that its length is measured there: a small letter can be longer
        # than its capital.
        return normalize_email(super().to_internal_value(data))


class PhoneField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "min_length": 3,
            "max_length": 32,
            "validators": [validate_phone],
        }
        super().__init__(**defaults | kwargs)


class PasswordField(TextField):
    """Never trimmed, never shown, held to the house's password rules."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "write_only": True,
            "trim_whitespace": False,
            "min_length": 8,
            "max_length": 128,
            "style": PASSWORD_BOX,
        }
        super().__init__(**defaults | kwargs)

    def get_value(self, dictionary: Any) -> Any:
        value = super().get_value(dictionary)
        # An empty box in a form that changes an account means: leave the password as it is.
        unchanged = value == "" and _from_form(self) and getattr(self.root, "partial", False)
        return serializers.empty if unchanged else value

    def to_internal_value(self, data: Any) -> str:
        password = super().to_internal_value(data)
        try:
            validate_password(password)
        except DjangoValidationError as wrong:
            raise serializers.ValidationError(list(wrong.messages)) from wrong
        return password


class WholeNumberField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not _from_form(self):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(WholeNumberField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID} | kwargs)


class IdsField(serializers.ListField):
    """Numbers of rows, `max_length` at most."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": IdField()} | kwargs)

    def to_internal_value(self, data: Any) -> list[int]:
        # Before the numbers are looked at: each wrong one costs an error of its own.
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        found: list[int] = super().to_internal_value(data)
        return found


class CountField(WholeNumberField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0} | kwargs)


class MoneyField(serializers.DecimalField):
    """An amount in the shop's currency; more than two places are rounded half up."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "max_digits": None,
                "decimal_places": None,
                "min_value": Decimal(0),
                "max_value": LARGEST,
            }
            | kwargs
        )

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # A text of spaces would be null to the field below.
        if isinstance(data, str) and not _from_form(self):
            self.fail("invalid")
        return super().validate_empty_values(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # The bounds are checked on what was sent, before it is rounded: 0.005 is not 0.01.
        value = super().run_validation(data)
        return to_cents(value) if isinstance(value, Decimal) else value


class PriceField(MoneyField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": CENT} | kwargs)


class DateField(serializers.DateField):
    def to_internal_value(self, value: Any) -> datetime.date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)
