"""A file on its way in: what was uploaded, and what becomes of each of its rows."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models


class Fate(models.TextChoices):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same", "Unchanged"
    REFUSED = "refused"


class SheetImport(models.Model):
    """A file that somebody imports. What it holds is forgotten once it is in, or after a day."""

    class Status(models.TextChoices):
        CHECKING = "checking"  # its rows are looked at, nothing is saved
        CHECKED = "checked"  # waits for its person's word
        IMPORTING = "importing"
        DONE = "done"
        UNREADABLE = "unreadable"
        DISCARDED = "discarded"

    kind = models.CharField(max_length=60, help_text="inventory.part")
    file_name = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CHECKING)
    # Raised when somebody begins anew: what was begun before and still runs finds itself replaced.
    attempt = models.PositiveIntegerField(default=1)
    said = models.CharField(max_length=500, blank=True, help_text="Why it stopped.")
    unread = models.JSONField(default=list, help_text="Headings of columns that are not read.")
    counts: Any = models.JSONField(default=dict, help_text="How many rows of each fate.")
    noted = models.PositiveIntegerField(
        default=0, help_text="Rows that are to be looked at twice before they are imported."
    )
    seconds = models.FloatField(default=0, help_text="That looking at the rows took.")
    created_at = models.DateTimeField("when", auto_now_add=True, db_index=True)
    began_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["user", "kind"], name="sheet_import_of_user")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def count(self, *fates: Fate) -> int:
        return sum(self.counts.get(fate, 0) for fate in fates)

    @property
    def to_write(self) -> int:
        """How many rows an import writes."""
        return self.count(Fate.NEW, Fate.CHANGED)

    @property
    def refused(self) -> int:
        return self.count(Fate.REFUSED)

    @property
    def is_importable(self) -> bool:
        return (
            self.status == self.Status.CHECKED
            and not self.refused
            and not self.said
            and self.to_write > 0
        )


class SheetPiece(models.Model):
    """A piece of the file as it was uploaded."""

    sheet_import = models.ForeignKey(SheetImport, models.CASCADE, related_name="pieces")
    content = models.BinaryField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"Piece {self.pk} of import {self.sheet_import_id}"


class SheetRow(models.Model):
    """A row of the file, and what becomes of it."""

    sheet_import = models.ForeignKey(SheetImport, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts.")
    cells: Any = models.JSONField()
    fate = models.CharField(max_length=8, choices=Fate.choices)
    title = models.CharField(max_length=300, blank=True)
    changes: Any = models.JSONField(default=list)
    remarks: Any = models.JSONField(default=list)
    is_noted = models.BooleanField(default=False, help_text="Has remarks, and is not refused.")

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sheet_import", "number"], name="sheet_row_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["sheet_import", "fate", "number"], name="sheet_row_of_fate"),
            models.Index(fields=["sheet_import", "is_noted", "number"], name="sheet_row_noted"),
        ]

    def __str__(self) -> str:
        return f"Row {self.number} of import {self.sheet_import_id}"
