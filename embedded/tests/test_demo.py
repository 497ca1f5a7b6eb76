"""The demo shop: what it promises to hold, and that it is made as a shop makes its data."""

import datetime
import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Count, F, Q
from django.utils import timezone

from autoful.accounts.models import User
from customers.models import Customer, Vehicle
from customers.vehicles import check_digit_warning, decode
from embedded import catalogue, demo, story, vins
from embedded.vocabulary import JOBS, JOBS_WAITING
from inventory.models import Part, StockMovement
from mechanics.models import Mechanic
from tickets.lifecycle import TRANSITIONS
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange

NOW = datetime.datetime(2026, 5, 20, 14, 30, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[int]]:
    """Filled once for the module, and undone: it takes some seconds."""
    from django.db import transaction

    steps: list[int] = []
    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        demo.fill(progress=lambda done, total, what: steps.append(done), now=NOW)
        try:
            yield steps
        finally:
            transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


pytestmark = pytest.mark.django_db


def test_it_is_as_large_as_promised(shop: list[int]) -> None:
    assert Customer.objects.count() >= 60
    assert Customer.objects.filter(user=None).exists()
    assert Customer.objects.exclude(user=None).count() > 20
    assert Mechanic.objects.filter(approved=True).count() == 12
    assert Mechanic.objects.filter(approved=False).count() == 2
    assert ServiceTicket.objects.count() == 300
    assert Part.objects.count() == 150
    assert shop == list(range(1, 301))


def test_every_status_is_there(shop: list[int]) -> None:
    counted = dict(
        ServiceTicket.objects.order_by().values_list("status").annotate(count=Count("id"))
    )
    assert counted == story.STATUSES
    assert set(counted) == set(ServiceTicket.Status.values)


def test_some_parts_are_low_and_some_are_out(shop: list[int]) -> None:
    low = Part.objects.low().count()
    out = Part.objects.filter(quantity_in_stock=0).count()
    assert 10 <= low <= 60
    assert 3 <= out < low
    assert not Part.objects.filter(Q(category="") | Q(location="") | Q(cost=None)).exists()
    assert not Part.objects.filter(cost__gte=F("price")).exists()


def test_the_ledger_adds_up(shop: list[int]) -> None:
    call_command("check_stock", stdout=io.StringIO())
    reasons = set(StockMovement.objects.values_list("reason", flat=True))
    assert reasons >= {"opening", "received", "used", "returned"}
    for part in Part.objects.all():
        balance = 0
        last = NOW - datetime.timedelta(days=1000)
        for movement in part.movements.order_by("id"):
            balance += movement.change
            assert movement.balance == balance
            assert movement.created_at >= last
            last = movement.created_at


def test_every_vin_is_valid_and_tells_the_same_story(shop: list[int]) -> None:
    vehicles = list(Vehicle.objects.all())
    assert len(vehicles) > 80
    for vehicle in vehicles:
        assert len(vehicle.vin) == 17
        assert check_digit_warning(vehicle.vin) is None
        decoded = decode(vehicle.vin)
        assert decoded["make"] == vehicle.make
        assert decoded["year"] == vehicle.year
        assert decoded.get("model", vehicle.model) == vehicle.model


def test_the_check_digit_is_the_standards_own_example() -> None:
    assert vins.check_digit("1M8GDM9AXKP042788") == "X"
    assert vins.check_digit("1M8GDM9AXKP042787") != "X"


def test_what_people_typed_is_what_the_models_accept(shop: list[int]) -> None:
    checked = 0
    for model in (Customer, Vehicle, Mechanic, Part, ServiceTicket):
        for row in model._default_manager.all():
            row.clean_fields()
            checked += 1
    assert checked > 600


def test_addresses_and_phones_reach_nobody(shop: list[int]) -> None:
    emails = [*User.objects.values_list("email", flat=True)]
    emails += [e for e in Customer.objects.values_list("email", flat=True) if e]
    domains = {email.split("@")[1] for email in emails}
    assert domains == {"example.com", "example.org", "autoful.example"}
    phones = [*Customer.objects.values_list("phone", flat=True)]
    phones += [*Mechanic.objects.values_list("phone", flat=True)]
    assert all(") 555-01" in phone for phone in phones)


def test_the_three_sign_ins(shop: list[int]) -> None:
    owner = User.objects.get(email=demo.OWNER.email)
    assert owner.is_staff and owner.is_superuser
    mechanic = Mechanic.objects.get(user__email=demo.MECHANIC.email)
    customer = Customer.objects.get(user__email=demo.CUSTOMER.email)
    assert mechanic.is_available
    for user in (owner, mechanic.user, customer.user):
        assert user is not None
        assert check_password(demo.DEMO_PASSWORD, user.password)
    own = customer.service_tickets.all()
    assert own.count() >= 5
    assert {ticket.is_open for ticket in own} == {True, False}
    today = ServiceTicket.objects.filter(
        assignments__mechanic=mechanic,
        service_date=timezone.localdate(NOW),
        status__in=ServiceTicket.OPEN,
    )
    assert today.count() >= 3
    assert [each.role for each in demo.sign_ins()] == (
        [] if _production() else ["owner", "mechanic", "customer"]
    )


def test_a_changed_password_is_no_longer_shown(shop: list[int], settings: Any) -> None:
    if _production():
        pytest.skip("only the embedded set-up shows the sign-ins")
    User.objects.filter(email=demo.OWNER.email).update(password="another")
    assert [each.role for each in demo.sign_ins()] == ["mechanic", "customer"]


def test_teams_and_lines_fit_the_status(shop: list[int]) -> None:
    teams = ServiceTicket.objects.annotate(size=Count("assignments"))
    assert set(teams.filter(status="completed").values_list("size", flat=True)) == {1, 2, 3}
    assert not teams.filter(status="in_progress", size=0).exists()
    assert not teams.filter(status="cancelled", size__gt=0).exists()
    assert not PartLine.objects.filter(ticket__status__in=("pending", "cancelled")).exists()
    assert PartLine.objects.count() > 300


def test_every_part_a_job_takes_is_in_the_catalogue() -> None:
    known = {part.number for part in catalogue.parts()}
    assert len(known) == 150
    assert known >= catalogue.SCARCE
    for job in (*JOBS, *JOBS_WAITING):
        assert known >= {number for number, _ in job.parts}


def test_the_dates_tell_one_story(shop: list[int]) -> None:
    year = NOW - datetime.timedelta(days=375)
    dated: tuple[tuple[Any, str], ...] = (
        (ServiceTicket, "created_at"),
        (StatusChange, "created_at"),
        (Assignment, "assigned_at"),
        (PartLine, "created_at"),
    )
    for model, field in dated:
        moments = model.objects.order_by("id").values_list(field, flat=True)
        assert list(moments) == sorted(moments), model
        assert year < moments[0]
        assert moments[len(moments) - 1] <= NOW
    opened = ServiceTicket.objects.aggregate(
        early=Count("id", filter=Q(created_at__lt=NOW - datetime.timedelta(days=330))),
        late=Count("id", filter=Q(created_at__gt=NOW - datetime.timedelta(days=30))),
    )
    assert opened["early"] > 15 and opened["late"] > 30
    for ticket in ServiceTicket.objects.prefetch_related("status_changes"):
        changes = list(ticket.status_changes.all())
        assert changes[0].from_status == ""
        assert abs(changes[0].created_at - ticket.created_at) < datetime.timedelta(seconds=1)
        for before, after in pairwise(changes):
            assert after.from_status == before.to_status
            assert after.to_status in TRANSITIONS[before.to_status]
            assert after.created_at >= before.created_at
        assert changes[-1].to_status == ticket.status
        completed = changes[-1].created_at if ticket.status == "completed" else None
        assert ticket.completed_at == completed


def test_the_audit_trail_is_whole_and_dated_alike(shop: list[int]) -> None:
    ticket = ServiceTicket.objects.filter(status="completed").latest("id")
    entries = LogEntry.objects.get_for_object(ticket).order_by("id")
    assert entries[0].action == LogEntry.Action.CREATE
    assert entries[0].timestamp == ticket.created_at
    last = entries[len(entries) - 1]
    assert last.changes["status"] == ["in_progress", "completed"]
    assert last.timestamp == ticket.completed_at
    assert last.changes["completed_at"][1] == str(ticket.completed_at.replace(tzinfo=None))
    assert last.additional_data["role"] == "mechanic"
    for model in (Customer, Vehicle, Mechanic, Part, ServiceTicket, Assignment, PartLine, User):
        created = LogEntry.objects.get_for_model(model).filter(action=LogEntry.Action.CREATE)
        assert created.count() >= model._default_manager.count()
    moved = LogEntry.objects.get_for_model(Part).filter(changes__has_key="quantity_in_stock")
    assert moved.count() >= StockMovement.objects.exclude(reason="opening").count()
    assert not LogEntry.objects.filter(timestamp__gt=NOW).exists()
    assert demo.DEMO_PASSWORD not in "".join(map(str, LogEntry.objects.values_list("changes")))


def test_it_is_never_put_into_a_shop_with_data(shop: list[int]) -> None:
    before = ServiceTicket.objects.count(), User.objects.count(), LogEntry.objects.count()
    with pytest.raises(CommandError, match="has data already"):
        call_command("demo", stdout=io.StringIO())
    after = ServiceTicket.objects.count(), User.objects.count(), LogEntry.objects.count()
    assert after == before


@pytest.mark.parametrize(
    "now",
    [
        NOW,
        datetime.datetime(2026, 3, 1, 0, 0, 5, tzinfo=datetime.UTC),  # a Sunday, just begun
        datetime.datetime(2028, 2, 29, 23, 59, 59, tzinfo=datetime.UTC),
    ],
)
def test_the_plan_is_the_same_for_the_same_moment(now: datetime.datetime) -> None:
    planned = story.plan(now=now)
    assert planned == story.plan(now=now)
    assert len(planned.visits) == 300
    assert len({vehicle.vin for vehicle in planned.vehicles}) == len(planned.vehicles)
    for visit in planned.visits:
        moments = [visit.opened, *(step.moment for step in visit.steps)]
        assert moments == sorted(moments)
        assert planned.began < moments[0]
        assert moments[-1] < now


def _production() -> bool:
    from django.conf import settings

    return bool(settings.PRODUCTION)
