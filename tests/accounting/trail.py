"""What the audit trail says: its entries as single changes, and the shop they add up to."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db import models

from autoful.audit import ERASED, UNTRACKED

Row = dict[str, Any]
Rows = dict[str, dict[int, Row]]

MASKED = "********"
A_MOMENT = "a moment"  # stands for any time within the operation
MODELS: dict[str, type[models.Model]] = {m._meta.model_name: m for m in auditlog.get_models()}


def fields_of(kind: str) -> list[Any]:
    """The audited columns of a kind of row."""
    return [f for f in MODELS[kind]._meta.concrete_fields if f.name not in UNTRACKED]


def many_of(kind: str) -> list[str]:
    return [field.name for field in MODELS[kind]._meta.many_to_many]


def plain(value: Any) -> Any:
    """A value as an entry writes it: JSON's own kinds, and anything else in words."""
    if isinstance(value, datetime.datetime):
        return str(value.astimezone(datetime.UTC).replace(tzinfo=None))
    if isinstance(value, models.Model):
        return value.pk
    return str(value) if isinstance(value, str | Decimal | datetime.date) else value


def unset(kind: str) -> Row:
    """A row of which nothing has been said: what entries take a new one to have been before."""
    return dict.fromkeys(f.name for f in fields_of(kind)) | {n: set() for n in many_of(kind)}


@dataclass(frozen=True)
class Change:
    """One field of one row: the old and the new value, or the name that joined or left it.

    `done` is what happened to the row (create, update, delete), or to the field (add, delete).
    """

    kind: str
    pk: int
    done: str
    field: str
    values: tuple[Any, ...]


def changes_in(entry: LogEntry) -> Iterable[Change]:
    """What an entry says, field by field; times are told to be times, and no more."""
    kind, done = entry.content_type.model, entry.get_action_display()
    times = {f.name for f in fields_of(kind) if isinstance(f, models.DateTimeField)}
    for field, said in (entry.changes or {}).items():
        if isinstance(said, dict):
            for name in said["objects"]:
                yield Change(kind, entry.object_id, said["operation"], field, (name,))
        else:
            values = [A_MOMENT if field in times and v is not None else v for v in said]
            yield Change(kind, entry.object_id, done, field, tuple(values))


def replay(entries: Iterable[LogEntry]) -> Rows:
    """The shop that the entries, oldest first, make out of nothing.

    Every audited field of every row as the entries write values; what has been erased reads
    `erased`. Raises AssertionError where an entry does not follow from those before it.
    """
    shop: Rows = {kind: {} for kind in MODELS}
    for entry in entries:
        kind, pk = entry.content_type.model, entry.object_id
        rows, changes = shop[kind], entry.changes or {}
        if entry.action == LogEntry.Action.ACCESS:
            continue
        if entry.action == LogEntry.Action.CREATE:
            assert pk not in rows, f"{kind} {pk} is made twice"
            rows[pk] = unset(kind)
        assert pk in rows, f"{kind} {pk} is not there when entry {entry.pk} changes it"
        for field, said in changes.items():
            if isinstance(said, dict):  # a many-to-many field, by name
                step = set.union if said["operation"] == "add" else set.difference
                rows[pk][field] = step(rows[pk][field], said["objects"])
                continue
            old, new = said
            there = rows[pk][field]
            known = entry.action != LogEntry.Action.CREATE and ERASED not in (old, there)
            assert not known or old == there, f"{kind} {pk} {field}: {there!r}, then {old!r}"
            if kind == "group" and field == "name":
                for user in shop["user"].values():
                    user["groups"] = {new if name == old else name for name in user["groups"]}
            rows[pk][field] = new
        if entry.action == LogEntry.Action.DELETE:
            del rows[pk]
    return shop


def present() -> Rows:
    """The shop as it is, in the same words."""
    shop: Rows = {}
    for kind, model in MODELS.items():
        fields = fields_of(kind)
        columns = {field.name: field.attname for field in fields}
        rows = model._base_manager.order_by("pk")
        shop[kind] = {
            row["pk"]: {name: plain(row[column]) for name, column in columns.items()}
            for row in rows.values("pk", *columns.values())
        }
        for name in many_of(kind):
            for row in rows.prefetch_related(name):
                shop[kind][row.pk][name] = {str(other) for other in getattr(row, name).all()}
        for row in shop[kind].values():
            row |= {name: MASKED for name in ("password",) if name in row}
    return shop


def differences(one: Rows, other: Rows) -> list[str]:
    """Where two shops are not the same, in words."""
    found = []
    for kind in MODELS:
        for pk in sorted({*one[kind], *other[kind]}):
            here, there = one[kind].get(pk), other[kind].get(pk)
            if here is None or there is None:
                found.append(f"{kind} {pk}: {here} and {there}")
                continue
            found += [
                f"{kind} {pk} {field}: {here[field]!r} and {there[field]!r}"
                for field in here
                if here[field] != there[field]
            ]
    return found
