"""Dating what is written now to the moment it tells of.

The verbs know one time, the present. While a diary is kept, every row they write is noted under
the diary's moment, and `date_rows` moves it there. What is written once is dated as it is written.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from auditlog.models import LogEntry
from django.db import models
from django.db.models.signals import post_save, pre_save

from autoful.accounts.models import User
from autoful.models import ShopModel
from inventory.models import StockMovement
from tickets.models import Assignment, PartLine, ServiceTicket, StatusChange

# The column that says when a row was made.
MADE: dict[type[models.Model], str] = {
    User: "date_joined",
    Assignment: "assigned_at",
    PartLine: "created_at",
}
LEFT = (LogEntry, StatusChange, StockMovement)  # see `written_once`
COMPLETED = ServiceTicket.Status.COMPLETED


class Diary:
    """`moment` is when whatever is written now has happened; never earlier than the one before."""

    def __init__(self, moment: datetime.datetime) -> None:
        self.moment = moment
        self._made: dict[tuple[type[models.Model], datetime.datetime], list[int]] = defaultdict(
            list
        )
        self._changed: dict[tuple[type[models.Model], int], datetime.datetime] = {}
        self._completed: dict[int, datetime.datetime] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Everything written inside is noted."""
        for model in LEFT:
            pre_save.connect(self._date, sender=model)
        post_save.connect(self._note)
        try:
            yield
        finally:
            for model in LEFT:
                pre_save.disconnect(self._date, sender=model)
            post_save.disconnect(self._note)

    def date_rows(self) -> None:
        """Move every row noted to its moment.

        By UPDATE, because the ledger refuses to be saved twice and a save would date the row now;
        and past the audit trail, because nothing has happened.
        """
        for (model, moment), keys in self._made.items():
            field = MADE.get(model, "created_at")
            model._base_manager.filter(pk__in=keys).update(**{field: moment})
        changed: dict[tuple[type[models.Model], datetime.datetime], list[int]] = defaultdict(list)
        for (model, key), moment in self._changed.items():
            changed[model, moment].append(key)
        for (model, moment), keys in changed.items():
            model._base_manager.filter(pk__in=keys).update(updated_at=moment)
        for key, moment in self._completed.items():
            ServiceTicket.objects.filter(pk=key).update(completed_at=moment)

    def _note(self, sender: type[models.Model], instance: Any, created: bool, **_: Any) -> None:
        dated = issubclass(sender, ShopModel)
        if created and (dated or sender in MADE):
            self._made[sender, self.moment].append(instance.pk)
        if dated:
            self._changed[sender, instance.pk] = self.moment

    def _date(self, sender: type[models.Model], instance: Any, **_: Any) -> None:
        if sender is LogEntry:
            self._date_entry(instance)
            return
        instance.created_at = self.moment
        if sender is StatusChange:
            self._completed.pop(instance.ticket_id, None)
            if instance.to_status == COMPLETED:
                self._completed[instance.ticket_id] = self.moment

    def _date_entry(self, instance: LogEntry) -> None:
        instance.timestamp = self.moment
        if "completed_at" in (instance.changes or {}):
            old, new = instance.changes["completed_at"]
            was = self._completed.get(instance.object_id)
            instance.changes["completed_at"] = [
                _as_logged(was) if was else old,
                new if new is None else _as_logged(self.moment),
            ]


def _as_logged(moment: datetime.datetime) -> str:
    """The way auditlog writes a time: UTC, without saying so."""
    return str(moment.astimezone(datetime.UTC).replace(tzinfo=None))
