"""Words and numbers that everybody writes in another way: of phones, plates, parts, models."""

from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Replace

from autoful.fields import FoldedIContains, FoldedIStartsWith

MARKS = " ()./-"
BETWEEN_LETTERS = " .-"

SHORTEST_PLURAL = 4


def bare(text: str) -> str:
    """The text without spaces, brackets, dots, slashes and hyphens."""
    return text.translate({ord(mark): None for mark in MARKS})


def bare_column(name: str, marks: str = MARKS) -> Any:
    """The same of a column."""
    column: Any = F(name)
    for mark in marks:
        column = Replace(column, Value(mark), Value(""), output_field=CharField())
    return column


def begins_so(name: str, text: str) -> Q:
    """Whether the column begins so, whatever it and `text` are spaced with behind their first letter."""
    if not (looked_for := bare(text)):
        return Q(**{f"{name}__istartswith": text})
    # The first letter alone is cheap to compare, and leaves few rows of which the marks are taken.
    first = Q(**{f"{name}__istartswith": looked_for[0]})
    return first & Q(FoldedIStartsWith(bare_column(name), looked_for))


def all_words(text: str, *names: str, bare_up_to: int = 0) -> Q:
    """Whether each word of `text`, one of them or several, is somewhere in one of these columns, in
    whatever order.

    Words of at most `bare_up_to` letters also where it is spaced otherwise: "f150" in F-150. To take
    the marks off every row costs as much again as to look through it.
    """
    found = Q()
    for word in text.split():
        looked_for = _singular(word)
        anywhere = Q()
        for name in names:
            anywhere |= Q(**{f"{name}__icontains": looked_for})
            if (unmarked := bare(looked_for)) and len(unmarked) <= bare_up_to:
                anywhere |= Q(FoldedIContains(bare_column(name, BETWEEN_LETTERS), unmarked))
        found &= anywhere
    return found


def _singular(word: str) -> str:
    """ "pads" is looked for as "pad", which finds both."""
    is_plural = len(word) >= SHORTEST_PLURAL and word[-1] in "sS" and word[-2] not in "sS"
    return word[:-1] if is_plural else word
