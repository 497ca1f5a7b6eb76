"""Django's migrate, fit for a shop that stays open."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections
from django.db.models.signals import pre_migrate

from autoful.backup.unfinished import Closed
from autoful.deploying.patience import StillLocked, patient
from autoful.deploying.rules import needs_closed_shop


class Command(migrate.Command):
    help = (
        "Updates database schema. Waits for locks a second at a time and tries again, so that an "
        "open shop goes on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--closed",
            action="store_true",
            help="No server is running: apply migrations that need the shop closed, too.",
        )

    def handle(self, *args: Any, closed: bool = False, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "mysql":
            # SQLite is the embedded set-up's: it migrates before it opens.
            super().handle(*args, **options)
            return
        if not closed:
            pre_migrate.connect(_refuse_closed, dispatch_uid="autoful.migrate")
        try:
            with patient(connection, say=self.stderr.write):
                super().handle(*args, **options)
        except Closed as closed_shop:
            raise CommandError(str(closed_shop.args[-1])) from closed_shop
        except StillLocked as end:
            raise CommandError(str(end)) from end
        finally:
            pre_migrate.disconnect(dispatch_uid="autoful.migrate")


def _refuse_closed(plan: Any, **kwargs: Any) -> None:
    """Nothing is applied while one of the plan needs the shop closed."""
    names = {(migration.app_label, migration.name) for migration, _ in plan}
    if ("contenttypes", "0001_initial") in names:  # a new database: there is no shop yet
        return
    if reasons := [
        f"{migration} ({reason})"
        for migration, _ in plan
        if (reason := needs_closed_shop(migration))
    ]:
        raise CommandError(
            f"Only with the shop closed: {'; '.join(reasons)}. Make a backup, stop every server, "
            "then: manage.py migrate --closed"
        )
