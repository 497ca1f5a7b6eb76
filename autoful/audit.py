"""Who did what: a thin face over django-auditlog.

Saves and deletes of registered models are recorded by auditlog itself. A conditional UPDATE
passes it by, so the verb that makes one calls `record_update`. Every entry says who (account and
role), the request and the address. The entries are also how the rest of the house learns that
something changed: see `on_change`.

An entry is written once. Values are kept as JSON, so that nothing and the word "None" are two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlog.models import LogEntry, LogEntryManager
from auditlog.registry import auditlog
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.signals import pre_delete, pre_save

from autoful import metrics, written_once
from autoful.actor import current_actor, current_origin, request_id

ERASED = "erased"
# Bookkeeping, not changes: locks, counters and clocks move with every write.
UNTRACKED = ["id", "version", "token_version", "ticket_count", "last_login"]
UNTRACKED += ["created_at", "updated_at"]


_listeners: list[Callable[[type[models.Model]], None]] = []


def mask(value: str) -> str:
    """A secret in an entry: that it changed, never what it was."""
    return "********"


def register(
    model: type[models.Model], *, masked: tuple[str, ...] = (), many: tuple[str, ...] = ()
) -> None:
    """Record every save and delete of `model`, and what joins and leaves its `many` to many.

    `masked` fields are recorded without values.
    """
    # auditlog takes what points here for a field: "assignments: tickets.Assignment.None".
    pointing_here = [f.name for f in model._meta.get_fields() if f.auto_created and not f.concrete]
    auditlog.register(
        model,
        exclude_fields=[*UNTRACKED, *pointing_here],
        mask_fields=list(masked),
        m2m_fields=set(many),
    )


def record_update(instance: models.Model, *, why: str = "", **changes: tuple[Any, Any]) -> None:
    """Record what a conditional UPDATE did: each field's old and new value; `why` ends the sentence."""
    changed = {f: [_plain(old), _plain(new)] for f, (old, new) in changes.items() if old != new}
    if changed:
        _log(instance, LogEntry.Action.UPDATE, changed, {"why": why} if why else None)


def _plain(value: Any) -> Any:
    """As auditlog writes a value: JSON's own kinds as they are, anything else in words."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def record_event(instance: models.Model, event: str, **facts: Any) -> None:
    """Record something that happened to `instance` and changed no field: a sign-in, a refusal."""
    _log(instance, LogEntry.Action.ACCESS, {}, {"event": event, **facts})
    metrics.count("events", event=event, role=facts.get("hat") or str(current_actor().role))


def events(instance: models.Model, event: str) -> list[dict[str, Any]]:
    """The facts of each such event that happened to `instance`."""
    written_once.last.write_now()
    kind = ContentType.objects.get_for_model(instance)
    entries = LogEntry.objects.filter(content_type=kind, object_id=instance.pk)
    told = (entry.additional_data or {} for entry in entries)
    return [facts for facts in told if facts.get("event") == event]


def _log(
    instance: models.Model,
    action: int,
    changes: dict[str, list[Any]],
    facts: dict[str, Any] | None = None,
) -> None:
    LogEntry.objects.log_create(
        instance,
        force_log=True,
        action=action,
        changes=changes,
        additional_data=facts,
    )


def erase_personal_data(instance: models.Model, fields: tuple[str, ...]) -> None:
    """Blank the values of `fields` in the entries about `instance`.

    Who changed which field and when stays; what a closed account's name, e-mail and phone were
    goes, because the contract promises that deleting an account erases its personal data.
    The only change ever made to an entry, and only `close_*` verbs make it.
    """
    written_once.last.write_now()
    kind = ContentType.objects.get_for_model(instance)
    # Past the manager that refuses.
    entries = LogEntry._base_manager.filter(content_type=kind, object_id=instance.pk)
    entries.update(object_repr=f"{instance._meta.verbose_name} {instance.pk}")
    touched = []
    for entry in entries.only("changes"):
        for field, values in (entry.changes or {}).items():
            if field in fields:
                entry.changes[field] = [v if v in (None, "") else ERASED for v in values]
                touched.append(entry)
    LogEntry._base_manager.bulk_update(touched, ["changes"], batch_size=200)


def on_change(listener: Callable[[type[models.Model]], None]) -> None:
    """Call `listener` with the model of every change recorded, inside its transaction."""
    _listeners.append(listener)


class WrittenOnce(models.QuerySet[Any]):
    """Entries are read, and added to one by one. Deleting them is refused by `_keep`."""

    def create(self, **kwargs: Any) -> Any:
        """An entry, signed and told of now, and written when the verb ends: see `written_once`."""
        entry = self.model(**kwargs)
        written_once.leave(entry)
        _tell(entry)
        return entry

    def update(self, **kwargs: Any) -> int:
        raise _refusal()

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        # It would write over what is there (`update_conflicts`), and pass `_sign` by.
        raise _refusal()

    def _raw_delete(self, using: str | None) -> int:
        raise _refusal()


class Trail(LogEntryManager.from_queryset(WrittenOnce)):  # type: ignore[misc]
    """auditlog's manager, by which its signals record, too."""

    def log_create(self, instance: models.Model, force_log: bool = False, **kwargs: Any) -> Any:
        """An entry about `instance`, or None where nothing changed. Unlike auditlog's own it looks for
        no copy of the row and no data of its own, which none of our models keeps in the trail, nor
        for a name that cannot be made, which each of them has."""
        if kwargs.get("changes") is None and not force_log:
            return None
        number = instance.pk
        about: dict[str, Any] = {
            "content_type_id": ContentType.objects.get_for_model(instance).pk,
            # Nobody known: a refused sign-in with an e-mail that has no account.
            "object_pk": "" if number is None else number,
            "object_id": number if isinstance(number, int) else None,
            "object_repr": str(instance) if number is not None else "unknown",
            "cid": request_id(),
        }
        return self.create(**about | kwargs)


def _refusal() -> TypeError:
    return TypeError("The audit trail is written once: no entry is changed or deleted.")


def _keep(sender: type[models.Model], **kwargs: Any) -> None:
    # A listener to pre_delete is asked before a QuerySet's delete and a cascade as well.
    raise _refusal()


def _keep_actor(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    # Deleting the account would empty `actor` in all that it did.
    written_once.last.write_now()
    if LogEntry.objects.filter(actor=instance.pk).exists():
        raise _refusal()


def _sign(sender: type[LogEntry], instance: LogEntry, raw: bool, **kwargs: Any) -> None:
    # A new entry has no number yet: one that names its own may be another one's, as may one that
    # is loaded from a file (`raw`).
    if raw or instance.pk is not None:
        raise _refusal()
    actor, origin = current_actor(), current_origin()
    instance.actor = actor.user
    instance.remote_addr = origin.address if origin else None
    instance.additional_data = {
        **(instance.additional_data or {}),
        "role": str(actor.role),
    }
    if actor.profile_id is not None:
        instance.additional_data["profile_id"] = actor.profile_id


def _tell(entry: LogEntry) -> None:
    model = ContentType.objects.get_for_id(entry.content_type_id).model_class()
    if model is not None and entry.action != LogEntry.Action.ACCESS:
        for listener in _listeners:
            listener(model)


def connect() -> None:
    """Sign every entry before it is written, tell the listeners, and keep it as it is.

    Once, at start-up.
    """
    pre_save.connect(_sign, sender=LogEntry, dispatch_uid="autoful.audit.sign")
    pre_delete.connect(_keep, sender=LogEntry, dispatch_uid="autoful.audit.keep")
    pre_delete.connect(
        _keep_actor, sender=get_user_model(), dispatch_uid="autoful.audit.keep_actor"
    )
    LogEntry.add_to_class("objects", Trail())
