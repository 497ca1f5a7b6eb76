"""Rows shown on the page of what they belong to."""

from typing import Any

from django.contrib.admin.utils import flatten_fieldsets
from django.forms.utils import ErrorDict
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from autoful.actor import Actor
from autoful.admin.forms import PicksRows, label_cells, minding_others
from autoful.admin.links import NoDeadLinks
from autoful.errors import DomainError

MOST_NEW = 100  # rows that are added at once
GONE_MEANWHILE = (
    "Somebody else took this row away since you opened the page. Remove it here too, or open the page "
    "again."
)


class VerbFormSet(PaginationInlineFormSet):
    """Rows that verbs write, in the transaction of their page."""

    refusal: DomainError | None = None  # what a verb said of a row, when the page comes back

    def save_by_verbs(self, parent: Any, actor: Actor) -> None:
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            if self.refusal is not None and self.refusal.row == form.prefix:
                form.add_error(None, self.refusal.message)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        label_cells(form, index)

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        if self.is_bound and i < self.initial_form_count():
            if form.instance.pk is None:
                _pass_over(form)
            elif not _had_boxes(form):
                _leave(form)
        return form

    def get_queryset(self) -> Any:
        """Each form's own row, in the order of the forms: Django pairs them when it draws the page once
        more, and one that has gone meanwhile would move all others."""
        if self.is_bound and "forms" in self.__dict__:
            return [form.instance for form in self.forms[: self.initial_form_count()]]
        return super().get_queryset()

    @property
    def added(self) -> list[Any]:
        """The forms of new rows that somebody filled in."""
        new = [form for form in self.extra_forms if form.has_changed()]
        return [form for form in new if form not in self.deleted_forms]

    @property
    def corrected(self) -> list[Any]:
        """The forms of rows that are there, in which somebody changed something."""
        changed = [form for form in self.initial_forms if form.has_changed()]
        return [form for form in changed if form not in self.deleted_forms]

    def shown(self, form: Any, name: str) -> str:
        """What a field of a row said on the page; nothing where it was no box."""
        return str(self.data.get(form.add_initial_prefix(name), ""))

    @property
    def removed(self) -> list[Any]:
        """The rows that are to go, without those that are gone already."""
        return [form.instance for form in self.deleted_forms if form.instance.pk]


def _had_boxes(form: Any) -> bool:
    """Whether the row stood on the page to be written, and not only to be read."""
    return any(box.html_name in form.data for box in form.visible_fields())


def _leave(form: Any) -> None:
    """Nothing was typed into it, and nothing is wrong with it."""
    form._errors, form.cleaned_data, form.changed_data = ErrorDict(), {}, []


def _pass_over(form: Any) -> None:
    """A row that somebody else took away meanwhile is just gone, unless something was typed into it."""
    pairs = []
    for name, field in form.fields.items():
        if (shown := form.add_initial_prefix(name)) in form.data:
            pairs.append((form.data[shown], form.data.get(form.add_prefix(name))))
            field.show_hidden_initial = True  # or the page that comes back would not be told again
    is_to_go = form.add_prefix("DELETE") in form.data
    _leave(form)
    if not is_to_go and any(shown != typed for shown, typed in pairs):
        form.add_error(None, GONE_MEANWHILE)


class VerbInline(PicksRows, TabularInline):
    """`parent_field` is the column that points at what the page is of."""

    parent_field = ""
    formset = VerbFormSet
    extra = 0
    hide_title = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs = {"form": minding_others(self.form)} | kwargs
        if request.method == "POST":
            # As many as the page says are drawn, and one says so many for nothing.
            there = 0 if obj is None else self._rows(obj).count()
            kwargs |= {"max_num": there + MOST_NEW, "absolute_max": there + MOST_NEW}
            kwargs["validate_max"] = True
        formset = super().get_formset(request, obj, **kwargs)
        formset.refusal = getattr(request, "refusal", None)
        return formset

    def _rows(self, obj: Any) -> Any:
        return self.model._default_manager.filter(**{self.parent_field: obj})


class ReadOnlyFormSet(PaginationInlineFormSet):
    """Rows that are only shown: nothing that is posted is read.

    Django reads the posted count of rows and looks for each, also where none may be changed; a
    row written or gone since the page was opened would break the save.
    """

    limit = 25

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for posted in ("data", "files", "save_as_new"):
            kwargs.pop(posted, None)
        super().__init__(*args, **kwargs)

    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[: self.limit]
        return self._queryset

    def is_valid(self) -> bool:
        return True

    def save_by_verbs(self, parent: Any, actor: Actor) -> None:
        """Nothing to write."""


class ReadOnlyInline(NoDeadLinks, TabularInline):
    """The latest rows, to be read. Whoever may view their model sees them."""

    formset = ReadOnlyFormSet
    extra = 0
    hide_title = True
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
