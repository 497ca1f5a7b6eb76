"""For an owner who has lost the phone, and whom nobody else can help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoful.accounts import second_factor
from autoful.accounts.models import User, normalize_email
from autoful.actor import COMMAND


class Command(BaseCommand):
    help = "Ask an account for no code any more when it signs in to the back office."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = normalize_email(options["email"])
        user = User.objects.filter(email=email).first()
        if user is None:
            raise CommandError(f"No account has the e-mail {email}.")
        second_factor.remove(users=[user], actor=COMMAND)
        self.stdout.write(f"{email} is asked for no code any more.")
