"""Money, and columns that mean the same on every database."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from autoful.accounts.models import User
from autoful.money import LARGEST, to_cents
from inventory.models import Part
from inventory.tests.factories import PartFactory


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("0.005", "0.01"),
        ("0.004999", "0.00"),
        ("0.015", "0.02"),
        ("0.025", "0.03"),  # half to even would say 0.02
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
        ("1", "1.00"),
        ("99999999.99", "99999999.99"),
    ],
)
def test_money_is_rounded_half_up(amount: str, cents: str) -> None:
    assert str(to_cents(Decimal(amount))) == cents


@pytest.mark.django_db
def test_money_comes_back_as_it_went_in() -> None:
    part = PartFactory.create(price=LARGEST, cost=Decimal("0.01"))
    part.refresh_from_db()
    assert (part.price, part.cost) == (LARGEST, Decimal("0.01"))


@pytest.mark.django_db
def test_identifiers_are_the_same_only_to_the_letter() -> None:
    User.objects.create(email="jose@example.com")
    User.objects.create(email="josé@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="jose@example.com")
    assert User.objects.get(email="josé@example.com").email == "josé@example.com"


@pytest.mark.django_db
def test_names_are_sorted_whatever_the_case() -> None:
    for name in ("banana", "Apple", "cherry", "Banana", "apple"):
        PartFactory.create(part_name=name)
    names = [part.part_name for part in Part.objects.order_by("part_name", "id")]
    assert names == ["Apple", "apple", "banana", "Banana", "cherry"]


@pytest.mark.django_db
def test_search_is_whatever_the_case() -> None:
    PartFactory.create(part_name="Étrier de frein")
    assert Part.objects.named("éTRIER").count() == 1
    assert Part.objects.named("frein%").count() == 0
