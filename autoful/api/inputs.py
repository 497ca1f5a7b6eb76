"""What a request brings, checked by the serializer that says what is wanted."""

from functools import cache
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.html import is_html_input

Input = type[BaseSerializer[Any]]


def checked(shape: Input, data: Any) -> dict[str, Any]:
    """`data`, a body or a query, as `shape` takes it. It is checked by itself, without a context.

    Raises ValidationError.
    """
    try:
        return dict(_checker(shape, is_html_input(data)).run_validation(data))  # type: ignore[arg-type]
    except ValidationError:
        # Once more, in the way that says it as clients know it.
        shape(data=data).is_valid(raise_exception=True)
        raise


@cache
def _checker(shape: Input, is_form: bool) -> Any:
    # One for everybody: DRF copies every field of a new one, which takes as long as checking.
    # Fields ask their outermost serializer whether what it was given first is a form's texts.
    made = shape(data=QueryDict()) if is_form else shape()
    _say_once(made)
    return made


def _say_once(made: Any) -> None:
    """What DRF's validators say they write down when it is first asked for, by one thread at a time."""
    for validator in getattr(made, "validators", ()):
        str(getattr(validator, "message", ""))
    fields = [*getattr(made, "fields", {}).values(), getattr(made, "child", None)]
    for field in fields:
        if field is not None:
            _say_once(field)
