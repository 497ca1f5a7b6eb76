"""What a measurement stands on: the shop it fills, and how it compares two sides."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Max, Min, Sum

from bench import options
from bench.asking import Answer, Request
from bench.comparing import Comparison, Figures, Side
from bench.endpoints import ENDPOINTS, Endpoint
from bench.equality import Unequal, demand_same, pairs
from bench.filling import PASSWORD, fill
from bench.requests import hot_page
from bench.statements import of_tables
from bench.world import deliver_plenty, parts_whose_lines_differ
from customers.models import Customer, Vehicle
from customers.vehicles import check_digit_warning
from inventory.models import Part, StockMovement
from mechanics.models import Mechanic
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange

on_mysql = pytest.mark.skipif(
    connection.vendor != "mysql", reason="shops are filled on MariaDB and MySQL"
)
TICKETS, PARTS = 2_000, 700


@pytest.fixture
def filled(transactional_db: None) -> None:
    fill(connection, tickets=TICKETS, parts=PARTS)


@on_mysql
def test_a_filled_shop_is_one_the_application_could_have_written(filled: None) -> None:
    counts = {
        model: model.objects.count()
        for model in (Customer, Vehicle, Mechanic, Part, ServiceTicket, Assignment, PartLine)
    }
    assert counts == {
        Customer: TICKETS // 10,
        Vehicle: TICKETS // 10,
        Mechanic: 50,
        Part: PARTS,
        ServiceTicket: TICKETS,
        Assignment: 2 * TICKETS,
        PartLine: 3 * TICKETS,
    }

    # The ledger: every balance is the sum of what came before it, and the last one is the stock.
    balances: dict[int, int] = {}
    rows = StockMovement.objects.order_by("id").values_list("part", "change", "balance")
    for part, change, balance in rows:
        balances[part] = balances.get(part, 0) + change
        assert balances[part] == balance
    assert balances == dict(Part.objects.values_list("id", "quantity_in_stock"))
    call_command("check_stock")
    assert parts_whose_lines_differ() == []

    # The diary: every ticket's moves lead from nothing to its status, in the order of time.
    moves: dict[int, list[StatusChange]] = {}
    for move in StatusChange.objects.order_by("id"):
        moves.setdefault(move.ticket_id, []).append(move)
    for ticket in ServiceTicket.objects.all():
        froms = ["", *(move.to_status for move in moves[ticket.pk])]
        assert froms[:-1] == [move.from_status for move in moves[ticket.pk]]
        assert froms[-1] == ticket.status
        when = [move.created_at for move in moves[ticket.pk]]
        assert when == sorted(when)
        assert (ticket.completed_at is not None) == (ticket.status == "completed")
        assert ticket.updated_at == when[-1] or ticket.status == "in_progress"

    statuses = dict(ServiceTicket.objects.values_list("status").annotate(Count("id")))
    assert statuses["completed"] > 0.9 * TICKETS
    assert {"pending", "in_progress", "on_hold"} < set(statuses)
    ages = ServiceTicket.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    assert 9 * 365 < (ages["last"] - ages["first"]).days < 10 * 365
    assert Customer.objects.values("name").distinct().count() > 100
    assert not any(check_digit_warning(vehicle.vin) for vehicle in Vehicle.objects.all())
    for row in [
        *Part.objects.all()[:20],
        *Vehicle.objects.all()[:20],
        *Customer.objects.all()[:20],
    ]:
        row.full_clean()
    customer = Customer.objects.select_related("user").latest("id")
    assert customer.user is not None
    assert customer.email == customer.user.email
    assert customer.user.check_password(PASSWORD)


@on_mysql
def test_a_shop_with_somebody_in_it_is_not_filled(filled: None) -> None:
    with pytest.raises(ValueError, match="no customer"):
        fill(connection, tickets=1_000)
    assert ServiceTicket.objects.count() == TICKETS


@on_mysql
def test_a_delivery_is_in_the_ledger(filled: None) -> None:
    before = StockMovement.objects.aggregate(Sum("change"))["change__sum"]
    deliver_plenty()
    after = StockMovement.objects.aggregate(Sum("change"))["change__sum"]
    assert after - before == Part.objects.count() * 1_000_000 - before
    call_command("check_stock")


def answer(body: bytes, status: int = 200, content_type: str = "application/json") -> Answer:
    return Answer(status, content_type, body)


READ = Endpoint("read", "a read", hot_page)
WRITE = Endpoint("write", "a write", hot_page, writes=True)
ASKED = Request("/")


@pytest.mark.parametrize(
    "limit",
    [
        answer(b'{"id":2}'),
        answer(b'{"id": 1}'),
        answer(b'{"id":1}', status=201),
        answer(b'{"id":1}', content_type="text/html"),
    ],
)
def test_a_read_is_the_same_to_the_byte(limit: Answer) -> None:
    demand_same(READ, answer(b'{"id":1}'), answer(b'{"id":1}'), ASKED)
    with pytest.raises(Unequal, match=r"a read: GET /\n"):
        demand_same(READ, answer(b'{"id":1}'), limit, ASKED)


def test_the_same_refusal_from_both_is_no_measurement() -> None:
    refused = answer(b'{"code":"throttled"}', status=429)
    with pytest.raises(Unequal, match="429"):
        demand_same(READ, refused, refused, ASKED)


def test_writes_differ_in_numbers_moments_and_tokens_only() -> None:
    ours = answer(b'{"id":7,"name":"Ann","created_at":"2026-01-02T03:04:05Z","token":"a.b.c"}')
    same = answer(b'{"id":8,"name":"Ann","created_at":"2026-02-02T03:04:05Z","token":"d.e.f"}')
    demand_same(WRITE, ours, same, ASKED)
    other = answer(ours.body.replace(b"Ann", b"Bob"))
    with pytest.raises(Unequal, match="Bob"):
        demand_same(WRITE, ours, other, ASKED)
    gone = answer(ours.body.replace(b'"2026-01-02T03:04:05Z"', b"null"))
    with pytest.raises(Unequal):
        demand_same(WRITE, ours, gone, ASKED)


def test_stock_is_compared_on_two_tickets_for_the_same_part() -> None:
    endpoint = Endpoint("add", "add", hot_page, writes=True, moves_stock=True)
    asked = [
        Request(f"/{ticket}", "POST", body={"part": part})
        for ticket, part in [(1, 1), (2, 2), (3, 1), (4, 3), (5, 2), (6, 1)]
    ]
    found = [(one.path, other.path) for one, other in pairs(endpoint, asked)]
    assert found == [("/1", "/3"), ("/2", "/5")]


def test_statements_are_counted_by_verb_and_table() -> None:
    statements = [
        "SELECT 1",
        "SET autocommit=0",
        "SELECT table_comment FROM information_schema.tables WHERE table_schema = DATABASE()",
        "SELECT `a`.`id` FROM `tickets_serviceticket` WHERE `a`.`id` = 1",
        "select n from tickets_serviceticket t",
        "UPDATE `inventory_part` SET `x` = 1",
        "INSERT INTO `auditlog_logentry` (`a`) VALUES ('UPDATE nothing')",
        "SELECT n FROM (SELECT id FROM tickets_assignment) chosen",
        "COMMIT",
    ]
    assert of_tables(statements) == {
        "SELECT tickets_serviceticket": 2,
        "UPDATE inventory_part": 1,
        "INSERT auditlog_logentry": 1,
        "SELECT tickets_assignment": 1,
    }


def test_a_target_is_met_by_the_medians() -> None:
    def side(rate: float) -> Side:
        figures = Figures.of([rate / 2, rate, rate * 2])
        return Side(figures, figures, figures, 1)

    endpoint = Endpoint("e", "e", hot_page, target=0.5)
    assert Comparison(endpoint, 1, side(50), side(100)).is_met is True
    assert Comparison(endpoint, 1, side(49), side(100)).is_met is False
    assert Comparison(READ, 1, side(49), side(100)).is_met is None


def test_a_narrowed_run_leaves_the_report_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [endpoint.name for endpoint in ENDPOINTS]
    for name in ("SIZES", "ENDPOINTS", "SECONDS", "RUNS", "REQUESTS", "REPORT"):
        monkeypatch.delenv(f"BENCH_{name}", raising=False)
    assert options.read(known).report == Path("docs/performance.md")
    monkeypatch.setenv("BENCH_SIZES", "1000, 5000")
    assert options.read(known).report is None
    assert options.read(known).sizes == (1000, 5000)
    monkeypatch.setenv("BENCH_REPORT", "elsewhere.md")
    assert options.read(known).report == Path("elsewhere.md")
    for name, wrong in (("ENDPOINTS", "nothing"), ("SECONDS", "0"), ("SIZES", "many")):
        monkeypatch.setenv(f"BENCH_{name}", wrong)
        with pytest.raises(options.WrongOption, match=f"BENCH_{name}"):
            options.read(known)
        monkeypatch.delenv(f"BENCH_{name}")
