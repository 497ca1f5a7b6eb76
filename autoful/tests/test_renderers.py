"""JSON out: to the byte what Python's own encoder writes, by whichever it was written."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import renderers

from autoful.actor import Role
from autoful.api.renderers import JSONRenderer, NumberEncoder


class ByPython(renderers.JSONRenderer):
    encoder_class = NumberEncoder


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(-99_999_999, 99_999_999, places=2)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates()
    | st.datetimes(timezones=st.just(datetime.UTC))
    | st.uuids(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(max_size=9), inside),
)


@given(VALUES)
def test_what_a_row_may_hold_is_written_alike(value: Any) -> None:
    assert JSONRenderer().render({"row": value}) == ByPython().render({"row": value})


@pytest.mark.parametrize(
    "value",
    ["\u2028 \u2029 </script>", 2**64, -(2**63) - 1, {1: "a"}, Role.NOBODY, gettext_lazy("Name"),
     (1, 2), {"a"}, b"bytes", Decimal("0.10"), datetime.timedelta(hours=1), 'quo"te\\'],
    ids=repr,
)  # fmt: skip
def test_what_is_odd_is_written_alike(value: Any) -> None:
    assert JSONRenderer().render([value]) == ByPython().render([value])


def test_what_is_no_json_is_refused_and_not_shown() -> None:
    @dataclass
    class Secret:
        word: str

    with pytest.raises(TypeError):
        JSONRenderer().render({"row": Secret("swordfish")})


def test_whoever_asks_for_indents_gets_them() -> None:
    shown = JSONRenderer().render({"a": 1}, "application/json; indent=4")
    assert shown == b'{\n    "a": 1\n}'
