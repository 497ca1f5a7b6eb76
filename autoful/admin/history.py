"""An entry of the audit trail, in words for whoever reads it."""

from collections.abc import Iterator, Mapping

from auditlog.models import LogEntry
from django.utils.html import format_html, format_html_join


def describe(entry: LogEntry, hidden: set[str]) -> str:
    """What an entry of the audit trail says, as HTML; of `hidden` fields only that they changed."""
    if event := _event(entry):
        return format_html("{}", event)
    return format_html_join("", "<div><b>{}</b>: {}</div>", _changes(entry, hidden))


def told(entry: LogEntry, hidden: set[str]) -> str:
    """The same as a text of one line."""
    return _event(entry) or "; ".join(f"{name}: {text}" for name, text in _changes(entry, hidden))


def _event(entry: LogEntry) -> str:
    facts = entry.additional_data or {}
    event = " ".join(str(facts[fact]) for fact in ("event", "said") if fact in facts)
    return f"mechanic {facts['mechanic']} {event}" if "mechanic" in facts else event


def _changes(entry: LogEntry, hidden: set[str]) -> Iterator[tuple[str, str]]:
    """Each field that was changed, and how."""
    for field, change in (entry.changes or {}).items():
        name = field.replace("_", " ")
        if field in hidden:
            yield name, "changed"
        elif isinstance(change, Mapping):  # a many-to-many field: groups, permissions
            yield name, f"{change['operation']}: {', '.join(change['objects'])}"
        else:
            old, new = ("-" if value in (None, "") else value for value in change)
            if old != new or old != "-":  # a new row's empty fields say nothing
                yield name, f"{old} → {new}" if old != "-" else str(new)
