"""What whoever wrote a part should look at once more, and what is no error."""

from decimal import Decimal


def about_price(price: Decimal | None, cost: Decimal | None) -> list[str]:
    """Of a price that loses money; told to those who may see costs."""
    if price is not None and cost is not None and price < cost:
        return ["It costs more than the customer pays."]
    return []


def about_number(other: str) -> str:
    """Of a part number that is another one's but for capitals."""
    return f"There is a part {other} already: capitals make another number."
