"""Prove that every part's ledger adds up to its stock."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.models import Part


class Command(BaseCommand):
    help = "Prove for every part that its ledger adds up to its stock, and say which differ."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = list(Part.objects.out_of_balance().order_by("id"))
        for part in wrong:
            self.stdout.write(
                f"Part {part.pk} ({part.part_name}): {part.quantity_in_stock} in stock, "
                f"but the ledger says {part.ledger}."
            )
        if wrong:
            raise CommandError(f"{len(wrong)} part(s) differ from their ledger.")
        self.stdout.write(f"All {Part.objects.count()} parts agree with their ledger.")
