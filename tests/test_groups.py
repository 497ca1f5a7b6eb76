"""The groups of a new shop: every page and every button of the back office, for each of them."""

import re
from importlib import import_module
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission

from autoful.accounts.models import User
from autoful.accounts.permissions import may_manage
from autoful.accounts.tests.factories import UserFactory
from autoful.testing.pages import Desk
from customers.models import Customer
from mechanics.models import Mechanic
from tests import test_matrix_admin
from tests.matrix import World, build
from tests.soundness import everything
from tests.test_matrix_admin import FORM, OWN, secrets_in
from tickets.models import Assignment, ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(settings.PRODUCTION, reason="who may what is the same on both set-ups"),
]

# View, add, change, delete: by the pages, whatever the permissions behind them are called.
TABLE = """
pages of                    Owner  Service advisor  Parts clerk  Mechanic  Auditor
customers.customer          VACD   VAC              -            -         V
customers.vehicle           VACD   VACD             -            -         V
mechanics.mechanic          VACD   V                -            -         V
inventory.part              VACD   V                VACD         V         V
inventory.stockmovement     V      -                V            -         V
tickets.serviceticket       VACD   VAC              -            V         V
tickets.assignment          V      V                -            -         V
tickets.partline            V      V                V            -         V
tickets.statuschange        V      V                -            -         V
accounts.user               VAC    -                -            -         V
auth.group                  V      -                -            -         V
auditlog.logentry           V      -                -            -         V
"""
NAMES = ("Owner", "Service advisor", "Parts clerk", "Mechanic", "Auditor")
# What is private and nobody's in the group.
UNSEEN = {
    "Owner": set(),
    "Service advisor": {"cost", "salary"},
    "Parts clerk": {"salary", "customer phone", "customer email", "mechanic phone"},
    "Mechanic": {"cost", "salary", "customer phone", "customer email", "mechanic phone"},
    "Auditor": set(),
}
NEEDS = {"changelist": "V", "add": "A", "change": "V", "delete": "D", "history": "V"}
# Of a page's own: what they do is a change.
MORE = {"receive": "C", "adjust": "C", "move": "C", "password": "C", "walk-in": "A"}
MORE |= {"delivery": "C", "order-sheet": "V", "export": "V", "import": "C"}


def pages() -> list[tuple[str, str]]:
    """Those of the back office; where one is asked for a move, it is a move there is."""
    found = test_matrix_admin.pages()
    return [
        (name, re.sub(r"/move/\d+/", "/move/cancelled/", path))
        for name, path in found
        if not name.endswith("_import_job")  # of one's own file: tests/test_sheets_rights.py
    ]


def rights() -> dict[str, dict[str, str]]:
    """By the kind of row and the group."""
    found = {}
    for line in TABLE.strip().splitlines()[1:]:
        label, *cells = line.split()
        found[label] = dict(zip(NAMES, cells, strict=True))
    return found


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.WHITENOISE_USE_FINDERS = False


@pytest.fixture
def world() -> World:
    # Made by the migration; a test that empties the database takes them along.
    import_module("tickets.migrations.0005_groups").make_groups(apps, None)
    import_module("tickets.migrations.0010_vehicles_entered_by_mistake").give_right(apps, None)
    return build()


def member(group: str, world: World) -> Desk:
    """Somebody of the back office in this group; a mechanic works on the first ticket."""
    user = UserFactory.create(email="member@shop.example", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    if group == "Mechanic":
        profile = Mechanic.objects.create(user=user, name="Otto", approved=True)
        Assignment.objects.create(ticket=world.tickets[0], mechanic=profile)
    return Desk(User.objects.get(pk=user.pk))


def needed(name: str, path: str) -> tuple[str, str] | None:
    """Which kind of row a page is about, and the letter that opens it."""
    label = ".".join(path.split("/")[2:4])
    if label not in rights():
        return None
    suffix = name.removeprefix(label.replace(".", "_") + "_")
    if letter := NEEDS.get(suffix):
        return label, letter
    for word, letter in MORE.items():
        if re.search(rf"/{word}/", path):
            return label, letter
    return None


def test_every_page_has_its_line(world: World) -> None:
    assert set(rights()) == {model._meta.label_lower for model in admin.site._registry}
    strange = {
        (name, path)
        for name, path in pages()
        if name not in OWN and needed(name, path) is None and not re.search(r"/1/1/$|/\d+/$", path)
    }
    assert {name for name, _ in strange} <= {"autocomplete", "app_list", "toggle_sidebar", ""}, (
        strange
    )


def test_the_right_to_remove_vehicles_is_added_to_a_group_as_it_was_made(world: World) -> None:
    give = import_module("tickets.migrations.0010_vehicles_entered_by_mistake").give_right
    group = Group.objects.get(name="Service advisor")
    right = group.permissions.get(codename="delete_vehicle")
    group.permissions.remove(right)
    group.permissions.remove(group.permissions.get(codename="view_part"))
    give(apps, None)
    assert right not in group.permissions.all()  # the shop has made it its own


@pytest.mark.parametrize("group", NAMES)
def test_which_pages_open(group: str, world: World) -> None:
    desk, may = member(group, world), rights()
    opened = 0
    for name, path in pages():
        about = needed(name, path)
        if about is None:
            continue
        label, letter = about
        answer = desk.get(path)
        allowed = letter in may[label][group]
        facts = {fact for _, fact in secrets_in(answer, world)}
        assert not facts & UNSEEN[group], (path, facts)
        if allowed:
            # What the page asks about may be settled: a mechanic who is approved, say.
            assert answer.status_code in (200, 302), (path, answer.status_code)
            opened += answer.status_code == 200
        else:
            # A row that is not among those one may see is not there, and leads to the first page.
            hidden = answer.status_code in (403, 404) or answer.get("Location") == "/admin/"
            assert hidden, (path, answer.status_code)
    assert opened == len(
        {path for name, path in pages() if (a := needed(name, path)) and a[1] in may[a[0]][group]}
    )


@pytest.mark.parametrize("group", NAMES)
def test_what_is_refused_changes_nothing(group: str, world: World) -> None:
    """Every page and every action of a list is sent, as if it had been opened."""
    desk, may = member(group, world), rights()
    before = everything()
    for name, path in pages():
        about = needed(name, path)
        # Of those who may change rows, their own tests tell.
        if about is None or set(may[about[0]][group]) & set("ACD"):
            continue
        answer = desk.generic("POST", path, "post=yes", content_type=FORM)
        assert answer.status_code in (200, 302, 403, 404, 405), (path, answer.status_code)
        assert not {fact for _, fact in secrets_in(answer, world)} & UNSEEN[group], path
        if name.endswith("_changelist"):
            model = apps.get_model(about[0])
            row = model._base_manager.order_by("pk").first()
            for action in [*(admin.site._registry[model].actions or ()), "delete_selected"]:
                sent = {"action": str(action), "_selected_action": [row.pk], "post": "yes"}
                desk.post(path, sent)
    assert everything() == before


def test_a_mechanic_sees_the_tickets_they_work_on_and_no_others(world: World) -> None:
    desk = member("Mechanic", world)
    mine, other = world.tickets[:2]
    listed = desk.get("/admin/tickets/serviceticket/").context_data["cl"].result_list
    assert [ticket.pk for ticket in listed] == [mine.pk]
    page = desk.get(f"/admin/tickets/serviceticket/{mine.pk}/change/")
    assert mine.vin in page.content.decode() and mine.service_desc in page.content.decode()
    for last in ("change/", "history/", "delete/", "move/completed/"):
        answer = desk.get(f"/admin/tickets/serviceticket/{other.pk}/{last}")
        assert answer.status_code in (302, 403, 404), last
        assert other.vin not in answer.content.decode()
    found = desk.get("/admin/tickets/serviceticket/", {"q": other.vin})
    assert not found.context_data["cl"].result_list


@pytest.mark.parametrize("group", NAMES)
def test_no_page_leads_to_one_that_does_not_open(group: str, world: World) -> None:
    """From one page of each kind: whoever follows a link of it comes somewhere."""
    desk, followed = member(group, world), set()
    for _, path in pages():
        answer = desk.get(path)
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            continue
        for link in re.findall(r'href="(/admin/[^"?#]*)', answer.content.decode()):
            if link not in followed and "/export/" not in link:
                followed.add(link)
                led = desk.get(link)
                assert led.status_code < 400 and led.get("Location") != "/admin/", (path, link)
    assert followed


def test_the_trail_of_others_tickets_is_not_read_by_who_sees_their_own(world: World) -> None:
    desk = member("Mechanic", world)
    desk.user.user_permissions.add(
        Permission.objects.get(codename="view_logentry", content_type__app_label="auditlog")
    )
    about = desk.get("/admin/auditlog/logentry/").context_data["cl"].result_list
    kinds = {entry.content_type.model for entry in about}
    assert LogEntry.objects.filter(content_type__model="serviceticket").exists()
    assert kinds <= {"part", "logentry"}, kinds


def test_the_session_of_a_mechanic_tells_no_cost_through_the_api(world: World) -> None:
    desk, part = member("Mechanic", world), world.parts[0]
    for path in ("/inventory/", f"/inventory/{part.pk}", "/inventory/search?part_name=pads"):
        answer = desk.get(path)
        assert answer.status_code == 200 and part.location in answer.content.decode()
        assert "cost" not in answer.content.decode(), path
    # Nor by their order, of which a cursor tells the value.
    assert desk.get("/inventory/?ordering=cost&cursor=").status_code >= 400
    owner = member_of_owner()
    assert owner.get("/inventory/?ordering=cost&cursor=").status_code == 200
    assert float(owner.get(f"/inventory/{part.pk}").json()["cost"]) == float(part.cost)
    assert "cost" not in desk.get("/inventory/").content.decode()


def member_of_owner() -> Desk:
    user = UserFactory.create(email="second@shop.example", is_staff=True)
    user.groups.add(Group.objects.get(name="Owner"))
    return Desk(user)


@pytest.mark.parametrize("group", NAMES)
def test_the_owner_may_decide_about_everybody_in_a_group(group: str, world: World) -> None:
    owner = User.objects.get(pk=member_of_owner().user.pk)
    assert may_manage(owner, member(group, world).user)


@pytest.mark.parametrize("group", NAMES)
def test_the_session_tells_nothing_more_through_the_api(group: str, world: World) -> None:
    desk = member(group, world)
    mine, other = world.tickets[:2]
    for path in (
        *("/customers/", "/mechanics/", "/service_tickets/", "/inventory/"),
        *(f"/service_tickets/{mine.pk}", f"/service_tickets/{other.pk}"),
        *(f"/customers/{world.people['sarah'].id}", f"/mechanics/{world.people['mike'].id}"),
        *(f"/inventory/{world.parts[0].pk}", "/inventory/low-stock?threshold=1000"),
    ):
        told = {fact for _, fact in secrets_in(desk.get(path), world)}
        assert not told & UNSEEN[group], (path, told)


def test_a_deactivated_account_is_signed_out(world: World) -> None:
    desk = member("Service advisor", world)
    assert desk.get("/admin/").status_code == 200
    User.objects.filter(pk=desk.user.pk).update(is_active=False)
    assert desk.get("/admin/").status_code == 302


def test_an_advisor_serves_a_customer_from_the_door_to_the_till(world: World) -> None:
    """The control of all that is refused: what a group is for, it can do."""
    desk = member("Service advisor", world)
    assert desk.save("/admin/customers/customer/add/", {"name": "Ada"}).status_code == 302
    ada = Customer.objects.get(name="Ada")
    ticket = ServiceTicketFactory.create(customer=ada)
    url = f"/admin/tickets/serviceticket/{ticket.pk}/change/"
    row = {"part": world.parts[0].pk, "quantity_used": 1}
    parts = {f"part_lines-0-{name}": value for name, value in row.items()}
    team = {"assignments-0-mechanic": world.people["mike"].id}
    forms = {"part_lines-TOTAL_FORMS": 1, "assignments-TOTAL_FORMS": 1}
    assert desk.save(url, parts | team | forms | {"_move": "in_progress"}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == ServiceTicket.Status.IN_PROGRESS
    assert ticket.part_lines.count() == ticket.assignments.count() == 1
