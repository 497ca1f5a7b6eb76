"""The code from somebody's phone: asked for once it is set up, good once, and required of whom it is."""

import time
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from autoful.accounts import second_factor
from autoful.accounts.errors import WrongCode
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from autoful.actor import COMMAND, Actor, Role
from autoful.errors import Forbidden
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona

pytestmark = pytest.mark.django_db

LOGIN, PAGE, HOME = "/admin/login/", "/admin/second-factor/", "/admin/"


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def owner(client: Any) -> User:
    user = SuperuserFactory.create()
    user.set_password(PASSWORD)
    user.save()
    return user


def code(user: User, *, confirmed: bool = True, later: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    key = TOTPDevice.objects.get(user=user, confirmed=confirmed).bin_key
    return f"{totp(key, drift=later):06d}"


def set_up(user: User) -> None:
    actor = Actor(Role.BACK_OFFICE, user)
    second_factor.begin(user=user, actor=actor)
    shown = code(user, confirmed=False)
    second_factor.confirm(user=user, code=shown, actor=actor)
    # The code of this half minute is used by that; the next sign-in comes later.
    TOTPDevice.objects.filter(user=user).update(last_t=-1)


def sign_in(client: Any, user: User, **more: str) -> bool:
    typed = {"username": user.email, "password": PASSWORD, **more}
    return bool(client.post(LOGIN, typed).status_code == 302)


def test_without_one_no_code_is_asked_for(client: Any, owner: User) -> None:
    assert sign_in(client, owner)


def test_setting_it_up_on_the_page(client: Any, owner: User) -> None:
    desk = Desk(owner)
    page = desk.get(PAGE)
    assert "no-store" in page["Cache-Control"]
    secret = page.context_data["secret"].replace(" ", "")
    assert len(secret) == 32 and "data:image/svg" in page.content.decode()
    wrong = desk.post(PAGE, {"code": "000000"})
    assert "That is not the code" in wrong.content.decode()
    assert not second_factor.has_one(owner)
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    shown = code(owner, confirmed=False)
    assert desk.post(PAGE, {"code": f"{shown[:3]} {shown[3:]}"}).status_code == 302
    assert second_factor.has_one(owner)
    said = [entry.additional_data.get("event") for entry in LogEntry.objects.get_for_object(owner)]
    assert "second factor set up" in said
    assert secret not in str(list(LogEntry.objects.values()))


def test_the_password_alone_opens_no_door(client: Any, owner: User) -> None:
    set_up(owner)
    assert not sign_in(client, owner)
    assert not sign_in(client, owner, code="000000")
    assert client.get(HOME).status_code == 302
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert sign_in(client, owner, code=code(owner))
    assert client.get(HOME).status_code == 200


def test_a_code_is_good_once(client: Any, owner: User) -> None:
    set_up(owner)
    shown = code(owner)
    assert second_factor.is_right(owner, shown)
    assert not second_factor.is_right(owner, shown)


def test_an_old_code_and_another_persons_are_none(owner: User) -> None:
    set_up(owner)
    other = SuperuserFactory.create()
    set_up(other)
    for wrong in (code(owner, later=-3), code(owner, later=3), code(other), "", "abc", "9" * 40):
        TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
        assert not second_factor.is_right(owner, wrong), wrong


def test_who_guesses_waits(owner: User) -> None:
    set_up(owner)
    for _ in range(4):
        second_factor.is_right(owner, "000000")
    # Also with the right one, until the wait is over.
    assert not second_factor.is_right(owner, code(owner))
    assert TOTPDevice.objects.get().throttling_failure_count >= 1


def test_a_wrong_password_is_told_nothing_of_codes(client: Any, owner: User) -> None:
    set_up(owner)
    page = client.post(LOGIN, {"username": owner.email, "password": "wrong", "code": code(owner)})
    assert "app" not in str(page.context_data["form"].errors)
    assert second_factor.is_right(owner, code(owner)), "the code was not used up"


def test_who_must_have_one_sets_it_up_first(client: Any, clerk: Persona) -> None:
    clerk.user.user_permissions.set(Permission.objects.filter(codename="view_part"))
    User.objects.filter(pk=clerk.user.pk).update(second_factor_required=True)
    desk = Desk(User.objects.get(pk=clerk.user.pk))
    for path in (HOME, "/admin/inventory/part/", "/admin/search/?s=x", "/admin/autocomplete/"):
        answer = desk.get(path)
        assert (answer.status_code, answer.get("Location")) == (302, PAGE), path
    # Nor through the browsable API, which that session would open.
    assert "location" not in desk.get("/inventory/").content.decode()
    assert desk.get("/inventory/low-stock").status_code == 401
    assert "must have a second factor" in desk.get(PAGE).content.decode()
    assert desk.post(PAGE, {"code": code(clerk.user, confirmed=False)}).status_code == 302
    assert desk.get("/admin/inventory/part/").status_code == 200
    assert desk.get("/inventory/low-stock").status_code == 200


def test_it_can_be_left_though_it_is_required(clerk: Persona) -> None:
    User.objects.filter(pk=clerk.user.pk).update(second_factor_required=True)
    desk = Desk(User.objects.get(pk=clerk.user.pk))
    assert desk.post("/admin/logout/").get("Location") != PAGE
    assert desk.get(PAGE)["Location"].startswith(LOGIN)


def test_the_owner_requires_it_and_helps_who_lost_the_phone(owner: User) -> None:
    desk = Desk(owner)
    member = UserFactory.create(is_staff=True)
    customer = UserFactory.create()
    both = {"_selected_action": [member.pk, customer.pk]}
    desk.post("/admin/accounts/user/", {"action": "require_second_factor", **both})
    required = User.objects.filter(second_factor_required=True)
    assert list(required) == [member]
    set_up(member)
    desk.post("/admin/accounts/user/", {"action": "remove_second_factor", **both})
    assert not second_factor.has_one(member)


def test_who_may_not_manage_an_account_takes_nothing_off_it(owner: User, clerk: Persona) -> None:
    names = ("view_user", "change_user")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    set_up(owner)
    desk = Desk(User.objects.get(pk=clerk.user.pk))
    for action in ("remove_second_factor", "require_second_factor"):
        desk.post("/admin/accounts/user/", {"action": action, "_selected_action": [owner.pk]})
    assert second_factor.has_one(owner)
    assert not User.objects.get(pk=owner.pk).second_factor_required
    with pytest.raises(Forbidden):
        second_factor.remove(user=owner, actor=Actor(Role.BACK_OFFICE, clerk.user))


def test_another_phone_takes_the_place_of_the_first(owner: User) -> None:
    set_up(owner)
    first = code(owner)
    set_up(owner)
    assert TOTPDevice.objects.filter(user=owner).count() == 1
    assert first != code(owner) or time.time() == 0


def test_nobody_confirms_what_was_not_begun(owner: User) -> None:
    with pytest.raises(WrongCode):
        second_factor.confirm(user=owner, code="123456", actor=COMMAND)


def test_the_secret_is_on_no_other_page(owner: User) -> None:
    set_up(owner)
    key = TOTPDevice.objects.get().key
    desk = Desk(owner)
    for path in (PAGE, f"/admin/accounts/user/{owner.pk}/change/", "/admin/auditlog/logentry/"):
        page = desk.get(path)
        assert page.status_code == 200 and key not in page.content.decode()
        assert "secret" not in page.context_data or path != PAGE
