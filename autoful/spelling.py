"""Numbers that everybody spaces in another way: of phones, of plates, of parts."""

from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Replace

MARKS = " ()./-"


def bare(text: str) -> str:
    """The text without spaces, brackets, dots, slashes and hyphens."""
    return text.translate({ord(mark): None for mark in MARKS})


def bare_column(name: str) -> Any:
    """The same of a column."""
    column: Any = F(name)
    for mark in MARKS:
        column = Replace(column, Value(mark), Value(""), output_field=CharField())
    return column


def begins_so(name: str, text: str) -> Q:
    """Whether the column begins so, whatever it and `text` are spaced with behind their first letter.
    `bare_{name}` has to be an annotation of the rows: `bare_column`."""
    if not (looked_for := bare(text)):
        return Q(**{f"{name}__istartswith": text})
    # The first letter alone is cheap to compare, and leaves few rows of which the marks are taken.
    first = Q(**{f"{name}__istartswith": looked_for[0]})
    return first & Q(**{f"bare_{name}__istartswith": looked_for})


def all_words(text: str, *names: str) -> Q:
    """Whether each word of `text` is somewhere in one of these columns, in whatever order."""
    found = Q()
    for word in text.split():
        anywhere = Q()
        for name in names:
            anywhere |= Q(**{f"{name}__icontains": word})
        found &= anywhere
    return found
