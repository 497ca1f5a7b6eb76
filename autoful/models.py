"""What the rows of the shop have in common."""

from typing import Any

from django.db import models, transaction


class ShopModel(models.Model):
    """A row that is locked and counted by `version`, with the moments it was made and changed."""

    version = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        # auditlog records an update before it is written. Outside a transaction the lists would
        # be dropped between the two, and a reader could store the old row anew.
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
