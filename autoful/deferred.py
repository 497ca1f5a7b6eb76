"""A piece of a long list whose rows bring along what they point at.

MariaDB, asked for tickets with their customers in order of the tickets, begins with the customers,
makes a temporary table of all of it and sorts that. So the numbers of the rows are found first, by
an index, and what belongs to them is read by those. See docs/adr/0017-pages-and-cursors.md.
"""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def numbers_of(rows: QuerySet[Any], start: int, stop: int) -> list[Any]:
    """The numbers of `rows[start:stop]`, in their order."""
    alone = rows.select_related(None).prefetch_related(None)
    return list(alone.values_list("pk", flat=True)[start:stop])


def piece(rows: QuerySet[M], start: int, stop: int) -> QuerySet[M]:
    """`rows[start:stop]`, in two questions."""
    return rows.filter(pk__in=numbers_of(rows, start, stop))
