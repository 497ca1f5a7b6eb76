"""Shapes that several answers have."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any


def moment(value: datetime | None) -> str | None:
    return value.isoformat() + "Z" if value else None


def pagination(page: int, per_page: int, items: int) -> dict[str, int]:
    return {
        "page": page,
        "per_page": per_page,
        "total_pages": -(-items // per_page),
        "total_items": items,
    }


def by_ticket(found: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """Rows whose first column is a ticket's number, by it."""
    grouped = defaultdict(list)
    for each in found:
        grouped[each[0]].append(each)
    return grouped


def numbers(tickets: Iterable[tuple[Any, ...]]) -> str:
    return ",".join(str(ticket[0]) for ticket in tickets) or "0"
