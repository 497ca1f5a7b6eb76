"""Fill an empty shop with the demo shop."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from autoful.progress import ProgressLine
from embedded import demo


class Command(BaseCommand):
    help = "Fill an empty shop with the demo shop: a year of invented customers, work and parts."

    def handle(self, *args: Any, **options: Any) -> None:
        progress = ProgressLine("Filling the demo shop", self.stdout)
        try:
            demo.fill(progress=progress)
        except demo.ShopNotEmpty as refused:
            raise CommandError(
                "The shop has data already; the demo shop is only ever put into an empty one."
            ) from refused
        progress.end()
        self.stdout.write("Every demo account has the same public password, for trying out only:")
        for sign_in in (demo.OWNER, demo.MECHANIC, demo.CUSTOMER):
            self.stdout.write(f"  {sign_in.role:<9} {sign_in.email:<26} {demo.DEMO_PASSWORD}")
