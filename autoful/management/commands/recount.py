"""Count again what is kept instead of counted."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from autoful import recount
from autoful.errors import Busy

logger = logging.getLogger("autoful.recount")


class Command(BaseCommand):
    help = (
        "Count again what is kept instead of counted, say which numbers were kept wrong, and put "
        "them right; the shop may be open."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Change nothing; end with an error if any is wrong.",
        )
        parser.add_argument(
            "--log", action="store_true", help="Say it in the log, as the server does that runs it."
        )

    def handle(
        self, *args: Any, check: bool, log: bool, verbosity: int = 1, **options: Any
    ) -> None:
        say: Callable[[str], Any] = logger.info if log else self.stdout.write
        wrong = 0
        try:
            for difference in recount.differences(repair=not check):
                wrong += 1
                if verbosity:
                    say(f"{difference}.")
        except (Busy, Error) as trouble:
            if log:
                logger.warning("not recounted", exc_info=trouble)
                raise SystemExit(1) from trouble
            raise CommandError(f"{wrong} put right, and then: {trouble}") from trouble
        if check and wrong:
            raise CommandError(
                f"{wrong} kept count(s) are wrong; manage.py recount puts them right."
            )
        if verbosity:
            say(f"{wrong} put right." if wrong else "All kept counts are right.")
