"""Every field of every model, sent in the body of every route that writes: it changes nothing.

The fields come from the models, so a new one is tried everywhere without a word here.
"""

import datetime
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import models, transaction
from rest_framework.serializers import DateTimeField

from autoful.accounts.models import User
from autoful.api import inputs
from autoful.api.fields import IdField
from autoful.testing import personas
from tests.matrix import ROWS, Row, World, allow, build
from tests.soundness import everything
from tickets import lifecycle
from tickets.serializers import EditTicketSerializer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        settings.PRODUCTION, reason="what a body may name is the same on both set-ups"
    ),
]

PERSON = "name email phone password"
TICKET = "VIN service_desc service_date notes mileage"
PART = "part_name price quantity_in_stock cost part_number category reorder_point location"
# What the contract lets a client say. Whatever else a body holds is nobody's business.
ALLOWED = {
    "POST /customers/login": "email password",
    "POST /mechanics/login": "email password",
    "POST /customers": PERSON,
    "PUT /customers/{customer}": PERSON,
    "POST /mechanics": f"{PERSON} salary",
    "PUT /mechanics/{mechanic}": f"{PERSON} salary",
    "POST /service_tickets": f"{TICKET} customer_id",
    "PATCH /service_tickets/{ticket}": f"{TICKET} status reason",
    "PUT /service_tickets/{ticket}/edit-mechanics": "mechanic_ids add_ids remove_ids",
    "POST /service_tickets/{ticket}/add-inventory": "inventory_id quantity_used",
    "POST /inventory": PART,
    "PUT /inventory/{part}": PART,
}
TEXTS = ("hostile", "boss@example.com")
MOMENT = datetime.datetime(2001, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
WRITING = [row for row in ROWS if row.method != "GET"]
# Different at every try, or for a new row.
VOLATILE_NAMES = {
    "cid",
    "object_pk",
    "object_id",
    "object_repr",
    "changes",
    "additional_data",
}


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "approval"
    settings.WHITENOISE_USE_FINDERS = False


def our_models() -> list[type[models.Model]]:
    return [apps.get_model(label) for label in everything()]


def hostile(field: Any, first: bool) -> Any:
    """A value of the field's kind; the second time another one."""
    if field.remote_field is not None:
        pks = field.remote_field.model._base_manager.order_by("pk").values_list("pk", flat=True)
        return (pks.first() if first else pks.last()) or 1
    if isinstance(field, models.BooleanField):
        return first
    if isinstance(field, models.DecimalField):
        return 0.01 if first else 99999.99
    if isinstance(field, models.AutoField | models.IntegerField):
        return 1 if first else 777_777
    if isinstance(field, models.DateTimeField):
        return MOMENT.isoformat()
    if isinstance(field, models.DateField):
        return MOMENT.date().isoformat()
    if field.choices:
        return field.choices[0 if first else -1][0]
    return TEXTS[0 if first else 1]


def fields_of(model: type[models.Model], *, first: bool) -> dict[str, Any]:
    return {
        name: hostile(field, first)
        for field in model._meta.concrete_fields
        for name in (field.name, field.attname)
    }


def attacks(row: Row) -> Iterator[dict[str, Any]]:
    """What is added to the good body of a call."""
    allowed = set(ALLOWED.get(row.route, "").split())
    every = our_models()
    for first in (True, False):
        flat: dict[str, Any] = {}
        for model in every:
            flat |= fields_of(model, first=first)
        flat |= {
            name: [1, 2] for name in ("groups", "user_permissions", "vehicles", "service_tickets")
        }
        yield {name: value for name, value in flat.items() if name not in allowed}
        # Through what belongs to the row, and as the ORM would spell it.
        nested = {model._meta.model_name: fields_of(model, first=first) for model in every}
        nested |= {
            f"{model._meta.model_name}{dot}{name}": value
            for model in every
            for name, value in fields_of(model, first=first).items()
            for dot in ("__", ".")
        }
        yield {str(name): value for name, value in nested.items() if name not in allowed}


def normal(state: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """`state` without what differs between two calls that do the same."""
    new = {
        (label, row["id"]): f"new {number}"
        for label, rows in state.items()
        for number, row in enumerate(
            r for r in rows if r["id"] not in {b["id"] for b in before[label]}
        )
    }
    there = {row["password"] for row in before[User._meta.label]}
    found = {}
    for label, rows in state.items():
        columns = {field.attname: field for field in apps.get_model(label)._meta.concrete_fields}
        found[label] = []
        for row in rows:
            plain = {}
            for name, value in row.items():
                field = columns[name]
                if isinstance(field, models.DateTimeField):
                    plain[name] = value if value in (None, MOMENT) else "some moment"
                    continue
                if name == "password":
                    # A new one is another hash each time, and one that opens nothing another text.
                    ours = [text == value or check_password(text, value) for text in TEXTS]
                    plain[name] = value if value in there else ours
                    continue
                if name in VOLATILE_NAMES:
                    plain[name] = value is None
                    continue
                target = field.remote_field.model if field.remote_field else apps.get_model(label)
                is_id = field.primary_key or field.remote_field is not None
                plain[name] = new.get((target._meta.label, value), value) if is_id else value
            found[label].append(plain)
    return found


def after(world: World, row: Row, caller: str, more: dict[str, Any], query: str = "") -> Any:
    """The status of the call and the state it leaves; then everything is as before."""
    with transaction.atomic():
        body = (world.body(row) or {}) | more
        answer = getattr(world.people[caller], row.method.lower())(world.path(row) + query, body)
        state = everything()
        transaction.set_rollback(True)
    return answer.status_code, state


@pytest.mark.parametrize("row", WRITING, ids=str)
def test_no_body_reaches_a_field_that_is_not_offered(row: Row) -> None:
    world = build()
    world.people["boss"] = personas.boss()
    allow(world, "-")
    before = everything()
    columns = {"nobody": "nobody", "sarah": "customer", "mike": "mechanic", "boss": "office"}
    callers = [name for name, cell in columns.items() if not row.expected(cell, "own").isdecimal()]
    if row.path.endswith("login"):
        callers = ["nobody"]  # nobody is asked who they are there
    tries = list(attacks(row))
    for caller in callers:
        plain, state = after(world, row, caller, {})
        assert plain == row.good
        expected = normal(state, before)
        for more in tries:
            status, state = after(world, row, caller, more)
            assert status == plain, f"{caller}: {sorted(more)[:9]}"
            found = normal(state, before)
            differ = [label for label in expected if found[label] != expected[label]]
            assert not differ, f"{caller}: {[(expected[d], found[d]) for d in differ]}"
        query = "?is_staff=true&approved=true&id=777777&user_id=1&quantity=1&status=cancelled"
        status, state = after(world, row, caller, {}, query)
        assert (status, normal(state, before)) == (plain, expected)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("customer_id", IdField()),
        ("completed_at", DateTimeField()),
        ("created_at", DateTimeField()),
    ],
)
def test_control_a_field_too_many_is_noticed(
    name: str, field: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of a ticket, offered where it is not."""
    declared = EditTicketSerializer._declared_fields | {name: field}
    monkeypatch.setattr(EditTicketSerializer, "_declared_fields", declared)
    monkeypatch.setattr(inputs, "_checker", cache(inputs._checker.__wrapped__))
    monkeypatch.setattr(lifecycle, "EDITABLE", (*lifecycle.EDITABLE, name))
    row = next(row for row in ROWS if row.route == "PATCH /service_tickets/{ticket}")
    with pytest.raises(AssertionError, match=rf"tickets.ServiceTicket|{name}"):
        test_no_body_reaches_a_field_that_is_not_offered(row)
