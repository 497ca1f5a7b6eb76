"""The requests to each endpoint, as many different ones as it takes."""

from autoful.api import cursors
from bench.asking import Request
from bench.filling import PASSWORD
from bench.world import HOT_PART, Filled
from tickets.models import ServiceTicket

PREPARED = 4_000  # requests of an endpoint; they come round again
PAGES = 60  # at most, with each of
PER_PAGE = range(5, 16)  # rows: ten on average
SEARCHED = (
    *("brake", "FILTER", "oil", "pump", "Front", "battery", "belt", "disc", "wiper", "rear brake"),
    *("clutch", "motor", "bulb", "joint", "universal", "101", "heavy duty", "therm", "kit", "arm"),
)


def early_pages(shop: Filled) -> list[Request]:
    return _pages(shop, "early", "")


def early_pages_of_the_shop(shop: Filled) -> list[Request]:
    return _pages(shop, "early", shop.mechanic())


def pages_of_the_middle(shop: Filled) -> list[Request]:
    return _pages(shop, "middle", "")


def last_pages(shop: Filled) -> list[Request]:
    return _pages(shop, "last", "")


def by_cursor(shop: Filled) -> list[Request]:
    """Pages of ten from anywhere."""
    order = cursors.order_of(ServiceTicket.objects.order_by("-id"))
    places = shop.chance("cursor").sample(
        range(20, shop.tickets + 1), min(PREPARED, shop.tickets // 2)
    )
    return [
        Request(f"/service_tickets/?cursor={cursors.write(cursors.Cursor('>', (n,)), order)}")
        for n in places
    ]


def _pages(shop: Filled, where: str, token: str) -> list[Request]:
    """PAGES times eleven pages, none of them twice."""
    asked = []
    for per_page in PER_PAGE:
        pages = shop.tickets // per_page
        first = {"early": 1, "middle": pages // 2, "last": max(pages - PAGES, 1)}[where]
        asked += [(page, per_page) for page in range(first, min(first + PAGES, pages + 1))]
    shop.chance(where).shuffle(asked)
    return [Request(f"/service_tickets/?page={p}&per_page={n}", token=token) for p, n in asked]


def detail(shop: Filled) -> list[Request]:
    token, chance = shop.mechanic(), shop.chance("detail")
    numbers = [chance.randint(1, shop.tickets) for _ in range(PREPARED)]
    return [Request(f"/service_tickets/{number}", token=token) for number in numbers]


def hot_page(shop: Filled) -> list[Request]:
    return [Request("/service_tickets/")]


def search(shop: Filled) -> list[Request]:
    token = shop.mechanic()
    texts = [text.replace(" ", "+") for text in SEARCHED]
    return [Request(f"/inventory/search?part_name={text}", token=token) for text in texts]


def my_tickets(shop: Filled) -> list[Request]:
    number = min(1_000, shop.customers)
    customers = shop.chance("mine").sample(range(1, shop.customers + 1), number)
    return [Request("/customers/my-tickets", token=t) for t in shop.customer_tokens(customers)]


def top_customers(shop: Filled) -> list[Request]:
    return [Request("/customers/top")]


def top_mechanics(shop: Filled) -> list[Request]:
    return [Request("/mechanics/top")]


def create(shop: Filled) -> list[Request]:
    number = min(PREPARED, shop.customers)
    customers = shop.chance("create").sample(range(1, shop.customers + 1), number)
    token = shop.mechanic()
    return [
        Request(
            "/service_tickets/",
            "POST",
            token,
            {
                "customer_id": customer,
                "VIN": vin,
                "service_desc": "Squeaks when braking",
                "service_date": "2026-01-15",
            },
        )
        for customer, vin in shop.cars(customers)
    ]


def add_part(shop: Filled) -> list[Request]:
    tickets, parts, chance = shop.open_tickets(1_000), shop.parts(), shop.chance("add")
    chosen = chance.sample(range(len(tickets) * len(parts)), PREPARED)
    pairs = [(tickets[each % len(tickets)], parts[each // len(tickets)]) for each in chosen]
    there = shop.lines(tickets)
    return _added(shop, [pair for pair in pairs if pair not in there])


def add_hot_part(shop: Filled) -> list[Request]:
    tickets = shop.open_tickets(1_000)
    shop.chance("hot").shuffle(tickets)
    return _added(shop, [(ticket, HOT_PART) for ticket in tickets])


def _added(shop: Filled, pairs: list[tuple[int, int]]) -> list[Request]:
    token = shop.mechanic()
    return [
        Request(
            f"/service_tickets/{ticket}/add-inventory",
            "POST",
            token,
            {"inventory_id": part, "quantity_used": 1},
        )
        for ticket, part in pairs
    ]


def sign_in(shop: Filled) -> list[Request]:
    return [
        Request(
            "/mechanics/login",
            "POST",
            body={"email": f"mechanic{number}@example.com", "password": PASSWORD},
        )
        for number in range(1, 41)
    ]
