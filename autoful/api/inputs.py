"""What a request brings, checked by the serializer that says what is wanted."""

from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

Input = type[BaseSerializer[Any]]


def checked(shape: Input, data: Any) -> dict[str, Any]:
    """`data`, a body or a query, as `shape` takes it. It is checked by itself, without a context.

    Raises ValidationError.
    """
    try:
        return dict(_checker(shape).run_validation(data))  # type: ignore[arg-type]
    except ValidationError:
        # Once more, in the way that says it as clients know it.
        shape(data=data).is_valid(raise_exception=True)
        raise


@cache
def _checker(shape: Input) -> Any:
    # One for everybody: DRF copies every field of a new one, which takes as long as checking.
    return shape()
