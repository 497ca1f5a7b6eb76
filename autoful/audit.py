"""Who did what: a thin face over django-auditlog.

Saves and deletes of registered models are recorded by auditlog itself. A conditional UPDATE
passes it by, so the verb that makes one calls `record_update`. Every entry says who (account and
role), the request and the address. The entries are also how the rest of the house learns that
something changed: see `on_change`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.signals import post_save, pre_save

from autoful import metrics
from autoful.actor import current_actor, current_origin

ERASED = "erased"
# Bookkeeping, not changes: locks, counters and clocks move with every write.
UNTRACKED = ["id", "version", "token_version", "last_login", "created_at", "updated_at"]


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


def record_update(instance: models.Model, **changes: tuple[Any, Any]) -> None:
    """Record what a conditional UPDATE did: each field's old and new value."""
    changed = {f: [str(old), str(new)] for f, (old, new) in changes.items() if old != new}
    if changed:
        _log(instance, LogEntry.Action.UPDATE, changed)


def record_event(instance: models.Model, event: str, **facts: Any) -> None:
    """Record something that happened to `instance` and changed no field: a sign-in, a refusal."""
    _log(instance, LogEntry.Action.ACCESS, {}, {"event": event, **facts})
    metrics.count("events", event=event, role=facts.get("hat") or str(current_actor().role))


def _log(
    instance: models.Model,
    action: int,
    changes: dict[str, list[str]],
    facts: dict[str, Any] | None = None,
) -> None:
    LogEntry.objects.log_create(
        instance,
        force_log=True,
        action=action,
        changes=changes,
        additional_data=facts,
        # An event about nobody known: a refused sign-in with an e-mail that has no account.
        **({"object_pk": "", "object_repr": "unknown"} if instance.pk is None else {}),
    )


def erase_personal_data(instance: models.Model, fields: tuple[str, ...]) -> None:
    """Blank the values of `fields` in the entries about `instance`.

    Who changed which field and when stays; what a closed account's name, e-mail and phone were
    goes, because the contract promises that deleting an account erases its personal data.
    The only change ever made to an entry, and only `close_*` verbs make it.
    """
    entries = LogEntry.objects.get_for_object(instance)
    entries.update(object_repr=f"{instance._meta.verbose_name} {instance.pk}")
    touched = []
    for entry in entries.only("changes"):
        for field, values in (entry.changes or {}).items():
            if field in fields:
                entry.changes[field] = [ERASED if v not in ("None", "") else v for v in values]
                touched.append(entry)
    LogEntry.objects.bulk_update(touched, ["changes"], batch_size=200)


def on_change(listener: Callable[[type[models.Model]], None]) -> None:
    """Call `listener` with the model of every change recorded, inside its transaction."""
    _listeners.append(listener)


def _sign(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    actor, origin = current_actor(), current_origin()
    instance.actor = actor.user
    instance.remote_addr = origin.address if origin else None
    instance.additional_data = {
        **(instance.additional_data or {}),
        "role": str(actor.role),
    }
    if actor.profile_id is not None:
        instance.additional_data["profile_id"] = actor.profile_id


def _tell(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    model = ContentType.objects.get_for_id(instance.content_type_id).model_class()
    if model is not None and instance.action != LogEntry.Action.ACCESS:
        for listener in _listeners:
            listener(model)


def connect() -> None:
    """Sign every entry before it is written and tell the listeners after; once, at start-up."""
    pre_save.connect(_sign, sender=LogEntry, dispatch_uid="autoful.audit.sign")
    post_save.connect(_tell, sender=LogEntry, dispatch_uid="autoful.audit.tell")
