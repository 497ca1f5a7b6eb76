"""10,000 random operations, and every change of them is in the audit trail once.

`tests/accounting` has the shop in memory and what is compared after each operation;
`tests/test_accounting.py` has the controls, which show that each comparison can fail.
"""

from typing import Any

import pytest

from tests.accounting.machine import days
from tests.accounting.shop import HAPPENINGS
from tests.drills import scaled

pytestmark = pytest.mark.django_db(transaction=True)


def test_ten_thousand_operations_are_accounted_for(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.schema_settings.QuickHasher"]
    settings.RATE_LIMITS = None
    settings.AUTOFUL_MECHANIC_SIGNUP = "approval"
    operations = scaled(full=10_000, small=60)
    ended = days(operations)
    # Enough of everything: what was done, what was refused, what broke in the middle.
    assert ended["done"] >= operations // 3, ended
    assert ended["refused"] >= operations // 20, ended
    assert ended["broke"] >= operations // 100, ended
    if operations >= 10_000:
        assert not [name for name in HAPPENINGS if not ended[name]], ended
