"""Random days in a shop, each operation drawn by hypothesis and compared with the model."""

import os
import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.accounting.rules_accounts import Accounts
from tests.accounting.rules_parts import Parts
from tests.accounting.rules_people import People
from tests.accounting.rules_tickets import Tickets

STEPS = 50  # that a day has


class Day(People, Parts, Tickets, Accounts, RuleBasedStateMachine):
    """Everything that can happen, in any order; the evening asks whether the books balance."""

    total: Counter[str] = Counter()

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        People.__init__(self)
        self.open_doors(random.Random(1))

    def open_doors(self, luck: random.Random) -> None:
        """Somebody and something to begin with, or half of a day would find nothing to do."""
        for _ in range(2):
            self.take_on(luck)
            self.register(luck)
            self.enter_walk_in(luck)
            self.enter_part(luck)
            self.write_group(luck)
            self.open_ticket(luck)

    def teardown(self) -> None:
        Day.total += self.books.done
        try:
            if not self.books.torn:  # a step that failed has said what is wrong
                self.books.balance()
        finally:
            self.books.close()


ENDS = ("done", "refused", "broke")


def days(operations: int) -> Counter[str]:
    """Spend days until so many operations were tried; returns how they ended, and what was done.

    AUTOFUL_FUZZ_SEED makes other days of it.
    """
    Day.total = Counter()
    number = int(os.environ.get("AUTOFUL_FUZZ_SEED", "20260314"))
    while (left := operations - sum(Day.total[end] for end in ENDS)) > 0:
        chosen: Any = seed(number)
        run_state_machine_as_test(
            chosen(Day),
            settings=settings(
                # The first day of each run is a dull one.
                max_examples=min(20, left // STEPS + 2),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                # Not shrunk: a day that failed comes again by its seed, and shrinking it takes
                # minutes.
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
        number += 1
    return Day.total
