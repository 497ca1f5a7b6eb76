"""What a search of the back office finds of customers and vehicles, for their own pages and for those of
what belongs to them.

Found once in a request: several lists ask for the same words, and each answer may cost the reading of a table.
"""

from typing import Any

from django.http import HttpRequest

from autoful.admin.lists import newest
from customers.models import Customer, Vehicle


def customers_found(request: HttpRequest, text: str, **among: Any) -> list[int]:
    """The numbers of the newest, without closed accounts; nothing for who may see none. `among` says of
    which, in Django's words, unless it says None."""
    if not request.user.has_perm("customers.view_customer"):
        return []
    return _once(request, Customer.objects.existing(), text, among)


def vehicles_found(request: HttpRequest, text: str, **among: Any) -> list[int]:
    """The same of vehicles."""
    if not request.user.has_perm("customers.view_vehicle"):
        return []
    return _once(request, Vehicle.objects.all(), text, among)


def _once(request: HttpRequest, rows: Any, text: str, among: dict[str, Any]) -> list[int]:
    if some := {column: numbers for column, numbers in among.items() if numbers is not None}:
        return newest(rows.filter(**some).found_by(text).distinct())
    known: dict[Any, list[int]] = request.__dict__.setdefault("_found_so_far", {})
    key = rows.model, text
    if key not in known:
        known[key] = newest(rows.found_by(text))
    return known[key]
