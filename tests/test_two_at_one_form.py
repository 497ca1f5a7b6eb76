"""Somebody changes a row while its page is open in the back office: nobody writes over the other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from autoful.accounts.tests.factories import SuperuserFactory
from autoful.actor import COMMAND
from autoful.admin import pages
from autoful.admin.forms import changed_meanwhile
from autoful.testing.pages import Desk, fields_of, refusals_of
from autoful.testing.personas import Persona
from customers.models import Vehicle
from customers.registration import change_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
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
    theirs = opened.changed[opened.name]
    assert refusals_of(answer).count(changed_meanwhile(theirs)) == 1
    assert "+1 555 010 0000" in answer.content.decode()
    assert getattr(opened.row, opened.name) == theirs


def test_who_saves_once_more_keeps_theirs_knowingly(opened: Open) -> None:
    mine = {opened.name: "+1 555 010 0000"}
    again = fields_of(opened.save(**mine), f"{opened.row._meta.model_name}_form")
    opened.typed = again
    assert opened.save().status_code == 302
    assert getattr(opened.row, opened.name) == "+1 555 010 0000"


def test_what_a_third_one_changed_since_is_told_again(opened: Open) -> None:
    mine = {opened.name: "+1 555 010 0000"}
    opened.typed = fields_of(opened.save(**mine), f"{opened.row._meta.model_name}_form")
    type(opened.row).objects.update(**{opened.name: "+1 555 3"})
    assert changed_meanwhile("+1 555 3") in refusals_of(opened.save())
    assert getattr(opened.row, opened.name) == "+1 555 3"


@pytest.mark.parametrize(
    ("changed", "typed", "said"),
    [
        ({"colour": ""}, {"colour": "blue"}, "has emptied this"),
        ({"year": 2020}, {"year": "2021"}, "changed this to “2020”"),
        ({"customer": "Bea Buyer"}, {"customer": ""}, "changed this to “Bea Buyer”"),
    ],
)
def test_what_it_says_by_now_is_told_in_words(
    boss: Persona, changed: dict[str, Any], typed: dict[str, str], said: str
) -> None:
    car, desk = VehicleFactory.create(colour="red", year=2019), Desk(boss.user)
    url = reverse("admin:customers_vehicle_change", args=(car.pk,))
    values = fields_of(desk.get(url), "vehicle_form")
    if name := changed.get("customer"):
        changed = {"customer": CustomerFactory.create(name=name)}
    Vehicle.objects.update(**changed)
    answer = desk.post(url, values | typed)
    assert said in refusals_of(answer)
    assert desk.post(url, fields_of(answer, "vehicle_form")).status_code == 302


def test_a_long_text_is_told_to_its_end(boss: Persona) -> None:
    row, desk = ServiceTicketFactory.create(notes="x" * 400), Desk(boss.user)
    url = reverse("admin:tickets_serviceticket_change", args=(row.pk,))
    values = fields_of(desk.get(url), "serviceticket_form")
    edit_ticket(ticket=row, fields={"notes": "x" * 400 + " Theirs."}, actor=COMMAND)
    answer = desk.post(url, values | {"notes": "x" * 400 + " Mine."})
    assert changed_meanwhile("x" * 400 + " Theirs.") in refusals_of(answer)


class TestFieldsOfMany:
    """A right that was taken away meanwhile does not come back with a page that was open."""

    @pytest.fixture
    def desk(self, boss: Persona) -> Desk:
        return Desk(boss.user)

    @pytest.fixture
    def groups(self) -> list[Group]:
        return [Group.objects.create(name=name) for name in ("One", "Two", "Three")]

    @pytest.mark.parametrize("had", [[0], [0, 1]])
    def test_groups_that_nobody_touched_stay_as_they_are(
        self, desk: Desk, groups: list[Group], had: list[int]
    ) -> None:
        account = SuperuserFactory.create()
        account.groups.set([groups[n] for n in had])
        url = reverse("admin:accounts_user_change", args=(account.pk,))
        values = fields_of(desk.get(url), "user_form")
        account.groups.set([groups[2]])
        answer = desk.post(url, values | {"email": "another@example.com"})
        assert answer.status_code == 302
        account.refresh_from_db()
        assert (account.email, list(account.groups.all())) == ("another@example.com", [groups[2]])

    def test_nor_permissions_of_a_group(self, desk: Desk, groups: list[Group]) -> None:
        group, some = groups[0], list(Permission.objects.all()[:3])
        group.permissions.set(some[:2])
        url = reverse("admin:auth_group_change", args=(group.pk,))
        values = fields_of(desk.get(url), "group_form")
        group.permissions.set(some[2:])
        assert desk.post(url, values | {"name": "Another"}).status_code == 302
        group.refresh_from_db()
        assert (group.name, list(group.permissions.all())) == ("Another", some[2:])

    def test_what_was_empty_is_remembered_so(self, desk: Desk, groups: list[Group]) -> None:
        account = SuperuserFactory.create()
        url = reverse("admin:accounts_user_change", args=(account.pk,))
        values = fields_of(desk.get(url), "user_form")
        picked = {"groups": [str(groups[0].pk)]}
        answer = desk.post(url, values | picked | {"email": "no address"})
        account.groups.set([groups[1]])
        again = fields_of(answer, "user_form") | {"email": "right@example.com"}
        assert "has changed this to “Two”" in refusals_of(desk.post(url, again))
        assert list(account.groups.all()) == [groups[1]]


def test_of_an_account_s_groups_too(boss: Persona) -> None:
    account, desk = SuperuserFactory.create(), Desk(boss.user)
    url = reverse("admin:accounts_user_change", args=(account.pk,))
    owner, clerk = (Group.objects.create(name=name) for name in ("The owner", "The clerk"))
    values = fields_of(desk.get(url), "user_form")
    account.groups.add(owner)
    answer = desk.post(url, values | {"groups": [str(clerk.pk)]})
    assert "has changed this to “The owner”" in refusals_of(answer)
    assert list(account.groups.all()) == [owner]
    assert desk.post(url, fields_of(answer, "user_form")).status_code == 302
    assert list(account.groups.all()) == [clerk]


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
