"""What an operator sees of a running shop: its figures and its log, and nobody's private data."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from autoful.testing.http import Caller
from autoful.testing.processes import Server
from autoful.testing.shops import Shop, shop

TOKEN = "for-tests-only-0123456789"
PASSWORD = "correct horse battery"
PRIVATE = "zzprivatezz"  # in whatever a client sends, so that it can be searched for

PEOPLE = f"""
from autoful.accounts.models import User
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from inventory.tests.factories import PartFactory
mike = User.objects.create_user("mike-{PRIVATE}@example.com", {PASSWORD!r})
MechanicFactory.create(user=mike, name="Mike", approved=True)
User.objects.create_superuser("boss-{PRIVATE}@example.com", {PASSWORD!r})
answer = PartFactory.create(part_name="Pad", quantity_in_stock=50).pk
"""
ENTRIES = """
from auditlog.models import LogEntry
answer = [
    [e.cid, e.remote_addr, e.actor.email if e.actor else None, e.additional_data]
    for e in LogEntry.objects.order_by("id")
]
"""


@dataclass
class Watched:
    """A running server, its people, its figures and its log."""

    ours: Shop
    server: Server
    part: int

    @property
    def url(self) -> str:
        return self.server.url

    def scrape(self, token: str | None = TOKEN, **more: Any) -> requests.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return requests.get(
            f"{self.url}/metrics", headers=headers | more, timeout=30, allow_redirects=False
        )

    def figures(self) -> dict[tuple[Any, ...], float]:
        """By name and labels in their order."""
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.scrape().text)
            for sample in family.samples
        }

    def signed_in(self) -> Caller:
        caller = Caller(self.url)
        body = {"email": f"mike-{PRIVATE}@example.com", "password": PASSWORD}
        return Caller(self.url, token=caller.post("/mechanics/login", body).body["token"])

    def log(self) -> str:
        return self.server.program.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("watched")) as made:
        yield made


@pytest.fixture(scope="module")
def part(ours: Shop) -> int:
    return int(ours.ask(PEOPLE))


@pytest.fixture(scope="module")
def watched(ours: Shop, part: int) -> Iterator[Watched]:
    limits = "default=1000/hour,mechanics.top=2/hour,customers.login=1000/hour"
    environment = {"AUTOFUL_METRICS_TOKEN": TOKEN, "AUTOFUL_RATE_LIMITS": limits}
    with ours.server(environment) as server:
        yield Watched(ours, server, part)


@pytest.fixture(scope="module")
def faulty(ours: Shop, part: int) -> Iterator[Watched]:
    """A server with bugs and without figures."""
    environment = {"AUTOFUL_RATE_LIMITS": "off"}
    with ours.server(environment, application="tests.faulty_wsgi:application") as server:
        yield Watched(ours, server, part)


# --- Figures --------------------------------------------------------------------------------------


def test_the_figures_move_by_what_was_done(watched: Watched) -> None:
    nobody, mike = Caller(watched.url), watched.signed_in()
    nobody.get("/inventory")
    before = watched.figures()
    for _ in range(20):
        assert nobody.get("/inventory").status == 200
    for quantity in (49, 48, 47):
        assert mike.put(f"/inventory/{watched.part}", {"quantity_in_stock": quantity}).status == 200
    assert nobody.get("/inventory/999999").status == 404
    assert mike.get("/inventory").status == 200
    wrong = {"email": f"{PRIVATE}@example.com", "password": PRIVATE}
    for _ in range(4):
        assert nobody.post("/customers/login", wrong).status == 401
    calls = [nobody.get("/mechanics/top").status for _ in range(5)]
    assert calls == [200, 200, 429, 429, 429]

    after = watched.figures()
    moved = {key: after[key] - before.get(key, 0) for key in after}
    (listed,) = {key[2] for key in after if key[0] == "autoful_requests_total"} & {
        "inventory/?$",
        "^inventory/?$",
    }
    routes = {key[2] for key in after if key[0] == "autoful_requests_total"}
    (one,) = {r for r in routes if r.startswith(listed[: listed.index("/")]) and "pk" in r}
    assert moved["autoful_requests_total", "GET", listed, "200"] == 21
    assert moved["autoful_requests_total", "PUT", one, "200"] == 3
    assert moved["autoful_requests_total", "GET", one, "404"] == 1
    assert moved["autoful_request_seconds_count", "GET", listed] == 21
    assert moved["autoful_request_seconds_bucket", "+Inf", "GET", listed] == 21
    assert 0 < moved["autoful_request_seconds_sum", "GET", listed] < 21 * 30
    # One process had the first page before, and another makes its own; a change drops it, so nobody
    # looks, and Mike sees another.
    looked = {r: moved["autoful_list_cache_total", "inventory", r] for r in ("hit", "miss")}
    assert sum(looked.values()) == 21
    assert 1 <= looked["miss"] <= (2 if watched.ours.in_production else 1)
    assert moved["autoful_events_total", "sign-in refused", "customer"] == 4
    assert moved["autoful_limited_total", "mechanics.top"] == 3
    assert after["autoful_requests_in_flight",] == 1  # the one that asks
    assert after["autoful_redis_away",] == 0
    assert after["autoful_database_unavailable_total",] == 0


def test_every_process_is_in_the_figures(watched: Watched) -> None:
    files = list((watched.ours.folder / "metrics").glob("*/counter_*.db"))
    assert len(files) == (2 if watched.ours.in_production else 0)


def test_a_command_leaves_no_figures(watched: Watched) -> None:
    before = sorted((watched.ours.folder).glob("metrics/*/*"))
    watched.ours.manage("check_stock", AUTOFUL_METRICS_TOKEN=TOKEN)
    assert sorted((watched.ours.folder).glob("metrics/*/*")) == before


def test_what_a_client_makes_up_is_no_label(watched: Watched) -> None:
    watched.figures()
    Caller(watched.url).get("/no-such-page")
    requests.request("MADEUP", f"{watched.url}/inventory", timeout=30)
    before = set(watched.figures())
    for number in range(20):
        requests.request(f"M{number}{PRIVATE}", f"{watched.url}/inventory", timeout=30)
        requests.get(f"{watched.url}/{PRIVATE}-{number}?{PRIVATE}={number}", timeout=30)
        requests.get(
            f"{watched.url}/no-such-page",
            headers={"Host": f"{PRIVATE}{number}", "X-Request-ID": f"{PRIVATE}-{number}"},
            timeout=30,
        )
    after = watched.figures()
    known = {key[2] for key in before if key[0] == "autoful_requests_total"}
    new = set(after) - before
    assert {key[2] for key in new if key[0] == "autoful_requests_total"} <= known
    assert not any(PRIVATE in str(key) for key in after)
    assert after["autoful_requests_total", "GET", "none", "404"] >= 20
    assert any(key[:2] == ("autoful_requests_total", "other") for key in after)


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "ü" * 24])
def test_nobody_without_the_token(watched: Watched, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    answer = requests.get(f"{watched.url}/metrics", headers=headers, timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "not_authenticated"
    assert "autoful_" not in answer.text


def test_it_asks_for_no_name_and_no_https(ours: Shop, watched: Watched) -> None:
    answer = watched.scrape(Host="10.1.2.3")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["X-Request-ID"]


def test_without_a_token_there_is_no_such_page(faulty: Watched) -> None:
    assert faulty.scrape().status_code == 404
    assert faulty.scrape(None).status_code == 404


# --- The log --------------------------------------------------------------------------------------


def test_request_caller_and_audit_entries_are_joined_by_the_id(watched: Watched) -> None:
    mike = watched.signed_in()
    body = {"name": "Ann", "email": "ann@example.com", "phone": "+1 555", "password": PASSWORD}
    done = Caller(watched.url).post("/customers/", body, headers={"X-Request-ID": "the-same-id"})
    assert done.status == 201
    again = mike.get("/inventory", headers={"X-Request-ID": "the-same-id"})
    moved = mike.put(
        f"/inventory/{watched.part}", {"location": "A1"}, headers={"X-Request-ID": "the-same-id"}
    )
    assert moved.status == 200
    ids = [answer.headers["X-Request-ID"] for answer in (done, again, moved)]
    assert len(set(ids)) == 3 and all(name.startswith("the-same-id.") for name in ids)

    every = watched.ours.ask(ENTRIES)
    entries = [entry for entry in every if entry[0] == ids[0]]
    assert entries and all(address == "127.0.0.1" for _, address, _, _ in entries)
    assert not [entry for entry in every if entry[0] in ("the-same-id", ids[1])]
    number = watched.ours.ask("answer = Mechanic.objects.get(name='Mike').pk")
    [(_, *who)] = [entry for entry in every if entry[0] == ids[2]]
    acted = {"role": "mechanic", "profile_id": number}
    assert who == ["127.0.0.1", f"mike-{PRIVATE}@example.com", acted]
    if not watched.ours.in_production:
        return  # the log is for a person there, and says warnings only
    lines = [json.loads(line) for line in watched.log().splitlines() if line.startswith("{")]
    access = {line["request_id"]: line for line in lines if line["logger"] == "autoful.access"}
    assert access[ids[0]]["address"] == "127.0.0.1"
    assert access[ids[1]]["caller"] == access[ids[2]]["caller"] == f"mechanic:{number}"
    # And back: every entry a request left is found in the log.
    assert {cid for cid, _, _, _ in entries if cid} <= set(access)


def test_no_line_repeats_what_a_client_sent(faulty: Watched) -> None:
    began = len(faulty.log())
    mike, mark = faulty.signed_in(), PRIVATE
    anyone = requests.Session()
    # A server may close a connection after a request that it refuses, just as the next one is sent.
    anyone.headers["Connection"] = "close"
    body = {"part_name": mark, "price": 1, "quantity_in_stock": 1}
    for path in (f"/inventory?q={mark}", f"/api/v1/inventory/?{mark}"):
        broken = anyone.post(faulty.url + path, json=body, headers=mike.headers, timeout=30)
        assert broken.status_code == 500
        assert mark not in broken.text
    broken = anyone.put(
        f"{faulty.url}/inventory/{faulty.part}", json=body, headers=mike.headers, timeout=30
    )
    assert broken.status_code == 200  # what failed came after the commit
    anyone.get(f"{faulty.url}/{mark}/{mark}?{mark}", timeout=30)
    anyone.get(f"{faulty.url}/inventory", headers={"Host": mark}, timeout=30)
    anyone.get(f"{faulty.url}/inventory", headers={"Authorization": f"Bearer {mark}"}, timeout=30)
    anyone.post(f"{faulty.url}/inventory", data=f'{{"{mark}', headers=mike.headers, timeout=30)
    anyone.post(
        f"{faulty.url}/customers/login",
        json={"email": f"{mark}@example.com", "password": mark},
        timeout=30,
    )
    boss = Caller(faulty.url)
    boss.sign_in_to_admin(f"boss-{mark}@example.com", PASSWORD)
    page = boss.session.get(f"{faulty.url}/admin/inventory/part/{mark}/change/?{mark}", timeout=30)
    assert page.status_code == 500

    said = faulty.log()[began:]
    assert PRIVATE not in said
    assert PASSWORD not in said
    assert "IntegrityError 1062" in said  # what an engineer needs is there
    assert "in enter_part" in said
    assert "which came of" in said
    if faulty.ours.in_production:
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        (failed,) = {
            line["request_id"]
            for line in lines
            if line["logger"] == "django.request" and "in get_object" in line["exception"]
        }
        (access,) = [line for line in lines if line.get("route") and line["request_id"] == failed]
        assert access["status"] == 500
        assert access["caller"].startswith("back_office:")
