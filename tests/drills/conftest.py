"""The shop of the drills, and its server: four processes in production, one on the embedded set-up."""

from collections.abc import Iterator

import pytest

from autoful.testing.processes import Server
from autoful.testing.shops import Shop, shop
from tests.drills.book import METRICS_TOKEN
from tests.drills.load import backdoor, processes


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="session")
def tokens(ours: Shop) -> list[str]:
    """Of eight mechanics; the owner of the back office is there too."""
    return list(backdoor(ours, "hire(8)"))


@pytest.fixture(scope="session")
def server(ours: Shop, tokens: list[str]) -> Iterator[Server]:
    environment = {"AUTOFUL_RATE_LIMITS": "off", "AUTOFUL_METRICS_TOKEN": METRICS_TOKEN}
    with ours.server(environment, workers=processes(ours)) as running:
        yield running
