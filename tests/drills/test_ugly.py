"""All combinations of `tests/test_ugly_*.py`, of which `make test` tries one in five."""

import pytest

from tests import ugly
from tests.drills import scaled
from tests.test_admin_addresses import (  # noqa: F401
    desk,
    test_no_query_breaks_a_form,
    test_no_query_breaks_a_list,
)
from tests.test_ugly_bodies import (  # noqa: F401
    routes,
    test_every_field_takes_or_refuses_as_the_table_says,
)
from tests.test_ugly_queries import (  # noqa: F401
    _no_limits,
    test_every_filter_with_every_value,
    test_no_form_of_the_back_office_breaks,
    test_no_header_breaks_anything,
    test_no_list_of_the_back_office_breaks,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ugly, "EVERY", scaled(full=1, small=7))
