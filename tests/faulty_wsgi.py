"""Our application with bugs in it, for a server whose log is to be read.

Entering a part fails as a database does that repeats what it was given, the page of a part as
code does that repeats its path, and a commit has something to do after it that fails.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from autoful.wsgi import application
from inventory import parts
from inventory.admin import PartAdmin

__all__ = ["application"]


def repeat(said: Any) -> None:
    raise ValueError(f"cannot use {said!r}")


def enter_part(*, fields: dict[str, Any], **given: Any) -> None:
    try:
        repeat(fields)
    except ValueError as cause:
        raise IntegrityError(1062, f"Duplicate entry '{fields['part_name']}'") from cause


def change_part(*, part: Any, fields: dict[str, Any], **given: Any) -> Any:
    with transaction.atomic():
        transaction.on_commit(lambda: repeat(fields), robust=True)
    return part


def get_object(page: PartAdmin, request: HttpRequest, object_id: str, *args: Any) -> None:
    repeat(object_id)


parts.enter_part = enter_part  # type: ignore[assignment]
parts.change_part = change_part  # type: ignore[assignment]
PartAdmin.get_object = get_object  # type: ignore[method-assign,assignment]
