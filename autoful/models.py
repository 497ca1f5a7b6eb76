"""What the rows of the shop have in common, what is remembered of requests, and kept totals."""

from typing import Any, ClassVar

from django.db import models, transaction

from autoful.fields import ExactCharField
from autoful.inserts import insert_of
from autoful.prepared import ask


class PreparedModel(models.Model):
    """A new row of it costs no INSERT that the ORM writes anew: see `autoful.inserts`."""

    class Meta:
        abstract = True

    def _do_insert(
        self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        """What `save` calls to insert the row; returns what is not known before, its number."""
        insert = insert_of(type(self))
        # One that brings its number, or leaves a value to the database, goes the ORM's way.
        if raw or list(fields) != insert.fields or not insert.takes(self):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        insert.begin(self)
        return [tuple(ask([insert.numbered(insert.values(self, using))], using=using))]


class ShopModel(PreparedModel):
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


def label(instance: models.Model) -> str:
    """The row's kind and number, `customers.customer:7`."""
    return f"{instance._meta.label_lower}:{instance.pk}"


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def erase_answers(self, *, caller: str, about: models.Model) -> None:
        """Blank what was answered to `caller`, `customer:7`, and what any answer said `about` them.

        Part of closing an account. The keys stay: what was done once is still not done again.
        """
        # Two statements, each by its own index.
        for theirs in (self.filter(caller=caller), self.filter(about=label(about))):
            theirs.update(status=None, answer=b"", etag="")


class IdempotencyKey(models.Model):
    """A request that its client named by a key, and what it was answered; kept for a day.

    Of the request there are hashes only. Written in the transaction of the request's effect.
    """

    caller = ExactCharField(max_length=64, help_text="customer:7, or an address.")
    route = models.CharField(max_length=64)
    key_hash = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, help_text="Tells the same request from another.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty once it is erased.")
    answer = models.BinaryField(default=b"")
    etag = models.CharField(max_length=64, blank=True)
    about = ExactCharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["caller", "route", "key_hash"], name="idempotency_key_once"
            )
        ]

    def __str__(self) -> str:
        return f"Key {self.pk} of {self.caller}"


class Tally(models.Model):
    """A slot of a kept total: how many there are of `name` is the sum. Moved by autoful/tally.py."""

    name = ExactCharField(max_length=32)
    slot = models.PositiveSmallIntegerField()
    total = models.BigIntegerField(help_text="Below zero, if others counted what left here.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "slot"], name="tally_slot_once")
        ]

    def __str__(self) -> str:
        return f"{self.total} of {self.name} in slot {self.slot}"
