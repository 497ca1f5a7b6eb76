"""The back office's forms: what was typed into them, and what was not.

Two people at one form: a field that somebody else has changed meanwhile is not written over.

Each field carries what it showed when the page was opened. What was typed differs from that in
what its person changed, and only that is written.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms import MultipleHiddenInput
from django.http import HttpRequest
from django.utils.html import format_html

from autoful.errors import DomainError

SETTLED = "_shown"  # behind the name of a field


def minding_others(form: type[forms.ModelForm]) -> type[forms.ModelForm]:
    """The form, which refuses a field that says by now something else than it did on the page.

    It says what that is, and so does the page that comes back: who saves that writes over it knowingly.
    """

    class MindingOthers(form):  # type: ignore[valid-type, misc]
        data: Any

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            sent = [name for name in self.fields if self.add_initial_prefix(name) in self.data]
            for name, field in self.fields.items():
                if field.disabled or not self.instance.pk:  # nothing that others could change
                    continue
                # Who sends back no such value is no page of ours; but of none of many, none is sent.
                is_sent = name in sent or (sent and field.hidden_widget is MultipleHiddenInput)
                field.show_hidden_initial = bool(is_sent) or not self.is_bound
                if is_sent and name not in sent:
                    # Or the page that comes back would carry what was typed in its place.
                    self._was_shown(name, [])

        def clean(self) -> Any:
            cleaned = super().clean() or self.cleaned_data
            for name in self.changed_data:
                bound, field = self[name], self.fields[name]
                if not field.show_hidden_initial:
                    continue
                shown = self._widget_data_value(field.hidden_widget(), bound.html_initial_name)
                # Both to the same: then neither is lost.
                differ = field.has_changed(bound.initial, bound.data)
                if differ and field.has_changed(bound.initial, shown):
                    self.add_error(name, changed_meanwhile(_said(field, bound.initial)))
                    self._show_now(name)
            for name in self.fields.keys() - set(self.changed_data):
                if isinstance(self.fields[name], forms.ModelMultipleChoiceField):
                    # Django would write it as it was on the page.
                    cleaned.pop(name, None)
            return cleaned

        def _show_now(self, name: str) -> None:
            bound, field = self[name], self.fields[name]
            now = field.hidden_widget().format_value(field.prepare_value(bound.initial))
            self._was_shown(name, now if isinstance(now, list) else [now or ""])

        def _was_shown(self, name: str, values: list[Any]) -> None:
            self.data = self.data.copy()
            self.data.setlist(self.add_initial_prefix(name), values)

    return MindingOthers


def changed_meanwhile(now: str) -> str:
    done = f"changed this to “{now}”" if now else "emptied this"
    return f"Somebody else has {done} since you opened the page. Save once more to keep yours."


def _said(field: forms.Field, value: Any) -> str:
    """What a field says, in words."""
    value = field.prepare_value(value)
    if isinstance(field, forms.ModelChoiceField):
        rows: Any = field.queryset
        picked = rows.filter(pk__in=value if isinstance(value, list) else [value])
        return ", ".join(map(field.label_from_instance, picked))
    if isinstance(field, forms.BooleanField):
        return "yes" if value else "no"
    said = field.widget.format_value(value)
    return "" if said is None else str(said)


def is_row_number(text: str) -> bool:
    """Whether it can be a row's number; what cannot may be an error to ask the database for."""
    return text.isdecimal() and len(text) <= 18


def label_cells(form: forms.BaseForm, index: int | None) -> None:
    """Say of the boxes in a row of a table what they are of: their columns' headings do so to the eye.
    `index` is None for the row of which new ones are made."""
    row = "new row" if index is None else f"row {index + 1}"
    for name, field in form.fields.items():
        label = field.label or name.replace("_", " ")
        field.widget.attrs["aria-label"] = f"{str(label).capitalize()}, {row}"


class RowPicker(AutocompleteSelect):
    """The box in which a row is looked for by its name. It shows no row for what is none."""

    def optgroups(self, name: str, value: Sequence[Any], attr: Any = None) -> Any:
        numbers = [pk for pk in value if is_row_number(str(pk))]
        return super().optgroups(name, numbers, attr)


class Settled(forms.Widget):
    """In place of a box: words about what it holds and what stays; for a field that is disabled.

    The words are sent along, for a page that has to be drawn once more when nobody knows them any more.
    """

    read_only = True  # so that Django asks it, too, where the page is only read

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, name: str, *args: Any, **kwargs: Any) -> Any:
        sent = format_html(
            '<input type="hidden" name="{}" value="{}">', f"{name}{SETTLED}", self.text
        )
        return format_html("{}{}", self.text, sent)


class PicksRows:
    """A page, or a table on one, whose `autocomplete_fields` are row pickers.

    Whoever may not see what is picked picks nothing: a number in the address would be told by its name.
    """

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        page: Any = self
        if db_field.name in page.get_autocomplete_fields(request):
            kwargs.setdefault(
                "widget", RowPicker(db_field, page.admin_site, using=kwargs.get("using"))
            )
            picked = page.admin_site._registry.get(db_field.related_model)
            if picked is None or not picked.has_view_permission(request):
                kwargs["queryset"] = db_field.related_model._default_manager.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


def add_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Show on `form` what a verb said, at its field where it names one."""
    field = getattr(refusal, "field", None)
    form.add_error(field if field in form.fields else None, refusal.message)
