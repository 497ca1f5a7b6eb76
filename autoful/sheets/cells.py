"""What stands in a cell: texts that run as nothing, and the same texts when they come back."""

import re
from typing import Any

# What a spreadsheet takes for the beginning of a formula, also behind a control character:
# https://owasp.org/www-community/attacks/CSV_Injection
# Also behind what parts cells in some countries, where a quoted text is cut all the same. And behind
# quotes, which are taken off, and behind apostrophes: a text that has one of its own gets another, or it would lose it on its way back.
_FORMULA = r"[=+\-@＝＋－＠]"  # noqa: RUF001  # the wide ones, too
# A blank that parts cells is looked behind on its own.
_LATER = rf"(?=['\"]*[^\S\t\r\n]*{_FORMULA})"
_FIRST = rf"(?:{_LATER}|(?=['\"]*[\t\r\n]))"
_DANGEROUS = re.compile(rf"\A{_FIRST}|(?<=[;|\t\r\n]){_LATER}")
_DISARMED = re.compile(rf"\A'{_FIRST}|(?<=[;|\t\r\n])'{_LATER}")


def disarmed(value: Any) -> Any:
    """`value` as it may stand in a sheet: a text that would be run begins with an apostrophe.

    A number is no text: -5 stays one that can be added up.
    """
    return _DANGEROUS.sub("'", value) if isinstance(value, str) else value


def as_written(value: Any) -> Any:
    """The text that `disarmed` made this of; what was typed by hand stays as it was typed."""
    return _DISARMED.sub("", value) if isinstance(value, str) else value


# What XML, and so a workbook, cannot hold: https://www.w3.org/TR/xml/#charsets
_UNHOLDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def holdable(value: Any) -> Any:
    """`value` without the control characters that a workbook cannot hold, and its line ends as XML
    gives them back."""
    if not isinstance(value, str):
        return value
    return _UNHOLDABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
