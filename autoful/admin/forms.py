"""Two people at one form: a field that somebody else has changed meanwhile is not written over.

Each field carries what it showed when the page was opened. What was typed differs from that in
what its person changed, and only that is written.
"""

from typing import Any

from django import forms

CHANGED_MEANWHILE = "Somebody else has changed this since you opened the page. Open it again to see what it says now."


def minding_others(form: type[forms.ModelForm]) -> type[forms.ModelForm]:
    """The form, which refuses a field that says by now something else than it did on the page."""

    class MindingOthers(form):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for name, field in self.fields.items():
                # Who sends back no such value is no page of ours.
                sent = self.add_initial_prefix(name) in self.data
                field.show_hidden_initial = sent or not self.is_bound

        def clean(self) -> Any:
            cleaned = super().clean()
            for name in self.changed_data:
                bound, field = self[name], self.fields[name]
                if not field.show_hidden_initial:
                    continue
                shown = self._widget_data_value(field.hidden_widget(), bound.html_initial_name)
                # Both to the same: then neither is lost.
                differ = field.has_changed(bound.initial, bound.data)
                if differ and field.has_changed(bound.initial, shown):
                    self.add_error(name, CHANGED_MEANWHILE)
            return cleaned

    return MindingOthers
