"""Start Autoful on this machine: everything it needs, then the server."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error
from granian.log import LogLevels

from autoful import health
from autoful.progress import ProgressLine
from autoful.serving import CannotStart, alone, demand_free_port, refuse, start
from embedded import demo

HOST = "127.0.0.1"
PATIENCE = 5  # seconds, for whoever has pressed Ctrl-C


class Command(BaseCommand):
    help = "Start Autoful on this machine, with a demo shop on the first start."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if settings.PRODUCTION:
                raise CannotStart(
                    "DATABASE_URL is set, so this is a production set-up: make serve starts it."
                )
            other = settings.PORT + 1 if settings.PORT < 65_535 else 8000
            demand_free_port(host=HOST, port=settings.PORT, instead=f"PORT={other} make run")
            _demand_writable(Path(settings.AUTOFUL_DATA))
            os.umask(0o077)  # the database holds everybody's data
            with alone(Path(settings.AUTOFUL_DATA)):
                self._prepare()
                self._say("Starting the server …")
                start(
                    host=HOST,
                    workers=1,
                    patience=PATIENCE,
                    log_level=LogLevels.warning,
                    when_ready=self._welcome,
                )
        except CannotStart as reason:
            refuse(reason)
        except KeyboardInterrupt:
            # Before the server was there to hear it. Whatever was half done is undone.
            self.stdout.write("")
            raise SystemExit(130) from None
        self._say("Autoful has stopped.")

    def _prepare(self) -> None:
        try:
            if health.unapplied_migrations():
                self._say("Preparing the database …")
                call_command("migrate", interactive=False, verbosity=0)
            if demo.is_empty():
                progress = ProgressLine("Filling the demo shop (first start only)", self.stdout)
                demo.fill(progress=progress)
                progress.end()
        except Error as broken:
            name = settings.DATABASES["default"]["NAME"]
            raise CannotStart(f"the database {name} cannot be used: {broken}.") from broken
        # Where whitenoise looks first; it warns when it is missing.
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)

    def _welcome(self) -> None:
        site = f"http://{HOST}:{settings.PORT}"
        lines = [
            "",
            "Autoful is ready.",
            f"  Back office   {site}/admin/",
            f"  API, to try   {site}/api/docs/",
        ]
        if sign_ins := demo.sign_ins():
            lines += ["", "Demo sign-ins; the password is public and for trying out only:"]
            lines += [
                f"  {who.role:<9} {who.email:<26} {demo.DEMO_PASSWORD}   {who.where}"
                for who in sign_ins
            ]
        lines += ["", f"The shop's data is in {settings.AUTOFUL_DATA}. Ctrl-C stops the server."]
        self._say("\n".join(lines))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # through a pipe it would come when all is over


def _demand_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as unwritable:
        raise CannotStart(
            f"the folder {folder} cannot be written ({unwritable.strerror}). "
            "Make it writable, or name another one in AUTOFUL_DATA."
        ) from unwritable
    database = Path(settings.DATABASES["default"]["NAME"])
    if database.exists() and not os.access(database, os.W_OK):
        raise CannotStart(f"the file {database} cannot be written. Make it writable.")
