"""The audit trail as a person tells it: Mike Chen changed price from 39.00 to 42.90."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auditlog.models import LogEntry
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from autoful.accounts.models import User
from autoful.actor import Role

Model = type[models.Model]
# What a number of another row stands for. Of rows that may not be seen, nothing.
Names = Mapping[tuple[Model, int], str]
NO_NAMES: Names = {}
WITH_NAMES = tuple(f"actor__{role}" for role in settings.ROLES)  # for select_related


@dataclass(frozen=True)
class Event:
    """`who` did `what`, as a sentence has it: "Mike Chen", "moved the ticket to on hold"."""

    when: datetime
    who: str
    what: str


def name_of(user: User | None, role: str) -> str:
    """Who it was: by name where the account has one, as a customer or as whoever works here."""
    if user is None:
        return "Autoful" if role == Role.COMMAND else "Somebody"
    for hat in (role, *reversed(settings.ROLES)):
        if hat in settings.ROLES and hasattr(user, hat):
            return str(getattr(user, hat))
    return user.email


def events(
    entries: Iterable[LogEntry], hidden: set[str], may_see: Callable[[Model], bool]
) -> list[Event]:
    """The entries of one kind of row, each told; two queries more for each kind they speak of.

    Of `hidden` fields only that they changed. Other rows are named if they are of a kind that the
    reader `may_see`.
    """
    entries = list(entries)
    names = _names(entries, may_see)
    return [
        Event(
            entry.timestamp,
            name_of(entry.actor, str(_facts(entry).get("role"))),
            sentence(entry, hidden, names),
        )
        for entry in entries
    ]


def sentence(entry: LogEntry, hidden: set[str], names: Names = NO_NAMES) -> str:
    """What an entry says was done, to follow the name of whoever did it."""
    if entry.action == LogEntry.Action.ACCESS:
        return _event(entry, names)
    model = entry.content_type.model_class()
    if entry.action == LogEntry.Action.CREATE:
        order = [field.name for field in model._meta.fields] if model else []
        changed = dict(_changed(entry, hidden))
        given = ", ".join(
            f"{_label(model, name)} {text}"
            for name in [*order, *(name for name in changed if name not in order)]
            if name in changed and (text := _shown(model, name, changed[name][1], names))
        )
        return f"entered this: {given}" if given else "entered this"
    if entry.action == LogEntry.Action.DELETE:
        return "deleted this"
    return "; ".join(_told(entry, model, hidden, names)) or "changed this"


def _facts(entry: LogEntry) -> dict[str, Any]:
    return entry.additional_data or {}


def _event(entry: LogEntry, names: Names) -> str:
    facts = _facts(entry)
    event = " ".join(str(facts[fact]) for fact in ("event", "said") if fact in facts)
    about = [
        f"{event}: {names.get((_profile(role), facts[role])) or f'{role} {facts[role]}'}"
        for role in settings.ROLES
        if role in facts
    ]
    return "; ".join(about) or event


def _told(entry: LogEntry, model: Any, hidden: set[str], names: Names) -> Iterator[str]:
    for name, change in (entry.changes or {}).items():
        label = _label(model, name)
        if name in hidden:
            yield f"changed {label}"
        elif isinstance(change, Mapping):  # a many-to-many field: groups, permissions
            verb = "added" if change["operation"] == "add" else "took away"
            yield f"{verb} {label}: {', '.join(change['objects'])}"
        else:
            old, new = (_shown(model, name, value, names) for value in change)
            if old == new:  # a secret
                yield f"changed {label}"
            elif not old:
                yield f"set {label} to {new}"
            else:
                yield f"changed {label} from {old} to {new}" if new else f"emptied {label}: {old}"


def _changed(entry: LogEntry, hidden: set[str]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Each field with its old and its new value; not those that are secret."""
    for name, change in (entry.changes or {}).items():
        if name not in hidden and not isinstance(change, Mapping) and change[0] != change[1]:
            yield name, (change[0], change[1])


def _field(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except (AttributeError, FieldDoesNotExist):  # of an earlier release
        return None


def _label(model: Any, name: str) -> str:
    return str(getattr(_field(model, name), "verbose_name", name.replace("_", " ")))


def _shown(model: Any, name: str, value: Any, names: Names) -> str:
    """A value as the shop says it; empty for nothing."""
    field = _field(model, name)
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value)).lower()
    if isinstance(field, models.ForeignKey):
        other: Any = field.related_model
        return names.get((other, value)) or f"{other._meta.verbose_name} {value}"
    return str(value)


def _profile(role: str) -> Model:
    return apps.get_model(settings.ROLES[role])


def _names(entries: list[LogEntry], may_see: Callable[[Model], bool]) -> Names:
    """What the rows that these entries name by number are called."""
    asked: dict[Model, set[int]] = defaultdict(set)
    for entry in entries:
        for role in settings.ROLES:
            if role in _facts(entry):
                asked[_profile(role)].add(_facts(entry)[role])
        for name, values in _changed(entry, set()):
            field = _field(entry.content_type.model_class(), name)
            if isinstance(field, models.ForeignKey):
                asked[field.related_model].update(v for v in values if isinstance(v, int))
    return {
        (model, row.pk): str(row)
        for model, numbers in asked.items()
        if may_see(model)
        for row in model._base_manager.filter(pk__in=numbers)
    }
