"""The audit trail as a person tells it: Mike Chen changed price from 39.00 to 42.90."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditlog.models import LogEntry
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime

from autoful import deferred
from autoful.actor import Role
from autoful.admin.people import Who, who_of
from autoful.audit import ERASED

Model = type[models.Model]
# What a number of another row stands for. Of rows that may not be seen, nothing.
Names = Mapping[tuple[Model, int], str]
NO_NAMES: Names = {}
MaySee = Callable[[Model], bool]  # whether a reader sees all rows of a kind


@dataclass(frozen=True)
class Event:
    """`who` did `what`, as a sentence has it: "Mike Chen", "moved the ticket to on hold"."""

    when: datetime
    who: Who
    what: str


def sees_all_of(page: Any, request: HttpRequest) -> bool:
    """Whether the reader may see every row of a page's kind: who sees some of them only must not read
    in the audit trail about the others.
    """
    return bool(admin.ModelAdmin.has_view_permission(page, request))


class History:
    """What has happened to a row, newest first: a piece of it is read with a fixed number of queries.

    Of `hidden` fields only that they changed. Other rows are named if they are of a kind that the
    reader `may_see`; a mechanic is named to all who work here.
    """

    def __init__(self, row: models.Model, hidden: set[str], may_see: MaySee) -> None:
        self.hidden, self.may_see = hidden, may_see
        kind = ContentType.objects.get_for_model(row)
        entries = LogEntry.objects.filter(content_type=kind, object_pk=str(row.pk))
        self.entries = entries.select_related("content_type", "actor").order_by("-id")

    def read(self, start: int, stop: int) -> list[Event]:
        """Those from `start` to before `stop`; fewer at the end."""
        return self.told(deferred.piece(self.entries, start, stop))

    def told(self, entries: Iterable[LogEntry]) -> list[Event]:
        """Each entry as a sentence."""
        return read_out(entries, self.may_see, lambda _: self.hidden)


def read_out(
    entries: Iterable[LogEntry], may_see: MaySee, hidden: Callable[[LogEntry], set[str]]
) -> list[Event]:
    """Each entry as a sentence, without the fields that are `hidden` of what it is about; a query or two
    for each kind of row that they name."""
    entries = list(entries)
    names, people = _names(entries, may_see), _people(entries, may_see)
    return [
        Event(entry.timestamp, _who(entry, people), sentence(entry, hidden(entry), names))
        for entry in entries
    ]


def _who(entry: LogEntry, people: Names) -> Who:
    facts = facts_of(entry)
    role, number = str(facts.get("role", "")), facts.get("profile_id")
    if role not in settings.ROLES or number is None:
        return who_of(entry.actor, role)
    # By its number: an account that was closed has no profile any more, and its name stays.
    hat = f"{role} {number}"
    name = people.get((_profile(role), number))
    return Who(name, hat) if name else Who(hat)


def facts_of(entry: LogEntry) -> dict[str, Any]:
    """What an entry says besides changes: the role, an event, why."""
    return entry.additional_data or {}


def sentence(entry: LogEntry, hidden: set[str], names: Names = NO_NAMES) -> str:
    """What an entry says was done, to follow the name of whoever did it."""
    if entry.action == LogEntry.Action.ACCESS:
        return _event(entry, names)
    model = entry.content_type.model_class()
    if entry.action == LogEntry.Action.CREATE:
        return _whole(getattr(model, "entered_as", "entered this"), entry, model, hidden, names)
    if entry.action == LogEntry.Action.DELETE:
        return _whole("deleted this", entry, model, hidden, names)
    done = "; ".join(_told(entry, model, hidden, names)) or "changed this"
    why = facts_of(entry).get("why")
    return f"{done} ({why})" if why else done


def _event(entry: LogEntry, names: Names) -> str:
    facts = facts_of(entry)
    event = " ".join(str(facts[fact]) for fact in ("event", "said") if fact in facts)
    about = next((role for role in settings.ROLES if role in facts), None)
    if about is None:
        return event
    number = facts[about]
    return f"{event}: {names.get((_profile(about), number)) or f'{about} {number}'}"


def _whole(done: str, entry: LogEntry, model: Any, hidden: set[str], names: Names) -> str:
    """A row that came or went, with what it said, in the order of its fields."""
    said = {
        name: text
        for name, (old, new) in _changed(entry)
        if name not in hidden and (text := _shown(model, name, old if new is None else new, names))
    }
    order = [field.name for field in model._meta.fields] if model else []
    named = [name for name in order if name in said]
    named += [name for name in said if name not in order]
    return ": ".join(
        filter(None, [done, "; ".join(f"{_label(model, name)} {said[name]}" for name in named)])
    )


def _told(entry: LogEntry, model: Any, hidden: set[str], names: Names) -> Iterator[str]:
    """Each field that was changed, and how."""
    apart = dict(_changed(entry))
    for name, change in (entry.changes or {}).items():
        label = _label(model, name)
        if name in hidden:
            yield f"changed {label}"
        elif isinstance(change, Mapping):  # a many-to-many field: groups, permissions
            verb = "added" if change["operation"] == "add" else "took away"
            yield f"{verb} {label}: {', '.join(change['objects'])}"
        elif name not in apart:  # a secret, or erased
            yield f"changed {label}"
        else:
            old, new = (_shown(model, name, value, names) for value in change)
            if not old:
                yield f"set {label} to {new}"
            elif not new:
                yield f"emptied {label}: {old}"
            elif old == new:  # two of one name
                yield f"changed {label} from {old} (no. {change[0]}) to {new} (no. {change[1]})"
            else:
                yield f"changed {label} from {old} to {new}"


def _changed(entry: LogEntry) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Each field with its old and its new value, where they can be told apart: of a secret they cannot."""
    for name, change in (entry.changes or {}).items():
        if not isinstance(change, Mapping) and change[0] != change[1]:
            yield name, (change[0], change[1])


def _field(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except (AttributeError, FieldDoesNotExist):  # of an earlier release
        return None


def _label(model: Any, name: str) -> str:
    """The field's name as a sentence has it: "stock", where a heading is "in stock"."""
    told_as: Mapping[str, str] = getattr(model, "told_as", {})
    return told_as.get(name) or str(
        getattr(_field(model, name), "verbose_name", name.replace("_", " "))
    )


def _shown(model: Any, name: str, value: Any, names: Names) -> str:
    """A value as the shop says it; empty for nothing."""
    field = _field(model, name)
    if value in (None, ""):
        return ""
    if value == ERASED:
        return ERASED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value)).lower()
    if isinstance(field, models.ForeignKey):
        other: Any = field.related_model
        return names.get((other, value)) or f"no. {value}"
    if isinstance(field, models.DateField):  # a moment is one, too
        return _shown_time(field, str(value))
    return str(value)


def _shown_time(field: models.DateField, text: str) -> str:
    """As the pages show it; the trail has moments in UTC, without saying so."""
    if isinstance(field, models.DateTimeField):
        moment = parse_datetime(text)
        return text if moment is None else date_format(_local(moment), "j M Y, H:i")
    day = parse_date(text)
    return text if day is None else date_format(day, "j M Y")


def _local(moment: datetime) -> datetime:
    return localtime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _profile(role: str) -> Model:
    return apps.get_model(settings.ROLES[role])


def _people(entries: list[LogEntry], may_see: MaySee) -> Names:
    """What those are called who did it."""
    asked: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        facts = facts_of(entry)
        if facts.get("role") in settings.ROLES and "profile_id" in facts:
            asked[facts["role"]].add(facts["profile_id"])
    return _called({_profile(role): numbers for role, numbers in asked.items()}, may_see)


def _names(entries: list[LogEntry], may_see: MaySee) -> Names:
    """What the rows that these entries name by number are called."""
    asked: dict[Model, set[int]] = defaultdict(set)
    for entry in entries:
        facts = facts_of(entry)
        for role in settings.ROLES:
            if role in facts:
                asked[_profile(role)].add(facts[role])
        for name, values in _changed(entry):
            field = _field(entry.content_type.model_class(), name)
            if isinstance(field, models.ForeignKey):
                asked[field.related_model].update(v for v in values if isinstance(v, int))
    return _called(asked, may_see)


def _called(asked: Mapping[Model, set[int]], may_see: MaySee) -> Names:
    colleagues = _profile(Role.MECHANIC)
    return {
        (model, row.pk): str(row)
        for model, numbers in asked.items()
        if model is colleagues or may_see(model)
        for row in model._base_manager.filter(pk__in=numbers)
    }
