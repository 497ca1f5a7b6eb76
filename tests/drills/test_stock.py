"""Not one part too many: a crowd on a few units, over HTTP, through the API and the back office.

In production the server has four processes, on the embedded set-up one with its threads.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from autoful.testing.processes import Server
from autoful.testing.shops import Shop
from tests.drills import scaled
from tests.drills.book import DONE, REFUSED, Book, Told
from tests.drills.load import Desk, Mechanic, backdoor, processes, rush

UNITS = 50
ROUNDS = scaled(full=50, small=2)
CLIENTS = scaled(full=100, small=30)
DESKS = scaled(full=8, small=3)
TICKETS = CLIENTS // 5

Move = Callable[[], Any]


class Crowd:
    """The clients of a drill, and what they do in a round, by a seed."""

    def __init__(self, ours: Shop, url: str, tokens: list[str]) -> None:
        self.book = Book(ours)
        self.mechanics = [
            Mechanic(url, self.book, tokens[n % len(tokens)]) for n in range(CLIENTS - DESKS)
        ]
        self.desks = rush(*[partial(Desk, url, self.book)] * DESKS)

    def moves(self, part: int, tickets: list[int], seed: int) -> list[Move]:
        """One for each client: everything that a shop does with a part, all of it at once."""
        dice = random.Random(seed)
        some = partial(dice.choice, tickets)
        moves: list[Move] = []
        for n, mechanic in enumerate(self.mechanics):
            ticket, quantity = some(), dice.randint(1, 3)
            usual = partial(mechanic.add, ticket, part, quantity)
            unusual: dict[int, Move] = {
                0: partial(mechanic.cancel, ticket),
                1: partial(mechanic.delete, ticket),
                2: partial(mechanic.count, part, dice.randint(5, UNITS)),
                **dict.fromkeys((3, 4, 5, 6), partial(_add_and_remove, mechanic, ticket, part)),
            }
            moves.append(unusual.get(n % 20, usual))
        for n, desk in enumerate(self.desks):
            ticket, quantity = some(), dice.randint(1, 3)
            ways: list[Move] = [
                partial(desk.receive, part, dice.randint(1, 5)),
                partial(desk.write_lines, ticket, {part: quantity}),
                partial(desk.write_lines, ticket, {part: quantity}, remove=1),
                partial(desk.count, part, dice.randint(5, UNITS)),
                partial(desk.rename, part, f"Brake pads {seed}-{n}"),
                partial(desk.cancel, ticket),
                partial(desk.delete, ticket, some()),
                partial(desk.receive, part, dice.randint(1, 5)),
            ]
            moves.append(ways[(n + seed) % len(ways)])
        dice.shuffle(moves)
        return moves


def _add_and_remove(mechanic: Mechanic, ticket: int, part: int) -> None:
    added = mechanic.add(ticket, part)
    if added.outcome == DONE:
        mechanic.remove(ticket, added.body["service_inventory_id"])


def came_in(told: Told) -> bool:
    """Whether it changed how many units the shop has, and not only where they are."""
    return "receive" in told.asked or "count" in told.asked


def wrong_after(crowd: Crowd, part: int) -> list[str]:
    """Where the part's units are not where they must be, or somebody was told what is not true."""
    wrong = crowd.book.contradictions()
    units = backdoor(crowd.book.shop, f"units({part})")
    bought = crowd.book.change(part, came_in)
    if units["stock"] + units["on tickets"] != UNITS + bought:
        wrong.append(f"{units} of {UNITS} units and {bought} that came in")
    if units["stock"] != UNITS + crowd.book.change(part):
        wrong.append(f"{units}, but by what was told: {UNITS + crowd.book.change(part)}")
    return wrong


def play(crowd: Crowd, seed: int) -> list[str]:
    """One round on a new part; what is wrong after it."""
    crowd.book.told.clear()
    [part] = backdoor(crowd.book.shop, f"put_on_shelf({UNITS})")
    tickets = backdoor(crowd.book.shop, f"open_tickets({TICKETS})")
    rush(*crowd.moves(part, tickets, seed))
    return wrong_after(crowd, part)


def test_everything_at_once_on_fifty_units(ours: Shop, server: Server, tokens: list[str]) -> None:
    crowd = Crowd(ours, server.url, tokens)
    done = refused = 0
    for seed in range(ROUNDS):
        assert play(crowd, seed) == []
        # Nobody was told to come again: in a shop's day no race is lost four times.
        done, refused = done + len(crowd.book.ended(DONE)), refused + len(crowd.book.ended(REFUSED))
        assert {told.outcome for told in crowd.book.told} <= {DONE, REFUSED}
    assert min(done, refused) > ROUNDS
    ours.manage("check_stock")


def test_one_part_on_everybodys_ticket(ours: Shop, server: Server, tokens: list[str]) -> None:
    """All want the same part, each for a ticket of their own, and some give it back."""
    crowd = Crowd(ours, server.url, tokens)
    mechanics = crowd.mechanics
    for _ in range(ROUNDS):
        crowd.book.told.clear()
        [part] = backdoor(ours, f"put_on_shelf({UNITS})")
        tickets = backdoor(ours, f"open_tickets({len(mechanics)})")
        wanted = [partial(m.add, t, part, 2) for m, t in zip(mechanics, tickets, strict=True)]
        took = [told for told in rush(*wanted) if told.outcome == DONE]
        enough = min(UNITS // 2, len(mechanics))
        assert (len(took), len(crowd.book.ended(DONE))) == (enough, enough)
        assert wrong_after(crowd, part) == []

        back: list[Move] = []
        for n, told in enumerate(took):
            mechanic, ticket = mechanics[n], int(told.asked.split()[-1])
            line = told.body["service_inventory_id"]
            ways = [partial(mechanic.cancel, ticket), partial(mechanic.delete, ticket)]
            ways.append(partial(mechanic.remove, ticket, line))
            back.append(ways[n % 3])
        others = [partial(m.add, tickets[-1], part) for m in mechanics[len(took) :]]
        rush(*back, *others)
        assert wrong_after(crowd, part) == []
        assert {told.outcome for told in crowd.book.told} <= {DONE, REFUSED}
    ours.manage("check_stock")


def test_control_without_protection_units_are_sold_twice(ours: Shop, tokens: list[str]) -> None:
    """The same rounds and the same questions; the server reads, reckons and writes."""
    with ours.server(
        {"AUTOFUL_RATE_LIMITS": "off"},
        workers=processes(ours),
        application="autoful.testing.unguarded:application",
    ) as server:
        crowd = Crowd(ours, server.url, tokens)
        wrong = ""
        for seed in range(10):
            wrong += "\n".join(play(crowd, seed))
            if "in the ledger" in wrong and "units and" in wrong:
                break
    assert "in the ledger" in wrong
    assert "units and" in wrong
