"""An entry of the audit trail, in words for whoever reads it."""

from collections.abc import Mapping

from auditlog.models import LogEntry
from django.utils.html import format_html, format_html_join


def describe(entry: LogEntry, hidden: set[str]) -> str:
    """What an entry of the audit trail says, as HTML; of `hidden` fields only that they changed."""
    rows = []
    for field, change in (entry.changes or {}).items():
        name = field.replace("_", " ")
        if field in hidden:
            rows.append((name, "changed"))
        elif isinstance(change, Mapping):  # a many-to-many field: groups, permissions
            rows.append((name, f"{change['operation']}: {', '.join(change['objects'])}"))
        else:
            old, new = ("-" if value in (None, "") else value for value in change)
            if old != new or old != "-":  # a new row's empty fields say nothing
                rows.append((name, f"{old} → {new}" if old != "-" else new))
    facts = entry.additional_data or {}
    if "event" in facts:
        return format_html("{}", facts["event"])
    return format_html_join("", "<div><b>{}</b>: {}</div>", rows)
