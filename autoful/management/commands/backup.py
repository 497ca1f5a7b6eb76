"""Back the shop up into one file, while it is open."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from autoful.backup import making, mysql
from autoful.backup.errors import Refused
from autoful.progress import ProgressLine
from autoful.unwinding import unwinding_on_signals


class Command(BaseCommand):
    help = "Back the shop up into one new file, as it is at this moment; it may stay open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            nargs="?",
            help="A new file, or a folder (with a slash at the end). Default: backups/ in AUTOFUL_DATA.",
        )

    def handle(self, *args: Any, path: str | None, **options: Any) -> None:
        line = ProgressLine("Backing up", self.stdout)
        try:
            target = making.named_path(path) if path else making.default_path()
            with unwinding_on_signals():
                manifest = making.make(target, line)
        except KeyboardInterrupt:
            raise CommandError("Interrupted: make the backup again.") from None
        except Refused as no:
            raise CommandError(str(no)) from no
        except OSError as unwritable:
            where = unwritable.filename or path or "The folder"
            raise CommandError(f"{where}: {unwritable.strerror}.") from unwritable
        except Error as silent:
            raise CommandError(f"The database cannot be read: {silent.args[-1]}") from silent
        line.end()
        rows = sum(manifest.rows.values())
        size = target.stat().st_size
        self.stdout.write(f"{target}: {rows:,} rows of {manifest.server}, {size:,} bytes.")
        if manifest.binary_log:
            self.stdout.write(
                "The binary log goes on from {file}, {position}.".format(**manifest.binary_log)
            )
        elif connection.vendor == "mysql" and mysql.keeps_a_log():
            self.stderr.write(
                "The server keeps a binary log and this backup does not know its position: it comes "
                "back as of its own moment only. It takes the server's own client, and GRANT RELOAD, "
                "BINLOG MONITOR (MySQL: REPLICATION CLIENT) ON *.*"
            )
        for what, name in making.programs():
            self.stderr.write(
                f"The {what} {name} is none of Autoful's: restore refuses it. Drop it, and back up again."
            )
        self.stdout.write("It holds everybody's data, and the secret key is not in it.")
