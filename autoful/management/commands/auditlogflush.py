"""django-auditlog brings a command of this name that empties the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refuses: the audit trail is not changed through the application."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("ignored", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("The audit trail is not changed through the application.")
