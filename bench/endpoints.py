"""What is measured: the requests to each endpoint, and how near the limit it is meant to come."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from autoful.accounts import tokens
from autoful.actor import Role
from bench.asking import Request
from bench.filling import customer_count
from mechanics.models import Mechanic

PREPARED = 4_000  # requests of an endpoint; they come round again
EARLY = 60  # pages from the first
PER_PAGE = range(5, 16)  # ten on average


@dataclass(frozen=True)
class Filled:
    """A shop as `filling` left it."""

    tickets: int

    @property
    def customers(self) -> int:
        return customer_count(self.tickets)

    def mechanic(self) -> str:
        """A token; good for an hour, so one for each endpoint."""
        mechanic = Mechanic.objects.select_related("user").order_by("id")[0]
        assert mechanic.user
        return str(tokens.issue(Role.MECHANIC, mechanic, mechanic.user))


@dataclass(frozen=True)
class Endpoint:
    """`target` is the share of the limit's rate; `drops` the list that must not be cached."""

    name: str
    title: str
    target: float
    requests: Callable[[Filled], list[Request]]
    drops: str = ""


def _early_pages(shop: Filled, token: str) -> list[Request]:
    pages = [
        (page, per_page)
        for per_page in PER_PAGE
        for page in range(1, min(EARLY, shop.tickets // per_page) + 1)
    ]
    random.Random(1).shuffle(pages)
    return [Request(f"/service_tickets/?page={p}&per_page={n}", token=token) for p, n in pages]


def public_list(shop: Filled) -> list[Request]:
    return _early_pages(shop, "")


def shop_list(shop: Filled) -> list[Request]:
    return _early_pages(shop, shop.mechanic())


def detail(shop: Filled) -> list[Request]:
    token, chance = shop.mechanic(), random.Random(2)
    return [
        Request(f"/service_tickets/{chance.randint(1, shop.tickets)}", token=token)
        for _ in range(PREPARED)
    ]


ENDPOINTS = (
    Endpoint("tickets", "ticket list, not cached", 0.45, public_list, drops="service_tickets"),
    Endpoint("tickets-shop", "the same as a mechanic", 0.45, shop_list, drops="service_tickets"),
    Endpoint("ticket", "ticket as a mechanic", 0.45, detail),
)
