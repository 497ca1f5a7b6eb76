"""Lists from a replica that follows for real, late, not at all, and then is gone."""

import os
import time
from collections.abc import Iterator

import pytest

from autoful.api.replica import BEHIND, LOOK
from autoful.testing.clusters import Replica, replicated
from autoful.testing.processes import Server, seconds_until
from autoful.testing.shops import shop
from tests.contract.world import Person, World
from tests.drills import scaled

pytestmark = pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="a replica is MySQL's")

LATE = 3  # seconds the replica is made to lag; less than LOOK


class Followed:
    """A shop whose lists may come from a replica, and who works in it."""

    def __init__(self, world: World, primary: Server, replica: Replica) -> None:
        self.world, self.primary, self.replica = world, primary, replica
        self.mike: Person = world.mechanic("Mike Chen")
        self.reader: Person = world.mechanic("Lisa Ray")
        self.part = world.part(self.mike, quantity_in_stock=5)["id"]

    def reprice(self, price: float) -> None:
        changed = self.mike.put(f"/inventory/{self.part}", {"price": price})
        assert changed.status == 200, changed.text

    def listed(self, who: Person, **more: str) -> float:
        """The price that a list shows; a search is not cached."""
        answer = who.get("/inventory/search?part_name=brake", **more)
        return float(answer.body["parts"][0]["price"])

    def cached(self, who: Person) -> float:
        return float(who.get("/inventory/").body["inventory"][0]["price"])

    def reads(self) -> int:
        """How many of eight lists that nobody has in a cache are read from the replica."""
        before = self.replica.reads()
        for _ in range(8):  # each server process finds out for itself
            self.listed(self.reader)
        return (self.replica.reads() - before) // 2  # a page counts its rows, too

    def is_asked(self) -> bool:
        return self.reads() >= 8

    def is_left_alone(self) -> bool:
        return self.reads() <= 1  # each process looks now and then


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    with replicated() as (primary, replica):
        patch = pytest.MonkeyPatch()
        patch.setenv("DATABASE_URL", primary.url)
        with patch.context(), shop(tmp_path_factory.mktemp("shop")) as ours:
            ours.environment["DATABASE_REPLICA_URL"] = ours.environment["DATABASE_URL"].replace(
                primary.url.rpartition("/")[0], replica.server.url.rpartition("/")[0]
            )
            with ours.serve(AUTOFUL_RATE_LIMITS="off") as url:
                found = Followed(World(ours, url), primary, replica)
                seconds_until(found.is_asked, within=3 * BEHIND)
                yield found
        patch.undo()


def test_who_just_wrote_sees_it_and_the_others_see_it_when_the_replica_does(
    followed: Followed,
) -> None:
    followed.replica.be_late(LATE)
    # Who has not been asked for a while is looked at twice before it is believed.
    seconds_until(followed.is_asked, within=3 * BEHIND)
    assert followed.listed(followed.reader) != 70.01
    followed.cached(followed.reader)
    began = time.monotonic()
    followed.reprice(70.01)
    assert followed.listed(followed.mike) == followed.cached(followed.mike) == 70.01
    # The control: somebody who did not write is shown what the replica has, which is late.
    old = followed.listed(followed.reader) != 70.01
    assert old or time.monotonic() - began > LATE, "the reader did not read from the replica"
    followed.cached(followed.reader)  # and what it shows now must not stay for a minute
    time.sleep(LATE + 1)
    assert followed.listed(followed.reader) == 70.01
    assert followed.cached(followed.reader) == 70.01
    followed.replica.be_late(0)


@pytest.mark.skipif(scaled(full=False, small=True), reason="half a minute of waiting; full size")
def test_one_that_no_longer_follows_is_not_asked(followed: Followed) -> None:
    followed.replica.fall_behind()
    followed.reprice(71.02)
    seconds_until(followed.is_left_alone, within=3 * BEHIND)
    assert followed.listed(followed.reader) == 71.02
    followed.replica.catch_up()
    seconds_until(followed.is_asked, within=3 * BEHIND)


def test_one_that_is_gone_is_not_missed(followed: Followed) -> None:
    followed.replica.server.program.kill()
    began = time.monotonic()
    followed.reprice(72.03)
    while time.monotonic() < began + 2 * LOOK:
        assert followed.reader.get("/inventory/").status == 200
        assert followed.listed(followed.reader) > 0
        time.sleep(0.2)
    assert followed.listed(followed.reader) == 72.03
    followed.replica.server.start_again()
    seconds_until(followed.is_asked, within=3 * BEHIND)
