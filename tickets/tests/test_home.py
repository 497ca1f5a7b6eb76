"""The first page of the back office: each figure against the rows it is of."""

import datetime
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from autoful.actor import COMMAND
from autoful.testing.pages import Desk
from inventory.parts import enter_part
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tickets import home
from tickets.models import Assignment, PartLine, ServiceTicket
from tickets.months import months
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status
HOME = "/admin/"


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def shown(desk):
    return desk.get(HOME).context_data


def completed(moment, *lines):
    """A ticket completed at that moment, with lines of (quantity, price, cost)."""
    parts = [(PartFactory.create(price=price, cost=cost), n) for n, price, cost in lines]
    ticket = ServiceTicketFactory.create(parts=parts, status=Status.COMPLETED)
    ServiceTicket.objects.filter(pk=ticket.pk).update(completed_at=moment)
    return ticket


def test_a_new_shop_is_led_to_its_first_ticket(desk):
    page = desk.get(HOME)
    assert [step["done"] for step in page.context_data["steps"]] == [False, False, False]
    for step in page.context_data["steps"]:
        assert f'href="{step["url"]}"' in page.content.decode()
        assert desk.get(step["url"]).status_code == 200
    PartFactory.create()
    assert [step["done"] for step in shown(desk)["steps"]] == [False, True, False]
    ServiceTicketFactory.create()
    assert "steps" not in shown(desk)


def test_every_status_counts_its_tickets_and_opens_their_list(desk):
    for number, status in enumerate(Status):
        for _ in range(number + 1):
            ServiceTicketFactory.create(status=status)
    statuses = shown(desk)["statuses"]
    assert [status["count"] for status in statuses] == [1, 2, 3, 4, 5]
    for status in statuses:
        assert desk.get(status["url"]).context_data["cl"].queryset.count() == status["count"]


def test_late_is_what_is_open_and_past_its_day(desk, monkeypatch):
    monkeypatch.setattr(home, "LONGEST", 2)
    today = timezone.localdate()
    day = datetime.timedelta(days=1)
    late = [ServiceTicketFactory.create(service_date=today - n * day) for n in (1, 3, 2)]
    ServiceTicketFactory.create(service_date=today)
    for status in (Status.COMPLETED, Status.CANCELLED):
        ServiceTicketFactory.create(service_date=today - day, status=status)
    found = shown(desk)["late"]
    assert [(row["ticket"], row["days"]) for row in found["rows"]] == [(late[1], 3), (late[2], 2)]
    assert found["count"] == 3
    listed = desk.get(found["url"]).context_data["cl"].result_list
    assert {ticket.pk for ticket in listed} == {ticket.pk for ticket in late}


def test_due_is_what_is_open_and_for_today(desk, monkeypatch):
    monkeypatch.setattr(home, "LONGEST", 2)
    today = timezone.localdate()
    due = [ServiceTicketFactory.create(service_date=today) for _ in range(3)]
    ServiceTicketFactory.create(service_date=today, status=Status.COMPLETED)
    for away in (-1, 1):
        ServiceTicketFactory.create(service_date=today + datetime.timedelta(days=away))
    found = shown(desk)["due"]
    assert [row["ticket"] for row in found["rows"]] == due[:2]
    assert found["count"] == 3
    listed = desk.get(found["url"]).context_data["cl"].result_list
    assert {ticket.pk for ticket in listed} == {ticket.pk for ticket in due}


@pytest.mark.parametrize(
    ("permissions", "ways"),
    [
        ([], []),
        (["add_serviceticket"], ["New ticket"]),
        (
            ["add_serviceticket", "add_customer", "view_customer", "view_vehicle"],
            ["Walk-in", "New ticket"],
        ),
    ],
)
def test_a_ticket_is_begun_from_the_first_page(clerk, permissions, ways):
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    desk = Desk(clerk.user)
    begin = shown(desk)["begin"]
    assert [way["title"] for way in begin] == ways
    assert all(desk.get(way["url"]).status_code == 200 for way in begin)


def test_who_works_on_what_begins_with_who_is_free(desk):
    ada, ben, cy = (MechanicFactory.create(name=name) for name in ("Ada", "Ben", "Cy"))
    MechanicFactory.create(name="Waiting", approved=False)
    at = ServiceTicketFactory.create(mechanics=[ada, cy], status=Status.IN_PROGRESS)
    ServiceTicketFactory.create(mechanics=[ben])  # not begun
    rows = [(row["name"], [t["ticket"] for t in row["tickets"]]) for row in shown(desk)["team"]]
    assert rows == [("Ben", []), ("Ada", [at]), ("Cy", [at])]


def test_who_works_on_older_tickets_is_not_free(desk, monkeypatch):
    monkeypatch.setattr(home, "MOST_AT_WORK", 1)
    ada, ben = (MechanicFactory.create(name=name) for name in ("Ada", "Ben"))
    ServiceTicketFactory.create(mechanics=[ada], status=Status.IN_PROGRESS)
    ServiceTicketFactory.create(mechanics=[ben], status=Status.IN_PROGRESS)
    page = desk.get(HOME)
    rows = [(row["name"], row["is_busy"], len(row["tickets"])) for row in page.context_data["team"]]
    assert rows == [("Ada", True, 0), ("Ben", True, 1)]
    assert "on older tickets" in page.content.decode() and "free" not in page.content.decode()


def test_parts_to_order_say_how_many_are_needed(desk):
    empty = PartFactory.create(quantity_in_stock=0, reorder_point=4)
    at = PartFactory.create(quantity_in_stock=7, reorder_point=7)
    PartFactory.create(quantity_in_stock=8, reorder_point=7)
    PartFactory.create(quantity_in_stock=0, reorder_point=0)  # not kept any more
    low = shown(desk)["low"]
    assert [(row["part"], row["needed"]) for row in low["rows"]] == [(empty, 5), (at, 1)]
    assert low["count"] == desk.get(low["url"]).context_data["cl"].queryset.count() == 2


def test_this_month_against_last_in_the_shops_own_time(settings):
    zone = ZoneInfo("America/Chicago")

    def moment(*at):
        return datetime.datetime(*at, tzinfo=zone)

    now = moment(2026, 3, 15, 12)
    completed(moment(2026, 3, 1, 0, 0), (2, Decimal("10.00"), Decimal("4.00")))
    completed(moment(2026, 3, 15, 11), (1, Decimal("5.55"), None))
    completed(moment(2026, 3, 15, 13), (9, Decimal("99.00"), Decimal("1.00")))  # not yet
    # In UTC these two are in the month after.
    completed(moment(2026, 2, 28, 23, 30), (1, Decimal("7.00"), Decimal("8.00")))
    completed(moment(2026, 1, 31, 23, 30), (9, Decimal("99.00"), Decimal("1.00")))
    completed(moment(2026, 2, 3, 9), (3, Decimal("1.00"), Decimal("0.50")))
    with timezone.override(zone):
        found = months(now)
    assert (found["name"], found["before"], found["unknown"]) == ("March", "February", 1)
    tickets, sold, margin = found["figures"]
    assert (tickets["this"], tickets["last"], tickets["change"]) == (2, 2, 1)
    assert (sold["this"], sold["last"]) == (Decimal("25.55"), Decimal("10.00"))
    assert sold["change"] == Decimal("22.55")
    # What cost nobody knows is not all margin.
    assert (margin["this"], margin["last"]) == (Decimal("12.00"), Decimal("0.50"))
    chart = json.loads(margin["chart"])
    assert (chart["labels"], chart["datasets"][0]["data"]) == (
        ["All of February", "March so far"],
        [0.5, 12.0],
    )


def test_a_day_that_the_month_before_did_not_have(settings):
    """On March 31 the same moment of February is past its end: all of February."""
    zone = ZoneInfo("UTC")
    completed(datetime.datetime(2026, 2, 28, 23, tzinfo=zone))
    completed(datetime.datetime(2026, 3, 1, 1, tzinfo=zone))
    with timezone.override(zone):
        found = months(datetime.datetime(2026, 3, 31, 12, tzinfo=zone))
    assert (found["figures"][0]["this"], found["figures"][0]["change"]) == (1, 0)


def test_cancelled_and_reopened_tickets_have_sold_nothing(desk):
    ticket = completed(timezone.now(), (1, Decimal("10.00"), Decimal("4.00")))
    ServiceTicket.objects.filter(pk=ticket.pk).update(status=Status.IN_PROGRESS)
    figures = shown(desk)["months"]["figures"]
    assert [figure["this"] for figure in figures] == [0, 0, 0]


@pytest.mark.parametrize(
    ("permissions", "parts"),
    [
        ([], set()),
        (["view_serviceticket"], {"statuses", "late", "due"}),
        (["view_serviceticket", "view_mechanic"], {"statuses", "late", "due", "team"}),
        (["view_part"], {"low"}),
        (["view_part", "view_cost"], {"low"}),
        (["view_serviceticket", "view_cost"], {"statuses", "late", "due", "months"}),
        (["view_own_work"], {"mine"}),
    ],
)
def test_each_sees_the_part_of_the_day_that_is_theirs(clerk, permissions, parts):
    ServiceTicketFactory.create(parts=[(PartFactory.create(), 1)])
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    page = Desk(clerk.user).get(HOME)
    assert page.status_code == 200
    known = {"statuses", "late", "due", "team", "months", "low", "mine", "steps"}
    assert known & set(page.context_data) == parts


def test_a_mechanic_begins_with_their_own_work(clerk):
    clerk.user.user_permissions.set(Permission.objects.filter(codename="view_own_work"))
    me = MechanicFactory.create(user=clerk.user)
    mine = ServiceTicketFactory.create(mechanics=[me])
    ServiceTicketFactory.create(mechanics=[me], status=Status.COMPLETED)
    ServiceTicketFactory.create(mechanics=[MechanicFactory.create()])
    rows = shown(Desk(clerk.user))["mine"]
    assert [row["ticket"] for row in rows] == [mine]


def test_a_shop_without_parts_is_not_told_that_all_are_there(desk):
    assert "No part has been entered yet." in desk.get(HOME).content.decode()
    enter_part(
        fields={"part_name": "Oil", "price": Decimal(9), "reorder_point": 1},
        quantity_in_stock=5,
        actor=COMMAND,
    )
    assert "Every part is above its reorder point." in desk.get(HOME).content.decode()


def test_the_page_costs_the_same_however_much_there_is(desk):
    def fill():
        mechanic = MechanicFactory.create()
        part = PartFactory.create(quantity_in_stock=9, reorder_point=9)
        for status in Status:
            ServiceTicketFactory.create(mechanics=[mechanic], parts=[(part, 1)], status=status)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            desk.get(HOME)
        return [query["sql"] for query in seen]

    fill()
    queries()
    few = queries()
    for _ in range(3):
        fill()
    assert Assignment.objects.count() > 3 and PartLine.objects.count() > 3
    many = queries()
    assert len(few) == len(many), "\n".join(many)
    assert len(many) <= 18, "\n".join(many)
