"""A text in a cell is never run, and comes back as it went."""

import re

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from autoful.sheets.cells import as_written, disarmed, holdable

pytestmark = pytest.mark.skipif(settings.PRODUCTION, reason="no database is asked")

UGLY = st.text(alphabet=" '=+-@＝a1;|,\t\r\n\x0b\xa0\"", max_size=8)  # noqa: RUF001


@given(st.one_of(UGLY, st.text(max_size=20)))
def test_a_text_comes_back_as_it_went(text: str) -> None:
    assert as_written(disarmed(text)) == text


@given(UGLY)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    for piece in re.split(r"[;|\t\r\n]", disarmed(text)):
        begins = piece.lstrip("\"'").lstrip() if piece.startswith('"') else piece.lstrip()
        assert not begins.startswith(tuple("=+-@＝")), text  # noqa: RUF001


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("'=1", "''=1"),
        ("'tis", "'tis"),
        ("brake;=1", "brake;'=1"),
        ('x;"=1"', 'x;\'"=1"'),
        ("two\r\nlines", "two\r\nlines"),
        ("\tx", "'\tx"),
        (-5, -5),
        (None, None),
    ],
)
def test_what_stands_in_the_cell(text: object, cell: object) -> None:
    assert disarmed(text) == cell


def test_a_workbook_holds_no_control_characters() -> None:
    assert holdable("a\x0bb\r\nc\rd") == "ab\nc\nd"
    assert holdable(3) == 3
