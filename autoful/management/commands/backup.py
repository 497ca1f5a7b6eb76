"""Back the shop up into one file, while it is open."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from autoful.backup import making
from autoful.backup.errors import Refused
from autoful.progress import ProgressLine


class Command(BaseCommand):
    help = "Back the shop up into one new file, as it is at this moment; it may stay open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            nargs="?",
            type=Path,
            help="A new file, or a folder. Default: backups/ in AUTOFUL_DATA.",
        )

    def handle(self, *args: Any, path: Path | None, **options: Any) -> None:
        folder = path if path is None or path.is_dir() else None
        target = making.default_path(folder) if path is None or folder else path
        line = ProgressLine("Backing up", self.stdout)
        try:
            manifest = making.make(target, line)
        except Refused as no:
            raise CommandError(str(no)) from no
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
        self.stdout.write("It holds everybody's data, and the secret key is not in it.")
