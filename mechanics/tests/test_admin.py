"""The back office's pages of mechanics."""

from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.tests.factories import SuperuserFactory
from autoful.testing.pages import Desk, refusals_of
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:mechanics_mechanic_changelist")
ADD = reverse("admin:mechanics_mechanic_add")
NEW = {
    "name": "Ada King",
    "email": "Ada@Example.com",
    "password": "correct horse battery",
    "phone": "+1 555 010 1111",
    "salary": "61500.50",
}


def change(mechanic):
    return reverse("admin:mechanics_mechanic_change", args=(mechanic.pk,))


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def allow(user, *names):
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


def test_take_on(desk):
    assert desk.save(ADD, NEW).status_code == 302
    ada = Mechanic.objects.get()
    assert (ada.email, ada.salary, ada.approved) == ("ada@example.com", Decimal("61500.50"), True)
    assert ada.user.check_password("correct horse battery")
    for row in (ada, ada.user):
        entry = LogEntry.objects.get_for_object(row).get()
        assert (entry.actor, entry.additional_data["role"]) == (desk.user, "back_office")


@pytest.mark.parametrize("wrong", ["short", "password123"])
def test_a_weak_password_is_refused(desk, wrong):
    assert "password" in refusals_of(desk.save(ADD, NEW | {"password": wrong})).lower()
    assert not Mechanic.objects.exists()


def test_an_e_mail_somebody_has_leaves_nothing(desk):
    there = MechanicFactory.create()
    before = User.objects.count()
    answer = desk.save(ADD, NEW | {"email": there.email})
    assert "An account with this email already exists." in refusals_of(answer)
    assert Mechanic.objects.count() == 1
    assert User.objects.count() == before


def test_change(desk):
    mike = MechanicFactory.create()
    typed = {"email": "new@example.com", "salary": "70000"}
    assert desk.save(change(mike), typed).status_code == 302
    mike.refresh_from_db()
    assert (mike.email, mike.salary) == ("new@example.com", Decimal(70000))
    assert "password" not in desk.get(change(mike)).context_data["adminform"].form.fields


def test_approve_from_the_list_and_from_the_page(desk):
    waiting = [MechanicFactory.create(approved=False) for _ in range(3)]
    assert len(desk.get(LIST, {"approved__exact": "0"}).context_data["cl"].result_list) == 3
    data = {"action": "approve_selected", "_selected_action": [m.pk for m in waiting[:2]]}
    assert desk.post(LIST, data).status_code == 302
    assert desk.save(change(waiting[2]), {"approved": "on"}).status_code == 302
    assert Mechanic.objects.filter(approved=True).count() == 3
    for mechanic in waiting:
        entry = LogEntry.objects.get_for_object(mechanic).first()
        assert entry.changes == {"approved": [False, True]}
        assert entry.actor == desk.user


def test_who_may_only_look_approves_nobody(clerk):
    allow(clerk.user, "view_mechanic")
    mechanic = MechanicFactory.create(approved=False)
    data = {"action": "approve_selected", "_selected_action": [mechanic.pk]}
    Desk(clerk.user).post(LIST, data)
    mechanic.refresh_from_db()
    assert not mechanic.approved


def test_letting_go(desk):
    mike = MechanicFactory.create()
    ticket = ServiceTicketFactory.create(mechanics=[mike])
    page = reverse("admin:mechanics_mechanic_delete", args=(mike.pk,))
    assert "taken off every open ticket" in " ".join(desk.get(page).content.decode().split())
    assert desk.post(page, {"post": "yes"}).status_code == 302
    mike.refresh_from_db()
    assert mike.deleted_at is not None
    assert not ticket.assignments.exists()
    assert not desk.get(LIST).context_data["cl"].result_list
    assert desk.post(change(mike), {"name": "Back"}).status_code == 403


def test_salary_is_for_those_who_may_see_salaries(clerk):
    mike = MechanicFactory.create(salary=Decimal("54321.99"))
    desk = Desk(clerk.user)
    allow(clerk.user, "change_mechanic")
    pages = (LIST, change(mike), reverse("admin:mechanics_mechanic_history", args=(mike.pk,)))
    for page in pages:
        answer = desk.get(page)
        assert answer.status_code == 200
        assert "54321" not in answer.content.decode(), page
    # Nor by asking the list for everybody who earns more.
    assert desk.get(LIST, {"salary__gt": "1"}).status_code in (302, 400)
    assert desk.save(change(mike), {"name": "Mike", "salary": "1"}).status_code == 302
    mike.refresh_from_db()
    assert (mike.name, mike.salary) == ("Mike", Decimal("54321.99"))
    allow(clerk.user, "view_mechanic")
    assert "54321" not in desk.get(LIST).content.decode()
    allow(clerk.user, "view_salary")
    assert "54321" in desk.get(LIST).content.decode()


def test_a_clerk_cannot_change_what_the_owner_signs_in_with(clerk):
    owner = MechanicFactory.create(user=SuperuserFactory.create(email="owner@example.com"))
    allow(clerk.user, "view_mechanic", "change_mechanic")
    typed = {"email": "mine@example.com", "password": "stolen and kept"}
    Desk(clerk.user).save(change(owner), typed | {"name": "Owner"})
    owner.refresh_from_db()
    assert (owner.name, owner.email) == ("Owner", "owner@example.com")
    assert not owner.user.check_password("stolen and kept")
