"""Whether every migration of ours can be applied while the shop is open."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from autoful.deploying.rules import objections


class Command(BaseCommand):
    help = "Refuse migrations that cannot be applied while the shop is open."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        # None: what the files say; no database is asked.
        loader = MigrationLoader(None, ignore_no_migrations=True)
        found = []
        for key, migration in sorted(loader.disk_migrations.items()):
            if not _is_ours(migration.app_label):
                continue
            before = loader.project_state(key, at_end=False)
            found += [f"{migration}: {objection}" for objection in objections(migration, before)]
        if found:
            raise CommandError(
                "\n".join(
                    ["Not while the shop is open; see Migrations in CONTRIBUTING.md.", *found]
                )
            )


def _is_ours(app_label: str) -> bool:
    """An app of this source tree, not of a library, wherever that is installed."""
    folder = Path(apps.get_app_config(app_label).path)
    return folder.is_relative_to(settings.BASE_DIR) and "site-packages" not in folder.parts
