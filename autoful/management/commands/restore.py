"""Bring the shop back from a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from autoful.backup import restoring, unfinished
from autoful.backup.archive import Manifest
from autoful.backup.errors import Refused
from autoful.backup.restoring import Restored
from autoful.progress import ProgressLine
from autoful.unwinding import unwinding_on_signals


class Command(BaseCommand):
    help = "Bring the shop back from a backup. The servers must be stopped."
    # The shop that is to be replaced may be one that no check can read.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, help="A file that backup made.")
        parser.add_argument(
            "--replace", action="store_true", help="Replace the shop that is there; it is kept."
        )
        parser.add_argument(
            "--check", action="store_true", help="Only read the file and say whether it is whole."
        )
        parser.add_argument(
            "--keep-closed",
            action="store_true",
            help="MySQL, MariaDB: leave the shop closed, to play the binary log into it.",
        )
        parser.add_argument(
            "--finish", action="store_true", help="Open the shop that --keep-closed left closed."
        )

    def handle(self, *args: Any, path: Path | None, **options: Any) -> None:
        try:
            with unwinding_on_signals(), unfinished.admitted():
                if options["finish"]:
                    self._say(restoring.finish())
                elif path is None:
                    raise Refused("Name the file to restore.")
                else:
                    self._restore(path, **options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted.") from None
        except Refused as no:
            raise CommandError(str(no)) from no
        except Error as silent:
            raise CommandError(
                f"{restoring.target()} cannot be used: {silent.args[-1]}"
            ) from silent
        finally:
            connection.close()

    def _restore(
        self, path: Path, *, replace: bool, check: bool, keep_closed: bool, **options: Any
    ) -> None:
        if keep_closed and connection.vendor == "sqlite":
            raise Refused("SQLite has no binary log: --keep-closed is for MySQL and MariaDB.")
        line = ProgressLine("Reading the backup", self.stdout)
        manifest = restoring.check_file(path, line)
        line.end()
        rows = f"{sum(manifest.rows.values()):,} rows"
        self.stdout.write(
            f"{path} is whole: {rows} of {manifest.server}, as of {manifest.made_at}, "
            f"made by Autoful {manifest.autoful}."
        )
        if log := manifest.binary_log:
            self.stdout.write("The binary log goes on from {file}, {position}.".format(**log))
        elif connection.vendor == "mysql":
            self.stdout.write("It has no position in the binary log.")
        if check:
            return
        if keep_closed and not manifest.binary_log:
            raise Refused(
                f"{path} has no position in the binary log; it can only come back as of "
                f"{manifest.made_at}, without --keep-closed. Nothing was touched."
            )
        if not replace and not restoring.shop_is_empty():
            self._ask()
        self.stdout.write(f"It is restored to {restoring.target()}.")
        line = ProgressLine("Restoring", self.stdout)
        restored = restoring.restore(path, manifest, line, finish=not keep_closed)
        line.end()
        if restored.kept:
            self.stdout.write(f"The shop as it was before is in {restored.kept}.")
        if keep_closed:
            self._say_how_to_go_on(manifest)
        else:
            self._say(restored)

    def _ask(self) -> None:
        refusal = Refused(
            f"{restoring.target()} has a shop's data already, and nothing was touched. "
            "To replace that shop, add --replace."
        )
        if not self.stdout.isatty():
            raise refusal
        self.stdout.write(
            f"{restoring.target()} has a shop's data already. It will be kept beside the new one."
        )
        try:
            typed = input("Type replace to replace it: ")
        except EOFError:
            typed = ""
        if typed.strip() != "replace":
            raise refusal

    def _say_how_to_go_on(self, manifest: Manifest) -> None:
        log = manifest.binary_log
        if log:
            self.stdout.write(
                "Now play the binary log into it, from {file}, --start-position={position}, "
                "to just before the accident.".format(**log)
            )
        self.stdout.write(
            f"{restoring.target()} is closed until then: open it with manage.py restore --finish."
        )

    def _say(self, restored: Restored) -> None:
        self.stdout.write(f"The shop is back in {restoring.target()}. Everybody signs in again.")
        if restored.older:
            self.stdout.write(
                "It is older than this Autoful. Now run manage.py migrate, then manage.py check_stock."
            )
        if restored.wrong:
            for line in restored.wrong:
                self.stdout.write(line)
            raise CommandError(
                f"{restoring.target()} is back as it was backed up, but was not in order then."
            )
