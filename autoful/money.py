"""Money: Decimal, two places, half up. The currency is the shop's setting."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
LARGEST = Decimal("99999999.99")


def to_cents(amount: Decimal) -> Decimal:
    """`amount` rounded to the cent, half up: the one place where money is rounded."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
