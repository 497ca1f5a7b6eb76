"""The back office as a whole: every page, who may open it, what it costs, signing in."""

import datetime
import time

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.contrib.admin.models import LogEntry as DjangosOwnLog
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory
from autoful.actor import COMMAND
from autoful.testing.pages import Desk
from autoful.testing.queries import Statements
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory
from inventory import stock
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

WRITTEN = (User, Group, Customer, Vehicle, Mechanic, Part, ServiceTicket)
APPEND_ONLY = (StockMovement, StatusChange, LogEntry)
READ_ONLY = (*APPEND_ONLY, Assignment, PartLine)
# Their rows stay for the books, or stand where others point at them.
NOT_DELETED = (User,)


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def shop_with(count):
    """A shop with `count` of everything."""
    for _ in range(count):
        part = PartFactory.create()
        ServiceTicketFactory.create(mechanics=[MechanicFactory.create()], parts=[(part, 2)])
        Group.objects.create(name=f"Group {part.pk}")


@pytest.fixture
def shop(boss):
    # boss changes something too, so that the audit trail has entries of the back office.
    shop_with(2)
    return boss


@pytest.mark.parametrize("model", (*WRITTEN, *READ_ONLY), ids=lambda m: m.__name__)
class TestPages:
    def test_list_and_search(self, shop, model):
        assert shop.get(url(model, "changelist")).status_code == 200
        for words in ("Number", "12", "'quoted; --", "#1"):
            page = shop.get(url(model, "changelist"), {"q": words})
            assert page.status_code == 200
            assert "e=1" not in page.headers.get("Location", "")

    def test_filters(self, shop, model):
        page = shop.get(url(model, "changelist"))
        changelist = page.context_data["cl"]
        for spec in changelist.filter_specs:
            for choice in spec.choices(changelist):
                if "form" in choice:  # days, which somebody types
                    continue
                answer = shop.get(url(model, "changelist") + choice["query_string"])
                assert answer.status_code == 200, choice  # 302 to ?e=1 means a broken filter

    def test_change_and_history(self, shop, model):
        row = model.objects.order_by("pk").first()
        for page in ("change", "history"):
            assert shop.get(url(model, page, row.pk)).status_code == 200
            gone = shop.get(url(model, page, 987_654_321))
            assert gone.status_code == 302

    def test_add(self, shop, model):
        expected = 200 if model in WRITTEN else 403
        assert shop.get(url(model, "add")).status_code == expected

    def test_delete(self, shop, model):
        row = model.objects.order_by("pk").first()
        expected = 200 if model in WRITTEN and model not in NOT_DELETED else 403
        assert shop.get(url(model, "delete", row.pk)).status_code == expected

    def test_staff_without_permission_see_nothing(self, shop, clerk, model):
        row = model.objects.order_by("pk").first()
        for page, args in (("changelist", ()), ("add", ()), *((p, (row.pk,)) for p in PAGES)):
            # Of the audit trail there is then nothing that could be looked for.
            gone = model is LogEntry and page == "history"
            assert clerk.get(url(model, page, *args)).status_code == (302 if gone else 403), page
            refused = clerk.post(url(model, page, *args), {"post": "yes"})
            assert refused.status_code == (302 if gone else 403), page
        assert url(model, "changelist") not in clerk.get("/admin/").content.decode()

    def test_who_may_look_may_not_touch(self, shop, clerk, model):
        clerk.user.user_permissions.add(permission(model, "view"))
        row = model.objects.order_by("pk").first()
        for page, args in (("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,))):
            # LogEntry: it is shown to those who may see what it is about.
            if model is not LogEntry or not args:
                assert clerk.get(url(model, page, *args)).status_code == 200, page
        for page, args in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
            if model is not LogEntry or page != "change":
                assert clerk.post(url(model, page, *args), {"post": "yes"}).status_code == 403

    def test_queries_do_not_grow_with_the_rows(self, shop, model):
        def queries():
            with Statements(
                connection,
            ) as seen:
                assert shop.get(url(model, "changelist")).status_code == 200
            return [query["sql"] for query in seen]

        shop_with(4)  # more than a page of the audit trail, which is read in one question less
        queries()
        few = queries()
        shop_with(4)
        many = queries()
        assert len(many) == len(few), many


PAGES = ("change", "delete", "history")


def permission(model, verb):
    name = f"{verb}_{model._meta.model_name}"
    return Permission.objects.get(codename=name, content_type__app_label=model._meta.app_label)


def test_everything_in_the_shop_has_a_page():
    from django.contrib import admin

    ours = {
        m
        for app in ("accounts", "customers", "mechanics", "inventory", "tickets")
        for m in apps.get_app_config(app).get_models()
    }
    assert ours <= set(admin.site._registry)


@pytest.mark.parametrize("model", APPEND_ONLY, ids=lambda m: m.__name__)
def test_a_ledger_cannot_be_written_even_by_a_superuser(shop, model):
    desk = Desk(shop.user)
    row = model.objects.order_by("pk").first()
    before = list(model.objects.values())
    data = {"post": "yes", "action": "delete_selected", "_selected_action": [row.pk]}
    assert desk.post(url(model, "add"), data).status_code == 403
    assert desk.post(url(model, "change", row.pk), data).status_code == 403
    assert desk.post(url(model, "delete", row.pk), data).status_code == 403
    desk.post(url(model, "changelist"), data)
    assert list(model.objects.values()) == before
    assert "_selected_action" not in desk.get(url(model, "changelist")).content.decode()


class TestTrail:
    def test_the_admin_keeps_no_history_of_its_own(self, boss):
        part = PartFactory.create()
        boss.post(url(Part, "delete", part.pk), {"post": "yes"}, format="multipart")
        assert not Part.objects.exists()
        assert not DjangosOwnLog.objects.exists()
        entry = LogEntry.objects.get(action=LogEntry.Action.DELETE)
        assert entry.actor == boss.user
        assert entry.additional_data["role"] == "back_office"

    def test_an_entry_is_shown_to_whoever_may_see_what_it_is_about(self, boss, clerk):
        PartFactory.create(part_name="Secret gasket")
        mechanic = MechanicFactory.create(name="Hidden Harry")
        clerk.user.user_permissions.add(permission(LogEntry, "view"), permission(Part, "view"))
        page = clerk.get(url(LogEntry, "changelist"))
        entries = page.context_data["cl"].result_list
        assert {entry.object_repr for entry in entries} == {"Secret gasket"}
        entry = LogEntry.objects.get_for_object(mechanic).first()
        assert clerk.get(url(LogEntry, "change", entry.pk)).status_code == 302
        assert "Hidden Harry" in boss.get(url(LogEntry, "changelist")).content.decode()

    def test_no_secret_is_shown(self, boss):
        boss.user.set_password("another correct horse")
        boss.user.save()
        boss.force_login(boss.user)
        hashed = boss.user.password
        for page in (
            url(LogEntry, "changelist"),
            url(User, "history", boss.user.pk),
            url(User, "change", boss.user.pk),
        ):
            text = boss.get(page).content.decode()
            assert hashed not in text
            assert not any(told in text for told in ("bcrypt", "salt", "checksum", hashed[-8:]))
            assert "password" in text

    def test_what_people_type_stays_text(self, boss):
        payload = "<script>alert(1)</script>"
        part = PartFactory.create(part_name=payload)
        for page in (
            url(LogEntry, "changelist"),
            url(Part, "history", part.pk),
            url(Part, "change", part.pk),
            url(Part, "delete", part.pk),
            url(Part, "changelist"),
        ):
            assert payload not in boss.get(page).content.decode(), page


class TestSigningIn:
    @pytest.fixture(autouse=True)
    def limited(self, settings):
        settings.RATE_LIMITS = {"default": ["1000/hour"], "admin.login": ["5/min"]}

    def sign_in(self, client, password, **extra):
        data = {"username": "Owner@Example.com ", "password": password}
        return client.post("/admin/login/?next=/admin/", data, **extra)

    def test_right_and_wrong(self, db):
        owner = SuperuserFactory.create(email="owner@example.com")
        assert self.sign_in(Client(), "wrong").status_code == 200
        assert self.sign_in(Client(), PASSWORD).status_code == 302
        events = [
            entry.additional_data["event"]
            for entry in LogEntry.objects.filter(action=LogEntry.Action.ACCESS).order_by("id")
        ]
        assert events == ["sign-in refused", "signed in"]
        owner.is_staff = False
        owner.save()
        assert self.sign_in(Client(), PASSWORD).status_code == 200

    def test_guesses_are_limited_per_address(self, db, monkeypatch):
        # One minute of the limit, however long this takes: at its turn the count begins anew.
        until = int(time.time()) + 60
        monkeypatch.setattr("django_ratelimit.core._get_window", lambda value, period: until)
        SuperuserFactory.create(email="owner@example.com")
        for _ in range(5):
            page = self.sign_in(Client(), "wrong")
            assert "Too many requests" not in page.content.decode()

        def hashing(*args, **kwargs):
            raise AssertionError("a limited guess was hashed")

        with monkeypatch.context() as patched:
            patched.setattr("django.contrib.auth.forms.authenticate", hashing)
            page = self.sign_in(Client(), PASSWORD)
        assert "Too many requests. Try again in" in page.content.decode()
        # The other side of the street is not concerned.
        assert self.sign_in(Client(), PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302

    def test_opening_the_page_is_no_guess(self, db):
        SuperuserFactory.create(email="owner@example.com")
        for _ in range(7):
            assert Client().get("/admin/login/").status_code == 200
        assert self.sign_in(Client(), PASSWORD).status_code == 302


def test_dates_are_in_the_shops_zone(boss, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    part = PartFactory.create(quantity_in_stock=0)
    stock.receive(part=part, quantity=3, actor=COMMAND)
    at = datetime.datetime(2025, 3, 14, 20, tzinfo=datetime.UTC)
    StockMovement.objects.update(created_at=at)
    text = boss.get(url(StockMovement, "changelist")).content.decode()
    assert "15 Mar 2025" in text


def test_a_walk_in_has_no_account(boss):
    CustomerFactory.create(user=None, name="Walk In")
    assert "Walk In" in boss.get(url(Customer, "changelist"), {"q": "walk"}).content.decode()


def test_a_page_is_headed_by_the_shop_s_names(boss):
    desk, account = Desk(boss.user), boss.user

    def heading(page):
        return strip_tags(page.content.decode().partition("<h1")[2].partition("</h1>")[0])

    page = heading(desk.get(url(User, "change", account.pk)))
    assert account.email in page and "Accounts" in page  # and not as "Boss@…"
    groups = heading(desk.get(url(Group, "changelist")))
    assert "Groups" in groups and "Authentication" not in groups
    entry = desk.get(url(LogEntry, "change", LogEntry.objects.latest("pk").pk))
    assert "Audit trail" in heading(entry) and "Log entries" not in heading(entry)
    assert "/history/" not in entry.content.decode()  # an entry never changes
