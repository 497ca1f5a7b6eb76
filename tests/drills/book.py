"""What clients were told, and whether it was true.

Every request carries an id of its own, and the audit entries of what it did carry that id too. So
the book can ask for each answer: who was told "done" has exactly what was said, who was refused or
told to come again has nothing, who got no answer has all of it or nothing.
"""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from autoful.testing.processes import Server, seconds_until
from autoful.testing.shops import Shop

Effect = tuple[str, int | None, int | None, int | None]
"""What happened to one row: "part" or "line", its number, by how much, what it is then. None is
unknown."""

PATIENCE = 60.0  # seconds for an answer
DONE, REFUSED, BUSY, FAILED, LOST = "done", "refused", "busy", "failed", "no answer"


@dataclass(frozen=True)
class Told:
    """What a client asked, how it ended, and what the answer said it did.

    `did` None says nothing; of an effect whose change is unknown there may have been none.
    """

    request_id: str
    asked: str
    outcome: str
    did: tuple[Effect, ...] | None
    response: requests.Response | None = None
    cut_off: bool = False  # somebody took it, and went away without an answer

    @property
    def body(self) -> Any:
        assert self.response is not None
        return self.response.json()

    def contradicts(self, found: list[Effect]) -> bool:
        """Whether what its audit entries say is not what the client was told."""
        if not found and self.outcome == REFUSED:
            return self.response is not None and _is_untrue(self.response)
        if not found and self.outcome != DONE:
            return False
        if self.outcome not in (DONE, LOST):
            return True
        return self.did is not None and not _agree(self.did, found)

    def __str__(self) -> str:
        status = self.response.status_code if self.response is not None else "-"
        return f"{self.request_id}: {self.asked}: {self.outcome} ({status})"


def _is_untrue(refusal: requests.Response) -> bool:
    """Two asked for and two available."""
    if refusal.headers.get("Content-Type") != "application/json":
        return False
    said = refusal.json()
    return said["code"] == "insufficient_stock" and said["requested"] <= said["available"]


def _agree(told: tuple[Effect, ...], found: list[Effect]) -> bool:
    certain = [effect for effect in told if effect[2] is not None]
    if len(found) != len(told):
        told = tuple(certain)
    return len(found) == len(told) and all(
        said is None or said == was
        for effect, entry in zip(told, found, strict=True)
        for said, was in zip(effect, entry, strict=True)
    )


class Book:
    """What all clients of a shop were told."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.prefix = uuid.uuid4().hex[:12]
        self.told: list[Told] = []
        self.left_waiting: list[str] = []  # who had no answer in PATIENCE seconds
        self._lock = threading.Lock()

    def next_id(self) -> str:
        return f"{self.prefix}-{uuid.uuid4().hex[:12]}"

    def write(self, told: Told) -> Told:
        with self._lock:
            self.told.append(told)
        return told

    def ended(self, outcome: str) -> list[Told]:
        return [told for told in self.told if told.outcome == outcome]

    def await_done(self, more: int) -> float:
        """Wait until so many more are acknowledged; the seconds it took."""
        goal = len(self.ended(DONE)) + more
        return seconds_until(lambda: len(self.ended(DONE)) >= goal, within=PATIENCE)

    def await_refused(self, more: int) -> float:
        """The same, answered with 503."""
        goal = self._refused() + more
        return seconds_until(lambda: self._refused() >= goal, within=PATIENCE)

    def _refused(self) -> int:
        return sum(response.status_code == 503 for response in self._answers())

    def slowest(self) -> float:
        """The seconds that the longest answer took."""
        return max(response.elapsed.total_seconds() for response in self._answers())

    def _answers(self) -> list[requests.Response]:
        return [told.response for told in self.told if told.response is not None]

    def effects(self) -> dict[str, list[Effect]]:
        """By request, what its audit entries say it did to parts and lines, in order."""
        found: dict[str, list[Effect]] = self.shop.ask(
            f"from tests.soundness import effects; answer = effects({self.prefix!r})"
        )
        return found

    def change(self, part: int, among: Callable[[Told], bool] = lambda told: True) -> int:
        """By how much the requests that were told "done" changed the part's stock."""
        effects = self.effects()
        return sum(
            change or 0
            for told in self.ended(DONE)
            if among(told)
            for kind, number, change, _ in effects.get(told.request_id, [])
            if (kind, number) == ("part", part)
        )

    def untrue(self) -> list[str]:
        """Where what a client was told and what was done differ."""
        effects = self.effects()
        return [
            f"{told}: told {told.did}, found {effects.get(told.request_id)}"
            for told in self.told
            if told.contradicts([tuple(effect) for effect in effects.get(told.request_id, [])])
        ]

    def contradictions(self) -> list[str]:
        """What is untrue, who was failed or left waiting, and what is wrong in the shop."""
        failed = [str(told) for told in self.ended(FAILED)]
        faults = self.shop.ask("from tests.soundness import faults; answer = faults()")
        return [*self.untrue(), *failed, *self.left_waiting, *faults]


def outcome_of(response: requests.Response | None) -> str:
    if response is None or "X-Request-ID" not in response.headers:  # a proxy's words for no answer
        return LOST
    if response.status_code == 503 and _says_when(response):
        # A commit whose answer was lost may have been done; every lost race is undone.
        return LOST if b'"unavailable"' in response.content else BUSY
    if response.status_code >= 500:
        return FAILED
    return DONE if response.status_code < 400 else REFUSED


def _says_when(refusal: requests.Response) -> bool:
    """A 503 says when to come again, and why: in JSON, or on a page of the back office."""
    is_page = refusal.headers["Content-Type"].startswith("text/html")
    return bool(refusal.headers.get("Retry-After")) and (is_page or "code" in refusal.json())


METRICS_TOKEN = "for-drills-only-0123456789"


def races_lost(server: Server) -> int:
    """How many races were lost on this server since it started, as its figures say."""
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    page = requests.get(f"{server.url}/metrics", headers=bearer, timeout=PATIENCE)
    assert page.status_code == 200, page.text
    families = {family.name: family for family in text_string_to_metric_families(page.text)}
    return int(sum(sample.value for sample in families["autoful_lost_races"].samples))


def lost_races(server: Server) -> Counter[str]:
    """How often each request lost a race, as the server logged it; it does so in production."""
    lost: Counter[str] = Counter()
    for line in server.program.log.read_text(encoding="utf-8").splitlines():
        if line.startswith("{") and (entry := json.loads(line))["message"] == "lost a race":
            lost[entry["request_id"].rpartition(".")[0]] += 1  # the id that the client brought
    return lost
