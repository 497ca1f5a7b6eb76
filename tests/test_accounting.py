"""Every change is accounted for: some hundreds of random operations; `make drills` does 10,000."""

from typing import Any

import pytest

from tests.accounting.machine import days

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.schema_settings.QuickHasher"]
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "approval"


def test_random_days_balance() -> None:
    assert days(300)["done"]
