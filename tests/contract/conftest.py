"""The running server and its people. The names are those of the other tests' personas."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autoful.testing.http import Caller
from autoful.testing.shops import Shop, shop
from tests.contract.world import PASSWORD, STAFF, Person, World


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("shop")
    with shop(folder) as made:
        made.ask(STAFF.format(password=PASSWORD))
        yield made
        # Whatever the tests did over HTTP: every part's stock is what its ledger says.
        made.manage("check_stock")


@pytest.fixture(scope="session")
def world(ours: Shop) -> Iterator[World]:
    """The server of most tests, without limits."""
    with ours.serve(AUTOFUL_RATE_LIMITS="off") as url:
        yield World(ours, url)


@pytest.fixture(scope="session")
def limited(ours: Shop) -> Iterator[str]:
    """A second server of the same shop, with the limits it has of itself; its URL."""
    with ours.serve() as url:
        yield url


@pytest.fixture(scope="session")
def private(ours: Shop) -> Iterator[str]:
    """A third, with the public routes and the signing up of mechanics closed."""
    closed = {"AUTOFUL_PUBLIC_READS": "off", "AUTOFUL_MECHANIC_SIGNUP": "closed"}
    with ours.serve(AUTOFUL_RATE_LIMITS="off", **closed) as url:
        yield url


@pytest.fixture(scope="session")
def approving(ours: Shop) -> Iterator[str]:
    """A fourth, where the back office approves mechanics."""
    with ours.serve(AUTOFUL_RATE_LIMITS="off", AUTOFUL_MECHANIC_SIGNUP="approval") as url:
        yield url


@pytest.fixture(scope="session")
def nobody(world: World) -> Caller:
    return world.anyone()


@pytest.fixture(scope="session")
def sarah(world: World) -> Person:
    """The customer whose things they are."""
    return world.registers("customers", "Sarah Johnson", "sarah@example.com")


@pytest.fixture(scope="session", autouse=True)
def _first_of_their_kind(sarah: Person, mike: Person) -> None:
    """Customer 1 and mechanic 1, whichever test comes first."""


@pytest.fixture(scope="session")
def tom(world: World, sarah: Person) -> Person:
    """The other customer."""
    return world.registers("customers", "Tom Baker", "tom@example.com")


@pytest.fixture(scope="session")
def mike(world: World) -> Person:
    """A mechanic."""
    return world.registers("mechanics", "Mike Chen", "mike@example.com")


@pytest.fixture(scope="session")
def lisa(world: World, mike: Person) -> Person:
    """The other mechanic."""
    return world.registers("mechanics", "Lisa Ray", "lisa@example.com")


@pytest.fixture(scope="session")
def boss(world: World) -> Caller:
    """The back office, with every permission."""
    return world.staff("boss@example.com")


@pytest.fixture(scope="session")
def clerk(world: World) -> Caller:
    """The back office, without any."""
    return world.staff("clerk@example.com")


@pytest.fixture(scope="session")
def keeper(world: World) -> Caller:
    """The back office, allowed to see and to enter parts and nothing else."""
    return world.staff("keeper@example.com")
