"""What counts as an empty shop, and that a filling is whole or not at all."""

import pytest
from auditlog.models import LogEntry

from autoful.accounts.models import User
from customers.models import Customer
from embedded import demo
from inventory.models import Part

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("one", ["user", "part", "customer"])
def test_one_row_makes_it_a_shop_with_data(one: str) -> None:
    assert demo.is_empty()
    if one == "user":
        User.objects.create(email="someone@example.com")
    elif one == "part":
        Part.objects.create(part_name="Oil filter", price="9.90")
    else:
        Customer.objects.create(name="Somebody Atall")
    assert not demo.is_empty()
    with pytest.raises(demo.ShopNotEmpty):
        demo.fill(progress=lambda *_: None)


def test_a_filling_that_is_interrupted_leaves_nothing() -> None:
    def interrupt(done: int, total: int, what: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.fill(progress=interrupt)
    assert demo.is_empty()
    assert not LogEntry.objects.exists()
