"""Somebody changes a row while its page is open in the back office: nobody writes over the other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from autoful.actor import COMMAND
from autoful.admin import pages
from autoful.admin.forms import CHANGED_MEANWHILE
from autoful.testing.pages import Desk, fields_of, refusals_of
from autoful.testing.personas import Persona
from customers.registration import change_customer
from customers.tests.factories import CustomerFactory
from inventory.parts import change_part
from inventory.tests.factories import PartFactory
from tickets.lifecycle import edit_ticket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Case = tuple[Any, Callable[..., Any], str, dict[str, Any]]


def ticket() -> Case:
    return ServiceTicketFactory.create(), edit_ticket, "ticket", {"notes": "Caliper is seized"}


def part() -> Case:
    return PartFactory.create(location="A1"), change_part, "part", {"location": "B2"}


def customer() -> Case:
    return CustomerFactory.create(), change_customer, "customer", {"phone": "+1 555 010 9999"}


OTHER_FIELD = {"ticket": "service_desc", "part": "part_name", "customer": "name"}


class Open:
    """A page that is open at a desk, and what has happened to its row since."""

    def __init__(self, boss: Persona, case: Case) -> None:
        self.row, verb, self.noun, self.changed = case
        self.desk, opts = Desk(boss.user), self.row._meta
        self.url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(self.row.pk,))
        self.typed = fields_of(self.desk.get(self.url), f"{opts.model_name}_form")
        fields = {"fields": self.changed} if self.noun != "customer" else self.changed
        verb(**{self.noun: self.row}, **fields, actor=COMMAND)

    def save(self, **typed: Any) -> Any:
        answer = self.desk.post(self.url, self.typed | typed)
        self.row.refresh_from_db()
        return answer

    @property
    def name(self) -> str:
        """Of the field that somebody else has changed."""
        return next(iter(self.changed))


@pytest.fixture(params=[ticket, part, customer])
def opened(request: pytest.FixtureRequest, boss: Persona) -> Open:
    return Open(boss, request.param())


def test_what_others_changed_is_left_alone(opened: Open) -> None:
    other = OTHER_FIELD[opened.noun]
    assert opened.save(**{other: "Another text"}).status_code == 302
    assert getattr(opened.row, other) == "Another text"
    assert getattr(opened.row, opened.name) == opened.changed[opened.name]


def test_a_field_that_both_changed_is_refused_with_what_was_typed(opened: Open) -> None:
    answer = opened.save(**{opened.name: "+1 555 010 0000"})
    assert refusals_of(answer).count(CHANGED_MEANWHILE) == 1
    assert "+1 555 010 0000" in answer.content.decode()
    assert getattr(opened.row, opened.name) == opened.changed[opened.name]
    # The page that came back is as old as it was.
    again = fields_of(answer, f"{opened.row._meta.model_name}_form")
    assert opened.desk.post(opened.url, again).status_code == 200


def test_to_the_same_is_no_quarrel(opened: Open) -> None:
    assert opened.save(**opened.changed).status_code == 302
    assert getattr(opened.row, opened.name) == opened.changed[opened.name]


def test_control_without_minding_the_others_change_is_lost(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "minding_others", lambda form: form)
    other = OTHER_FIELD[opened.noun]
    assert opened.save(**{other: "Another text"}).status_code == 302
    assert getattr(opened.row, opened.name) != opened.changed[opened.name]
