"""The back office's pages of accounts and groups: nobody gives themselves more than they have."""

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from autoful.testing.pages import Desk, refusals_of

pytestmark = pytest.mark.django_db

ADD = reverse("admin:accounts_user_add")
NEW = {"email": "New@Example.com", "password1": "a fine new horse", "password2": "a fine new horse"}


def change(user):
    return reverse("admin:accounts_user_change", args=(user.pk,))


def password(user):
    return reverse("admin:auth_user_password_change", args=(user.pk,))


def allow(user, *names):
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


@pytest.fixture
def office(clerk):
    """A clerk who looks after accounts, and is no superuser."""
    allow(clerk.user, "view_user", "add_user", "change_user", "view_group", "change_group")
    return Desk(clerk.user)


def state():
    users = User.objects.order_by("pk").values(
        "pk", "email", "password", "is_superuser", "is_staff"
    )
    grants = User.groups.through.objects, User.user_permissions.through.objects
    return [list(users), *(sorted(rows.values_list("pk", flat=True)) for rows in grants)]


class TestEntering:
    def test_with_a_password(self, desk):
        answer = desk.save(ADD, NEW | {"is_staff": "on"})
        user = User.objects.get(email="new@example.com")
        assert answer.headers["Location"] == change(user)
        assert user.check_password("a fine new horse")
        assert (user.is_staff, user.is_superuser) == (True, False)
        entry = LogEntry.objects.get_for_object(user).get()
        assert (entry.actor, entry.additional_data["role"]) == (desk.user, "back_office")
        assert user.password not in str(entry.changes)

    def test_who_works_here_without_a_group_sees_nothing_and_is_told(self, desk):
        answer = desk.save(ADD, NEW | {"is_staff": "on"})
        page = desk.get(answer["Location"])
        assert "put them into a group" in page.content.decode()
        clerks = Group.objects.create(name="Parts")
        clerks.permissions.set(Permission.objects.filter(codename="view_part"))
        answer = desk.save(answer["Location"], {"groups": [str(clerks.pk)]})
        assert "put them into a group" not in desk.get(answer["Location"]).content.decode()

    def test_who_is_in_a_group_and_may_not_sign_in_is_told_of(self, desk):
        user = UserFactory.create()
        group = Group.objects.create(name="Parts")
        answer = desk.save(change(user), {"groups": [str(group.pk)]})
        assert "tick “Back office”" in desk.get(answer["Location"]).content.decode()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"password2": "another horse"},
            {"password1": "short", "password2": "short"},
            {"email": "BOSS@example.com"},
            {"email": "no address"},
        ],
    )
    def test_what_is_wrong_is_said(self, desk, wrong):
        before = state()
        assert refusals_of(desk.save(ADD, NEW | wrong))
        assert state() == before


class TestChanging:
    def test_deactivating_ends_sessions_and_tokens(self, desk, mike):
        other = Desk(UserFactory.create(email="other@example.com", is_staff=True))
        assert other.get("/admin/").status_code == 200
        assert mike.get("/mechanics/").status_code == 200
        for user in (other.user, mike.user):
            assert desk.save(change(user), {"is_active": None}).status_code == 302
        assert other.get("/admin/").status_code == 302
        assert mike.get("/mechanics/").status_code == 401

    def test_they_stay_ended_when_it_is_let_in_again(self, desk, mike):
        other = Desk(SuperuserFactory.create())
        for user in (other.user, mike.user):
            for active in (None, "on"):
                assert desk.save(change(user), {"is_active": active}).status_code == 302
            user.refresh_from_db()
            assert user.is_active
        assert other.get("/admin/").status_code == 302
        assert mike.get("/mechanics/").status_code == 401

    def test_a_new_password_ends_sessions_and_tokens(self, desk, mike):
        version = mike.user.token_version
        new = {"password1": "a fine new horse", "password2": "a fine new horse"}
        # Disabling the password is not on offer, whatever is posted.
        answer = desk.post(password(mike.user), new | {"usable_password": "false"})
        assert answer.status_code == 302
        mike.user.refresh_from_db()
        assert mike.user.check_password("a fine new horse")
        assert mike.user.token_version == version + 1
        assert mike.get("/mechanics/").status_code == 401
        entry = LogEntry.objects.get_for_object(mike.user).first()
        assert entry.changes == {"password": ["********", "********"]}
        assert entry.actor == desk.user

    def test_a_weak_password_is_refused(self, desk, mike):
        answer = desk.post(password(mike.user), {"password1": "short", "password2": "short"})
        assert answer.status_code == 200
        mike.user.refresh_from_db()
        assert mike.user.check_password(PASSWORD)

    def test_a_page_left_open_does_not_undo_a_new_password(self, desk, mike):
        from autoful.testing.pages import fields_of

        values = fields_of(desk.get(change(mike.user)), "user_form")
        mike.user.set_password("a fine new horse")
        mike.user.save()
        assert desk.post(change(mike.user), values | {"is_staff": "on"}).status_code == 302
        mike.user.refresh_from_db()
        assert mike.user.is_staff
        assert mike.user.check_password("a fine new horse")
        assert mike.user.token_version == 2

    def test_a_customer_s_e_mail_is_changed_where_both_copies_are_known(self, desk, sarah):
        desk.save(change(sarah.user), {"email": "other@example.com"})
        sarah.user.refresh_from_db()
        assert sarah.user.email == "sarah@example.com"

    def test_groups_and_permissions_leave_entries(self, desk):
        user = UserFactory.create(is_staff=True)
        group = Group.objects.create(name="Clerks")
        permission = Permission.objects.get(codename="view_part")
        desk.save(change(user), {"groups": [group.pk], "user_permissions": [permission.pk]})
        assert user.has_perm("inventory.view_part")
        changes = [entry.changes for entry in LogEntry.objects.get_for_object(user)[:2]]
        assert {next(iter(change)) for change in changes} == {"groups", "user_permissions"}
        page = reverse("admin:auth_group_change", args=(group.pk,))
        desk.save(page, {"permissions": [permission.pk]})
        entry = LogEntry.objects.get_for_object(group).first()
        assert (entry.actor, list(entry.changes)) == (desk.user, ["permissions"])
        history = desk.get(reverse("admin:accounts_user_history", args=(user.pk,)))
        assert "added groups: Clerks" in history.content.decode()

    def test_nobody_is_deleted(self, desk, mike):
        page = reverse("admin:accounts_user_delete", args=(mike.user.pk,))
        assert desk.post(page, {"post": "yes"}).status_code == 403
        data = {"action": "delete_selected", "_selected_action": [mike.user.pk], "post": "yes"}
        desk.post(reverse("admin:accounts_user_changelist"), data)
        assert User.objects.filter(pk=mike.user.pk).exists()


class TestEscalation:
    grab = {"is_superuser": "on", "is_staff": "on"}

    def everything(self):
        return {
            "groups": list(Group.objects.values_list("pk", flat=True)),
            "user_permissions": list(Permission.objects.values_list("pk", flat=True)),
        }

    def test_not_for_oneself_or_others(self, office):
        Group.objects.create(name="Owners")
        other = UserFactory.create()
        before = state()
        for user in (office.user, other):
            answer = office.save(change(user), self.grab | self.everything())
            assert answer.status_code == 302
            assert state() == before

    def test_not_while_adding(self, office):
        office.save(ADD, NEW | self.grab | self.everything())
        user = User.objects.get(email="new@example.com")
        assert (user.is_superuser, user.is_staff) == (False, False)
        assert not user.groups.exists()
        assert not user.user_permissions.exists()

    def test_not_by_taking_over_a_stronger_account(self, office):
        superuser = SuperuserFactory.create()
        stronger = UserFactory.create(is_staff=True)
        allow(stronger, "delete_part")
        asleep = UserFactory.create(is_staff=True, is_active=False)
        allow(asleep, "delete_part")
        before = state()
        new = {"password1": "a fine new horse", "password2": "a fine new horse"}
        for user in (superuser, stronger, asleep):
            assert office.get(change(user)).status_code == 200  # looking is allowed
            assert office.get(password(user)).status_code == 403
            assert office.post(password(user), new).status_code == 403
            assert office.post(change(user), {"email": "mine@example.com"}).status_code == 403
        assert state() == before

    def test_a_weaker_account_may_be_helped(self, office, sarah):
        new = {"password1": "a fine new horse", "password2": "a fine new horse"}
        assert office.post(password(sarah.user), new).status_code == 403  # her hat is more
        allow(office.user, "change_customer")
        assert office.post(password(sarah.user), new).status_code == 302
        sarah.user.refresh_from_db()
        assert sarah.user.check_password("a fine new horse")

    def test_not_through_groups(self, office):
        group = Group.objects.create(name="Clerks")
        office.user.groups.add(group)
        page = reverse("admin:auth_group_change", args=(group.pk,))
        assert office.get(page).status_code == 200
        assert office.post(page, {"name": "Clerks"} | self.everything()).status_code == 403
        assert not group.permissions.exists()

    def test_no_password_is_readable_by_who_may_only_look(self, office):
        superuser = SuperuserFactory.create()
        text = office.get(change(superuser)).content.decode()
        assert superuser.password not in text
        assert superuser.password[-20:] not in text


def test_a_group_s_rights_are_told_in_the_words_of_the_pages(desk):
    group = Group.objects.create(name="Foremen")
    group.permissions.add(*Permission.objects.filter(codename__in=("view_part", "view_own_work")))
    held = set(group.permissions.values_list("pk", flat=True))
    page = reverse("admin:auth_group_change", args=(group.pk,))
    offered = desk.get(page).context_data["adminform"].form.fields["permissions"].choices
    words = {str(label) for _, label in offered}
    assert {"Service tickets: change", "Parts used: add"} <= words
    assert "Parts: view what the shop pays for parts" in words
    assert "rights_in_words" not in str(desk.get(page).context_data["adminform"].fieldsets)
    # Rights to what has no page would be held and do nothing.
    assert not any(word.startswith(("Session", "Sheet", "Content type")) for word in words)
    right = Permission.objects.get(codename="view_customer")
    answer = desk.save(page, {"permissions": [str(pk) for pk in {*held, right.pk}]})
    assert answer.status_code == 302
    assert set(group.permissions.values_list("pk", flat=True)) == {*held, right.pk}


def test_nobody_shuts_themselves_out(desk):
    me = desk.user
    shut = {"is_active": None, "is_staff": None, "is_superuser": None}
    assert desk.save(change(me), shut).status_code == 302
    me.refresh_from_db()
    assert me.is_active and me.is_staff and me.is_superuser
    other = SuperuserFactory.create()
    assert desk.save(change(other), shut).status_code == 302
    other.refresh_from_db()
    assert not (other.is_active or other.is_staff or other.is_superuser)


def test_rights_that_may_not_be_changed_are_read_in_words(office):
    group = Group.objects.create(name="Buyers")
    group.permissions.add(Permission.objects.get(codename="view_cost"))
    page = office.get(reverse("admin:auth_group_change", args=(group.pk,))).content.decode()
    assert page.count("Parts: view what the shop pays for parts") == 1 and "Can view" not in page
    someone = UserFactory.create()
    allow(someone, "view_customer")
    page = office.get(change(someone)).content.decode()
    assert "Customers: view" in page and "Can view" not in page


def test_who_sees_their_own_work_has_to_be_a_mechanic(desk, mike):
    group = Group.objects.create(name="Bench")
    group.permissions.set(Permission.objects.filter(codename="view_own_work"))
    for user, told in ((UserFactory.create(is_staff=True), True), (mike.user, False)):
        answer = desk.save(change(user), {"is_staff": "on", "groups": [group.pk]})
        messages = [str(message) for message in desk.get(answer["Location"]).context["messages"]]
        assert any("is no mechanic yet" in message for message in messages) == told


def test_the_first_account_is_signed_in_with_an_e_mail():
    with pytest.raises(CommandError, match="valid email"):
        call_command("createsuperuser", interactive=False, email="Pat")
    call_command("createsuperuser", interactive=False, email="Pat@Shop.example", verbosity=0)
    assert User.objects.get().email == "pat@shop.example"
