"""Two people at one page of the back office at the very same moment: the second is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse

from autoful.accounts import admin as accounts
from autoful.accounts.forms import PasswordForm
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from autoful.admin import VerbAdmin
from autoful.errors import Busy
from autoful.testing.pages import Desk, fields_of
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from autoful.testing.rivals import many_connections, on_mysql, rival_before
from customers import admin as customers
from customers.models import Vehicle
from customers.tests.factories import VehicleFactory
from inventory import admin as inventory
from inventory.models import Part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "a fine new horse"
TOLD = "Somebody else has changed this to"


@pytest.fixture(autouse=True)
def _connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with many_connections(tmp_path):
        yield


@contextmanager
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as without:
        without.setattr(VerbAdmin, "held", lambda self, request, object_id, page: page())
        yield


def two_prices(boss: Persona) -> tuple[Any, Any, Decimal]:
    """The answers to who was slower and to whom came between, and what the part costs then."""
    part = PartFactory.create(price=Decimal("10.00"))
    page = reverse("admin:inventory_part_change", args=(part.pk,))
    form = fields_of(Desk(boss.user).get(page), "part_form")
    other = partial(Desk(SuperuserFactory.create()).post, page, form | {"price": "42.00"})
    with rival_before(inventory, "change_part", other) as rival:
        mine = Desk(boss.user).post(page, form | {"price": "11.00", "_once": "mine"})
    return mine, rival.outcome(), Part.objects.get().price


@on_mysql
class TestOneField:
    def test_the_second_is_told(self, boss: Persona) -> None:
        mine, other, price = two_prices(boss)
        assert (mine.status_code, price) == (302, Decimal("11.00"))
        assert other.status_code == 200 and f"{TOLD} “11.00”" in other.content.decode()

    def test_control_without_the_row_held_one_of_them_is_lost(
        self, boss: Persona, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with nothing_held(monkeypatch):
            mine, other, price = two_prices(boss)
        assert (mine.status_code, other.status_code) == (302, 302)
        assert price == Decimal("11.00")


def two_plates(boss: Persona) -> tuple[Any, Any, str]:
    """The same of a vehicle on its owner's page, while somebody is at its own."""
    car = VehicleFactory.create(plate="OLD-1")
    page = reverse("admin:customers_customer_change", args=(car.customer.pk,))
    own = reverse("admin:customers_vehicle_change", args=(car.pk,))
    form = fields_of(Desk(boss.user).get(page), "customer_form")
    typed = fields_of(Desk(boss.user).get(own), "vehicle_form") | {"plate": "THEIRS"}
    other = partial(Desk(SuperuserFactory.create()).post, own, typed)
    with rival_before(customers, "save_vehicle", other) as rival:
        mine = Desk(boss.user).post(page, form | {"vehicles-0-plate": "MINE"})
    return mine, rival.outcome(), Vehicle.objects.get().plate


@on_mysql
class TestARowOnThePageOfAnother:
    def test_the_second_is_told(self, boss: Persona) -> None:
        mine, other, plate = two_plates(boss)
        assert (mine.status_code, plate) == (302, "MINE")
        assert other.status_code == 200 and f"{TOLD} “MINE”" in other.content.decode()

    def test_control_without_the_row_held_one_of_them_is_lost(
        self, boss: Persona, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with nothing_held(monkeypatch):
            mine, other, plate = two_plates(boss)
        assert (mine.status_code, other.status_code) == (302, 302)
        assert plate == "MINE"


def test_nothing_is_held_for_whoever_may_not_change_it(clerk: Persona) -> None:
    part = PartFactory.create()
    clerk.user.user_permissions.set(Permission.objects.filter(codename="view_part"))
    desk = Desk(clerk.user)
    with Statements(connection) as seen:
        desk.post(reverse("admin:inventory_part_change", args=(part.pk,)), {"price": "1"})
    updates = [one["sql"] for one in seen if one["sql"].lstrip().startswith("UPDATE")]
    assert not [sql for sql in updates if "inventory_part" in sql]


def a_right_taken(boss: Persona) -> tuple[Any, Any, set[str]]:
    """Somebody is put out of all groups while another one puts them into one more."""
    account = UserFactory.create(is_staff=True)
    one, two = (Group.objects.create(name=name) for name in ("One", "Two"))
    account.groups.set([one])
    page = reverse("admin:accounts_user_change", args=(account.pk,))
    form = fields_of(Desk(boss.user).get(page), "user_form")
    out = {name: value for name, value in form.items() if name != "groups"}
    other = partial(Desk(SuperuserFactory.create()).post, page, out)
    both = form | {"groups": [str(one.pk), str(two.pk)], "_once": "mine"}
    with rival_before(accounts.UserAdmin, "save_model", other) as rival:
        mine = Desk(boss.user).post(page, both)
    return mine, rival.outcome(), set(account.groups.values_list("name", flat=True))


@on_mysql
class TestGroupsOfAnAccount:
    def test_who_takes_a_right_away_is_told_that_it_was_given(self, boss: Persona) -> None:
        mine, other, groups = a_right_taken(boss)
        assert (mine.status_code, groups) == (302, {"One", "Two"})
        assert other.status_code == 200 and TOLD in other.content.decode()

    def test_control_without_the_row_held_the_right_is_back(
        self, boss: Persona, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with nothing_held(monkeypatch):
            mine, other, groups = a_right_taken(boss)
        assert (mine.status_code, other.status_code) == (302, 302)
        assert groups == {"One", "Two"}


@on_mysql
@pytest.mark.parametrize("page", ["add", "change"])
def test_an_e_mail_that_somebody_took_a_moment_ago(boss: Persona, page: str) -> None:
    account = UserFactory.create(is_staff=True)
    url = reverse(f"admin:accounts_user_{page}", args=(account.pk,) if page == "change" else ())
    typed = {"email": "taken@example.com", "password1": NEW, "password2": NEW}
    form = fields_of(Desk(boss.user).get(url), "user_form") | typed
    taken = partial(UserFactory.create, email="taken@example.com")
    with rival_before(accounts.UserAdmin, "save_model", taken) as rival:
        answer = Desk(boss.user).post(url, form)
    assert rival.outcome() is not None
    assert answer.status_code == 200 and "Not saved yet" in answer.content.decode()
    assert User.objects.filter(email="taken@example.com").count() == 1


def test_a_password_brings_nothing_else_back(boss: Persona) -> None:
    """While it is hashed the account is deactivated, and its tokens are ended."""
    gone = UserFactory.create(is_staff=True)
    ended: dict[str, Any] = {"is_active": False, "is_staff": False, "token_version": 50}
    url = reverse("admin:auth_user_password_change", args=(gone.pk,))
    rival = partial(User.objects.filter(pk=gone.pk).update, **ended)
    with rival_before(PasswordForm, "save", rival):
        Desk(boss.user).post(url, {"password1": NEW, "password2": NEW})
    gone.refresh_from_db()
    assert (gone.is_active, gone.is_staff, gone.token_version) == (False, False, 51)
    assert gone.check_password(NEW)


def test_nor_does_one_s_own() -> None:
    me = SuperuserFactory.create()
    me.set_password(PASSWORD)
    me.save()
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    desk, rival = Desk(me), partial(User.objects.filter(pk=me.pk).update, is_superuser=False)
    with rival_before(PasswordChangeForm, "save", rival):
        assert desk.post(reverse("admin:password_change"), typed).status_code == 302
    me.refresh_from_db()
    assert not me.is_superuser and me.check_password(NEW)
    assert desk.get(reverse("admin:index")).status_code == 200  # this session goes on


def test_a_password_that_cannot_be_set_now_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**fields: Any) -> None:
        raise Busy

    me, other = SuperuserFactory.create(), UserFactory.create()
    me.set_password(PASSWORD)
    me.save()
    monkeypatch.setattr("autoful.accounts.forms.set_password", busy)
    typed = {"password1": NEW, "password2": NEW}
    own = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    for url, form in (
        (reverse("admin:auth_user_password_change", args=(other.pk,)), typed),
        (reverse("admin:password_change"), own),
    ):
        answer: Any = Desk(me).post(url, form, follow=True)
        assert answer.status_code == 200 and Busy().message in answer.content.decode()
