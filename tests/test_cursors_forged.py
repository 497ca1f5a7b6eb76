"""Cursors that were made up, or forged by somebody who has the key: a 400, or a place.

Forging takes the shop's SECRET_KEY. That is refused too, since a new release may read what the
last one signed for columns that were others then.
"""

import base64
import json
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from autoful.api import cursors
from autoful.api.cursors import Cursor, order_of, read, write
from customers.models import Customer
from customers.views import CustomerViewSet
from inventory.models import Part
from inventory.views import PartViewSet
from mechanics.models import Mechanic
from mechanics.views import MechanicViewSet
from tickets.models import ServiceTicket
from tickets.views import ServiceTicketViewSet

pytestmark = pytest.mark.django_db

VIEWSETS = {
    Customer: CustomerViewSet,
    Mechanic: MechanicViewSet,
    Part: PartViewSet,
    ServiceTicket: ServiceTicketViewSet,
}


def forged(payload: Any, order: Any) -> str:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return cursors._signer(order).sign(base64.urlsafe_b64encode(text).rstrip(b"=").decode())


ORDERS = {
    "int": Part.objects.order_by("quantity_in_stock", "id"),
    "text": Part.objects.order_by("part_name", "id"),
    "amount": Part.objects.order_by("cost", "id"),
    "date": ServiceTicket.objects.order_by("-service_date", "-id"),
    "count": Customer.objects.order_by("-ticket_count", "-id"),
    "all": Part.objects.order_by("-cost", "part_name", "-price", "id"),
}
GOOD = {
    "int": [3, -(2**63), 2**63 - 1],
    "text": ["", "Brake", "🔧", "a\0b", "%_'\"\\", "x" * 300],
    "amount": ["1.00", "-1.00", "99999999.99", None],
    "date": ["2026-02-28", "0001-01-01", "9999-12-31"],
    "count": [0, 7],
}
BAD = [
    *(None, True, 1.5, float("nan"), float("inf"), -(2**63) - 1, 2**63, 10**400, [], {}, [1], "x"),
    *("", "NaN", "Infinity", "1e5", "1", "1.001", "100000000.00", "-", "1.0\n", "\u0661.00"),
    *("\ud800", "2026-02-30", "2026-13-01", "99999-01-01", "-0001-01-01", "2026-01-01T00:00"),
]


def accepted(kind: str, payload: Any) -> bool:
    """Whether the cursor is read; then the database must take it."""
    queryset = ORDERS[kind].all()
    order = order_of(queryset)
    try:
        cursor = read(forged(payload, order), order)
    except ValidationError as error:
        assert list(error.detail) == ["cursor"]
        return False
    list(cursor.narrowed(queryset, order)[:3])
    return True


@pytest.mark.parametrize("kind", GOOD)
def test_values_of_every_kind(kind: str) -> None:
    order = str(order_of(ORDERS[kind].all()))
    for value in GOOD[kind]:
        for side in cursors.REST:
            assert accepted(kind, [side, order, [value, 1]]), value
    for value in BAD:
        # Whether one of them is good for a kind is said above, or it is none.
        good = value in GOOD[kind] and type(value) is not bool
        good |= kind == "text" and isinstance(value, str) and value != "\ud800"
        assert accepted(kind, [">", order, [value, 1]]) is good, repr(value)
        assert not accepted(kind, [">", order, [GOOD[kind][0], value]]), "no id"


def test_other_forged_ones() -> None:
    order = str(order_of(ORDERS["int"]))
    for payload in (
        *(b"", b"[", b"\xff\xfe", b"[" * 2_000, b"1", b'{"a": 1}', b'[">","%s",[NaN,1]]'),
        *(None, 1, "abc", [], {}, [[]], [">", order], [">", order, [1]], [">", order, 1]),
        *([">", order, [1, 1, 1]], ["=", order, [1, 1]], [None, order, [1, 1]]),
        *([[], order, [1, 1]], [">", order, "12"], [">", order, None], [">", order, [1, 1], 1]),
        b"[%s]" % (b"9" * 3_000),
    ):
        assert not accepted("int", payload), payload
    assert accepted("int", [">", order, [1, 1]]), "and yet a right one is read"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(BAD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(sorted(ORDERS)), said=anything, values=st.lists(anything, max_size=4))
@example(kind="all", said=None, values=["1.00", "Brake", "1.00", 1])
def test_whatever_is_forged_is_refused_or_a_place(kind: str, said: Any, values: list[Any]) -> None:
    order = str(order_of(ORDERS[kind]))
    accepted(kind, said)
    accepted(kind, [">=", order, values])
    accepted(kind, ["<", order, (values * 4)[: len(order.split(","))]])


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=80) | st.from_regex(cursors.FORM, fullmatch=True))
def test_whatever_is_made_up_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, order_of(Part.objects.all()))


@settings(max_examples=150, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=255),
    cost=st.none() | st.decimals(0, 99_999_999, places=2),
    side=st.sampled_from(sorted(cursors.REST)),
)
def test_what_is_written_is_read(name: str, cost: Decimal | None, side: str) -> None:
    order = order_of(Part.objects.order_by("-cost", "part_name"))
    cursor = Cursor(side, (cost, name, 7))
    text = write(cursor, order)
    assert read(text, order) == cursor
    assert text == quote(text, safe=""), "as it is in any URL"
    assert len(text) <= cursors.LONGEST


def test_the_longest_texts_of_every_ordering_fit() -> None:
    """Any two columns that the API orders by, with what takes most room in JSON."""
    worst = {Part: "\x01" * 255, Customer: "\x01" * 254, Mechanic: "\x01" * 120}
    for model, view in VIEWSETS.items():
        choices = view.filterset_class.base_filters["ordering"].extra["choices"]
        names = [name for name, _ in choices if not name.startswith("-") and name != "id"]
        queryset: Any = model.objects.all()  # type: ignore[attr-defined]
        order = order_of(queryset.order_by(*names))
        values: list[Any] = []
        for column in order.columns:
            kind = type(column.field).__name__
            if "Char" in kind or "Name" in kind:
                values.append(worst.get(model, "in_progress")[: column.field.max_length])
            elif "Money" in kind or "Decimal" in kind:
                values.append(Decimal("99999999.99"))
            else:
                values.append(date(2026, 1, 1) if kind == "DateField" else 2**63 - 1)
        cursor = Cursor("<=", tuple(values))
        assert read(write(cursor, order), order) == cursor, model
