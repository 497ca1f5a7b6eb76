"""What the rows of the shop have in common."""

from django.db import models


class ShopModel(models.Model):
    """A row that is locked and counted by `version`, with the moments it was made and changed."""

    version = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
