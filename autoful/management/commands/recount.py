"""Count again what is kept instead of counted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoful import recount
from autoful.errors import Busy


class Command(BaseCommand):
    help = (
        "Count again the tickets of every customer and mechanic and the totals of the lists, say "
        "which were kept wrong, and put them right; the shop may be open."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Change nothing; end with an error if any is wrong.",
        )

    def handle(self, *args: Any, check: bool, verbosity: int = 1, **options: Any) -> None:
        wrong = 0
        try:
            for difference in recount.differences(repair=not check):
                wrong += 1
                if verbosity:
                    self.stdout.write(f"{difference}.")
        except Busy as busy:
            raise CommandError(f"{wrong} put right, and then: {busy.message}") from busy
        if check and wrong:
            raise CommandError(
                f"{wrong} kept count(s) are wrong; manage.py recount puts them right."
            )
        if verbosity:
            self.stdout.write(f"{wrong} put right." if wrong else "All kept counts are right.")
