"""The code from somebody's phone: asked for once it is set up, good once, and required of whom it is."""

from base64 import b32decode, b32encode
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.utils import timezone
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


def code(user: User, *, later: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key, drift=later):06d}"


def proposed(desk: Desk) -> str:
    """What an app shows that was given the secret on the page."""
    secret = desk.get(PAGE).context_data["secret"].replace(" ", "")  # type: ignore[attr-defined]
    return f"{totp(b32decode(secret)):06d}"


def set_up(user: User) -> None:
    device = second_factor.proposed(user)
    shown = f"{totp(device.bin_key):06d}"
    actor = Actor(Role.BACK_OFFICE, user)
    second_factor.confirm(user=user, key=device.key, code=shown, actor=actor)
    user.refresh_from_db()
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
    assert wrong.context_data["secret"] == page.context_data["secret"]
    assert not TOTPDevice.objects.exists(), "what is only proposed is nobody's"
    shown = proposed(desk)
    assert desk.post(PAGE, {"code": f"{shown[:3]} {shown[3:]}"}).status_code == 302
    assert owner.has_second_factor()
    assert desk.get(HOME).status_code == 200, "this session goes on"
    said = [entry.additional_data.get("event") for entry in LogEntry.objects.get_for_object(owner)]
    assert "second factor set up" in said
    key = TOTPDevice.objects.get().key
    trail = str(list(LogEntry.objects.values()))
    assert secret not in trail and key not in trail


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
    assert desk.post(PAGE, {"code": proposed(desk)}).status_code == 302
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
    assert not member.has_second_factor()


def test_nobody_takes_off_their_own_without_the_phone(owner: User) -> None:
    """Or whoever finds the desk unattended does; see the page of the second factor."""
    set_up(owner)
    desk = Desk(owner)
    asked = {"action": "remove_second_factor", "_selected_action": [owner.pk]}
    answer: Any = desk.post("/admin/accounts/user/", asked, follow=True)
    assert owner.has_second_factor() and "with the phone at hand" in answer.content.decode()


def test_nobody_gives_themselves_a_password_without_the_old_one(owner: User) -> None:
    desk, before = Desk(owner), owner.password
    new = {"password1": "a fine new horse", "password2": "a fine new horse"}
    for number in (f"{owner.pk}", f"0{owner.pk}"):
        answer = desk.post(f"/admin/accounts/user/{number}/password/", new)
        assert answer["Location"] == "/admin/password_change/"
    owner.refresh_from_db()
    assert owner.password == before
    other = UserFactory.create()
    assert desk.post(f"/admin/accounts/user/{other.pk}/password/", new).status_code == 302
    assert User.objects.get(pk=other.pk).check_password("a fine new horse")


def test_who_may_not_manage_an_account_takes_nothing_off_it(owner: User, clerk: Persona) -> None:
    names = ("view_user", "change_user")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    set_up(owner)
    desk = Desk(User.objects.get(pk=clerk.user.pk))
    for action in ("remove_second_factor", "require_second_factor"):
        desk.post("/admin/accounts/user/", {"action": action, "_selected_action": [owner.pk]})
    assert owner.has_second_factor()
    assert not User.objects.get(pk=owner.pk).second_factor_required
    with pytest.raises(Forbidden):
        second_factor.remove(users=[owner], actor=Actor(Role.BACK_OFFICE, clerk.user))


def test_another_phone_takes_the_place_of_the_first(owner: User) -> None:
    set_up(owner)
    first = code(owner)
    set_up(owner)
    assert TOTPDevice.objects.filter(user=owner).count() == 1
    assert not second_factor.is_right(owner, first)
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert second_factor.is_right(owner, code(owner))


def test_nobody_confirms_what_was_not_begun(owner: User) -> None:
    with pytest.raises(WrongCode):
        second_factor.confirm(user=owner, key="", code="123456", actor=COMMAND)


def test_the_secret_is_on_no_other_page(owner: User) -> None:
    set_up(owner)
    device = TOTPDevice.objects.get()
    spellings = (device.key, b32encode(device.bin_key).decode())
    desk = Desk(owner)
    for path in (PAGE, f"/admin/accounts/user/{owner.pk}/change/", "/admin/auditlog/logentry/"):
        page = desk.get(path)
        said = page.content.decode().replace(" ", "")
        assert page.status_code == 200 and not any(text in said for text in spellings), path


# --- A stolen password ----------------------------------------------------------------------------


def test_a_thiefs_session_ends_when_the_second_factor_is_set_up(owner: User) -> None:
    thief, desk = Desk(owner), Desk(owner)
    seen = thief.get(PAGE).context_data["secret"]  # type: ignore[attr-defined]
    assert desk.get(PAGE).context_data["secret"] != seen  # type: ignore[attr-defined]
    assert desk.post(PAGE, {"code": proposed(desk)}).status_code == 302
    assert thief.get(HOME).status_code == 302 and desk.get(HOME).status_code == 200


def test_a_right_password_without_a_code_leaves_a_trace(client: Any, owner: User) -> None:
    set_up(owner)
    assert not sign_in(client, owner)
    said = [entry.additional_data.get("event") for entry in LogEntry.objects.get_for_object(owner)]
    assert "code asked for" in said


def test_the_password_puts_no_other_hat_on_it(nobody: Persona, owner: User) -> None:
    set_up(owner)
    typed = {"name": "Thief", "email": owner.email, "phone": "+1 555 010 1010"}
    assert nobody.post("/customers/", typed | {"password": PASSWORD}).status_code == 400
    assert not hasattr(User.objects.get(pk=owner.pk), "customer")


def test_a_token_does_not_change_how_it_signs_in(sarah: Persona) -> None:
    User.objects.filter(pk=sarah.user.pk).update(is_staff=True)
    set_up(sarah.user)
    again = wearing_again(sarah)
    mine = f"/customers/{sarah.id}"
    assert again.put(mine, {"email": "thief@example.com"}).status_code == 403
    assert again.put(mine, {"password": "another horse"}).status_code == 403
    assert again.put(mine, {"phone": "+1 555 010 7777"}).status_code == 200


def wearing_again(person: Persona) -> Persona:
    """With a new token: setting it up ended the one before."""
    return Persona(person.actor, type(person.profile).objects.get(pk=person.profile.pk))


def test_it_is_turned_off_with_the_phone_in_hand(owner: User) -> None:
    set_up(owner)
    desk = Desk(owner)
    desk.post(PAGE, {"remove": "yes"})
    desk.post(PAGE, {"code": "000000"})
    assert owner.has_second_factor()
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert desk.post(PAGE, {"code": code(owner)}).status_code == 302
    assert not owner.has_second_factor()


def test_who_must_have_one_does_not_turn_it_off(clerk: Persona) -> None:
    User.objects.filter(pk=clerk.user.pk).update(second_factor_required=True)
    clerk.user.refresh_from_db()
    set_up(clerk.user)
    said = Desk(clerk.user).post(PAGE, {"code": code(clerk.user)}).content.decode()
    assert "must have a second factor" in said
    assert clerk.user.has_second_factor()


def test_nobody_is_kept_out_for_longer_than_minutes(owner: User) -> None:
    set_up(owner)
    long_ago = timezone.now() - timedelta(seconds=130)
    TOTPDevice.objects.update(throttling_failure_count=40, throttling_failure_timestamp=long_ago)
    assert second_factor.is_right(owner, code(owner))


def test_whom_nobody_else_can_help_has_a_command(owner: User) -> None:
    set_up(owner)
    call_command("remove_second_factor", owner.email.upper())
    assert not owner.has_second_factor()
    with pytest.raises(CommandError):
        call_command("remove_second_factor", "nobody@example.com")
