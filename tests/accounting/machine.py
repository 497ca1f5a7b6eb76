"""Random days in a shop, each operation drawn by hypothesis and compared with the model."""

import os
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

    def teardown(self) -> None:
        Day.total += self.books.done
        try:
            if not self.books.torn:  # a step that failed has said what is wrong
                self.books.balance()
        finally:
            self.books.close()


def days(operations: int) -> Counter[str]:
    """Spend days until about so many operations were done; returns how they ended.

    AUTOFUL_FUZZ_SEED makes other days of it.
    """
    Day.total = Counter()
    chosen: Any = seed(int(os.environ.get("AUTOFUL_FUZZ_SEED", "20260314")))
    run_state_machine_as_test(
        chosen(Day),
        settings=settings(
            max_examples=max(1, operations // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            # Not shrunk: a day that failed is replayed by its seed, and shrinking one takes minutes.
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Day.total
