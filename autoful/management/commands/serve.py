"""Start Autoful in production, or say in one line why not."""

import logging
import os
import platform
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, NotSupportedError, connection
from granian.log import LogLevels

from autoful import health, metrics
from autoful.serving import CannotStart, demand_free_port, holding, in_use, refuse, start

logger = logging.getLogger("autoful.serving")

PATIENCE = 30  # seconds; what an orchestrator waits before it kills


class Command(BaseCommand):
    help = "Start the production server: needs DATABASE_URL, REDIS_URL and SECRET_KEY."
    # The one line to say is ours, and in our order: a check of the database says a traceback
    # when there is none.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="The address to listen on; 0.0.0.0 in a container. Default: 127.0.0.1, behind "
            "a proxy on this machine.",
        )
        parser.add_argument(
            "--static-collected",
            action="store_true",
            help="The static files were collected before, as into an image: do not do it again.",
        )

        parser.add_argument(
            "--prepare",
            action="store_true",
            help="Do and check all that comes before the start, and do not start.",
        )

    def handle(
        self, *args: Any, host: str, static_collected: bool, prepare: bool, **options: Any
    ) -> None:
        until_the_end = ExitStack()
        try:
            _demand_environment()
            instead = f"PORT={_next(settings.PORT)} make serve"
            if not prepare:
                demand_free_port(host=host, port=settings.PORT, instead=instead)
            _demand_database()
            # A rehearsal of new code is the child of the server that has the port.
            if not prepare and _can_hold_port(static_collected=static_collected):
                until_the_end.enter_context(
                    holding(_lock(settings.PORT), otherwise=in_use(settings.PORT, instead))
                )
            _prepare_static_files(collected=static_collected)
            _prepare_metrics()
        except CannotStart as reason:
            refuse(reason)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        if prepare:
            return
        logger.info(
            "starting",
            extra={
                "pid": os.getpid(),  # who is told to end or to renew the workers
                "address": f"{host}:{settings.PORT}",
                "workers": settings.WEB_WORKERS,
                "threads": settings.WEB_THREADS,
            },
        )
        start(
            host=host,
            workers=settings.WEB_WORKERS,
            patience=PATIENCE,
            log_level=LogLevels.info,
            rehearsal=[
                *(sys.executable, sys.argv[0], "serve", "--prepare"),
                *(["--static-collected"] if static_collected else []),
            ],
            # What a version that does not count yet has written beside this one's migrations.
            afterwards=[sys.executable, sys.argv[0], "recount", "--log"],
        )


def _demand_environment() -> None:
    required = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL}
    if missing := [name for name, value in required.items() if not value]:
        raise CannotStart(
            f"{' and '.join(missing)} must be set in production. To try Autoful out: make run"
        )


def _demand_database() -> None:
    """The database answers, is fit for the locks, and is migrated."""
    where = "{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    try:
        connection.ensure_connection()
        if wrong := checks.run_checks(
            tags=[checks.Tags.database], databases=["default"], include_deployment_checks=False
        ):
            serious = [message.msg for message in wrong if message.level >= checks.ERROR]
            if serious:
                raise CannotStart(f"the database {where} is not fit: {' '.join(serious)}")
        unapplied = health.unapplied_migrations()
    except NotSupportedError as unfit:
        raise CannotStart(f"the database {where} is not fit: {_one_line(unfit)}") from unfit
    except Error as silent:
        raise CannotStart(f"the database {where} cannot be used: {_one_line(silent)}") from silent
    if unapplied:
        raise CannotStart(
            f"the database {where} lacks {unapplied} migration(s); apply them with: "
            ".venv/bin/python manage.py migrate"
        )


def _one_line(error: Exception) -> str:
    """What the driver said, without its number; drivers never repeat the password."""
    said = str(error.args[-1] if error.args else error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _lock(port: int) -> Path:
    """The file that the server of a port has; machines may share the folder."""
    return Path(settings.AUTOFUL_DATA) / f"running-{platform.node()}-{port}"


def _can_hold_port(*, static_collected: bool) -> bool:
    """Not in an image that has nowhere to write: its port is its own. Elsewhere it must."""
    return not static_collected or os.access(settings.AUTOFUL_DATA, os.W_OK)


def _prepare_static_files(*, collected: bool) -> None:
    """Collect and hash the static files, unless they were, and read the list of their names."""
    folder = Path(settings.STATIC_ROOT)
    if not collected:
        logger.info("collecting static files", extra={"folder": str(folder)})
        try:
            call_command("collectstatic", interactive=False, verbosity=0)
        except OSError as unwritable:
            raise CannotStart(
                f"the static files cannot be written to {folder} ({unwritable.strerror}). Make it "
                "writable, or name another folder in AUTOFUL_DATA."
            ) from unwritable
    elif not staticfiles_storage.exists("staticfiles.json"):
        raise CannotStart(
            f"there are no static files in {folder}; collect them with: .venv/bin/python manage.py collectstatic"
        )


def _prepare_metrics() -> None:
    try:
        metrics.clear()
    except OSError as unwritable:
        raise CannotStart(
            f"the figures of AUTOFUL_METRICS_TOKEN cannot be written to {settings.AUTOFUL_DATA} "
            f"({unwritable.strerror}). Make it writable, or name another folder in AUTOFUL_DATA."
        ) from unwritable


def _next(port: int) -> int:
    return port + 1 if port < 65_535 else 8000
