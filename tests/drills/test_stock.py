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
    by_desks = 0
    for seed in range(ROUNDS):
        crowd.book.told.clear()
        [part] = backdoor(ours, f"put_on_shelf({UNITS})")
        clients = [*crowd.mechanics, *crowd.desks]
        # Who is let go first has the better chance; a round is not the mechanics' alone.
        random.Random(seed).shuffle(clients)
        tickets = backdoor(ours, f"open_tickets({len(clients)})")
        own = list(zip(clients, tickets, strict=True))
        ended = rush(*[_puts(client, ticket, part, 2) for client, ticket in own])
        took = [place for place, told in enumerate(ended) if told.outcome == DONE]
        enough = min(UNITS // 2, CLIENTS)
        assert (len(took), len(crowd.book.ended(DONE))) == (enough, enough)
        assert wrong_after(crowd, part) == []
        by_desks += sum(isinstance(clients[place], Desk) for place in took)

        moves: list[Move] = []
        for place, (client, ticket) in enumerate(own):
            if place not in took:
                moves.append(_puts(client, tickets[-1], part, 1))
                continue
            ways: list[Move] = [partial(client.cancel, ticket), partial(client.delete, ticket)]
            if isinstance(client, Mechanic):
                line = ended[place].body["service_inventory_id"]
                ways.append(partial(client.remove, ticket, line))
            else:
                ways.append(client.fill_in_lines(ticket, {}, remove=1))
            moves.append(ways[len(moves) % 3])
        rush(*moves)
        assert wrong_after(crowd, part) == []
        assert {told.outcome for told in crowd.book.told} <= {DONE, REFUSED}
    assert by_desks, "no desk was ever in time"
    ours.manage("check_stock")


def _puts(client: Mechanic | Desk, ticket: int, part: int, quantity: int) -> Move:
    """What puts a part on a ticket in one request: a desk has the form filled in already."""
    if isinstance(client, Desk):
        return client.fill_in_lines(ticket, {part: quantity})
    return partial(client.add, ticket, part, quantity)


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
