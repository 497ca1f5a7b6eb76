"""Django's `flush` would empty the audit trail with everything else."""

from typing import NoReturn

from django.core.management.commands.flush import Command as Flush


class Command(Flush):
    """Refused on the command line; Django's tests empty their own databases with it."""

    help = "Refuses: the audit trail is not changed through the application."

    def run_from_argv(self, argv: list[str]) -> NoReturn:
        raise SystemExit(
            "flush would empty the audit trail, which is not changed through the application. "
            "To begin with an empty shop, name another database."
        )
