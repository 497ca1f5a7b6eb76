"""What is measured: the requests to each endpoint, and how near the limit it is meant to come."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import requests
from bench.asking import Request
from bench.world import Filled


@dataclass(frozen=True)
class Endpoint:
    """`target` is the share of the limit's rate, where there is one.

    `drops` is the list that must not be cached while it is measured. `writes` means that an answer
    depends on what came before: see `equality`. `moves_stock` that the ledger must agree afterwards.
    """

    name: str
    title: str
    requests: Callable[[Filled], list[Request]]
    target: float | None = None
    drops: str = ""
    writes: bool = False
    moves_stock: bool = False
    walks: bool = False  # MariaDB counts off what comes before, so it may grow as the limit does
    at_least: int = 1  # seconds of a run, for what is answered a few times a second


_tickets = Endpoint(
    "tickets",
    "ticket list, not cached",
    requests.early_pages,
    0.45,
    drops="service_tickets",
)
ENDPOINTS = (
    _tickets,
    replace(
        _tickets,
        name="tickets-shop",
        title="the same as a mechanic",
        requests=requests.early_pages_of_the_shop,
    ),
    replace(
        _tickets,
        name="middle",
        title="pages of the middle",
        requests=requests.pages_of_the_middle,
        walks=True,
    ),
    replace(_tickets, name="last", title="the last pages", requests=requests.last_pages),
    replace(_tickets, name="cursor", title="pages by cursor", requests=requests.by_cursor),
    Endpoint("ticket", "ticket as a mechanic", requests.detail, 0.45),
    Endpoint("cached", "ticket list, cached", requests.hot_page, 0.60),
    Endpoint("search", "search for parts", requests.search, 0.50),
    Endpoint("my-tickets", "a customer's own tickets", requests.my_tickets, 0.45),
    Endpoint("top-customers", "top customers", requests.top_customers),
    Endpoint("top-mechanics", "top mechanics", requests.top_mechanics),
    Endpoint("create", "new ticket", requests.create, 0.50, writes=True),
    Endpoint(
        "add-part", "add a part, spread", requests.add_part, 0.50, writes=True, moves_stock=True
    ),
    Endpoint(
        "hot-part", "add one hot part", requests.add_hot_part, 0.50, writes=True, moves_stock=True
    ),
    Endpoint("sign-in", "sign-in", requests.sign_in, 0.95, writes=True, at_least=10),
)
