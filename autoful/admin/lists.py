"""What a list of the back office may be asked: the filters on its page, and a search of some words.

Yes or no is an answer too. Whoever may ask a list what they like finds out by it, letter for
letter, what no page shows them.
"""

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeListSearchForm
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Page, Paginator
from django.db import DataError, OperationalError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from autoful import deferred
from autoful.unavailable import unavailable

# Every word is looked for in every column that is searched.
LONGEST_SEARCH, MOST_WORDS = 200, 10

# Of each way in which a row may be found, the newest; who gets so many has typed too little.
MOST_FOUND = 1_000
MOST_APART = 4  # words that are also looked for one by one
# Rows in whose texts a word is looked for: nothing finds it there but reading them.
RECENT = 20_000
# The `search_fields` of a page that says its `ways_to_find`: Django shows no box without any.
SEARCHED = ("pk",)
MOST_LISTED = 10_000  # rows that can be leafed through; their OFFSET costs milliseconds

NOT_UNDERSTOOD = (
    "A filter or a search could not be understood, so all is shown. Write days like 2026-03-31."
)

# What Django's filters put behind the name of their column, each for its kind of column.
ENDINGS = (
    *("", "__exact", "__id__exact", "__isnull", "__isempty", "__gte", "__lt"),
    *("_from", "_to"),  # DaysFilter's
)


def offered(list_filter: Any) -> set[str]:
    """The whole lookups that the filters of a page send."""
    lookups = set()
    for entry in list_filter:
        if isinstance(entry, type):
            lookups.add(entry.parameter_name)  # type: ignore[attr-defined]
        else:
            column = entry if isinstance(entry, str) else entry[0]
            lookups |= {column + ending for ending in ENDINGS}
    return lookups


def is_too_much(text: str) -> bool:
    """Whether a search for this costs more than one should."""
    return len(text) > LONGEST_SEARCH or len(text.split()) > MOST_WORDS


def newest(rows: Any) -> list[Any]:
    """The numbers of the newest MOST_FOUND of these rows. Read once, and handed on as numbers: found in
    a question inside another one, they are looked for again when they are counted."""
    return deferred.numbers_of(rows.order_by("-pk"), 0, MOST_FOUND)


def _found(rows: Any, ways: list[Q]) -> set[Any]:
    """The numbers of those that are found in any of the ways."""
    return {number for way in ways for number in newest(rows.filter(way))}


class AtLeast(int):
    """A number of which is known that there are so many or more."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class BoundedPaginator(Paginator):
    """Pages of a list of any length without counting it: at most MOST_LISTED rows are looked at, and
    whoever looks for one that is further on has a search and filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found = rows.order_by()[:MOST_LISTED].count()
        return AtLeast(found) if found == MOST_LISTED else found

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        stop = min(start + self.per_page, self.count)
        rows: Any = self.object_list
        return Page(rows.filter(pk__in=self.numbers(start, stop)), number, self)

    def numbers(self, start: int, stop: int) -> list[Any]:
        """Those of the rows of a page, which are found first and read then."""
        rows: Any = self.object_list
        return deferred.numbers_of(rows, start, stop)


class SearchForm(ChangeListSearchForm):
    def clean_q(self) -> str:
        text = str(self.cleaned_data[SEARCH_VAR])
        if is_too_much(text):
            bounds = f"at most {LONGEST_SEARCH} characters and {MOST_WORDS} words"
            raise forms.ValidationError(f"Search for {bounds}.")
        return text


class ShopChangeList(ChangeList):
    search_form_class = SearchForm

    def get_ordering_field(self, field_name: Any) -> Any:
        # Django's `sortable_by` takes the arrows off a column, and sorts by it for whoever asks.
        sortable = field_name in self.sortable_by
        return super().get_ordering_field(field_name) if sortable else None

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        # Ties are settled in the direction of the column: an index has both in one.
        ordering = list(super().get_ordering(request, queryset))
        first, last = ordering[0], ordering[-1]
        if isinstance(first, str) and str(last).lstrip("-") in ("id", "pk"):
            ordering[-1] = "-pk" if first.startswith("-") else "pk"
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            # They are all: otherwise the theme offers to show all of them.
            self.full_result_count = self.result_count


class ShopList(ModelAdmin):
    """The list of a page.

    `private_fields` names those that only holders of a permission see: {"cost": "inventory.view_cost"}.
    What a list is searched by names none of them: `search_fields`, or `ways_to_find`.
    """

    paginator: Any = BoundedPaginator
    show_full_result_count = False
    # A count for each choice of each filter, over the whole table; the server goes on counting when
    # whoever asked has long been refused.
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    # Unfold looks for these in every row, and Django takes long to find that something is not there.
    list_sections = ()
    conditional_fields: ClassVar[dict[str, str]] = {}
    private_fields: ClassVar[dict[str, str]] = {}

    def hidden_fields(self, user: Any) -> set[str]:
        return {field for field, needed in self.private_fields.items() if not user.has_perm(needed)}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        hidden = self.hidden_fields(request.user)
        return [column for column in super().get_list_display(request) if column not in hidden]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        hidden = self.hidden_fields(request.user)
        filters = super().get_list_filter(request)
        return [one for one in filters if (one[0] if isinstance(one, tuple) else one) not in hidden]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if is_too_much(search_term):
            # From a box in which a row is picked: the list's own search has said so.
            return queryset.none(), False
        words = search_term.split()
        ways = self.ways_to_find(request, " ".join(words)) if words else None
        if ways is None:
            return super().get_search_results(request, queryset, search_term)
        found = _found(queryset, ways)
        if 1 < len(words) <= MOST_APART:
            found |= self._found_apart(request, queryset, words)
        return queryset.filter(pk__in=found), False

    def _found_apart(self, request: HttpRequest, queryset: Any, words: list[str]) -> set[Any]:
        """What each of the words finds, by whatever way: "whitlow tacoma" an owner's car."""
        # The longest finds least, and the others are looked for among what it found alone.
        longest, *others = sorted(words, key=len, reverse=True)
        every = _found(queryset, self.ways_to_find(request, longest) or [])
        for word in others:
            if not every:
                break
            ways = self.ways_to_find(request, word, every) or []
            every = _found(queryset.filter(pk__in=every), ways)
        return every

    def ways_to_find(
        self, request: HttpRequest, text: str, among: Collection[int] | None = None
    ) -> list[Q] | None:
        """How a search of the list finds rows, each way by an index of its own; None: as Django does, in
        every column that is searched, which reads the whole table and may be done to short ones.

        Together in one question, the database would read the table from its end until a page is full.
        Where other rows are looked for first, those that belong to the rows `among` which it looks will do.
        """
        return None

    def recently(self, condition: Q) -> Q:
        """Those of the newest RECENT rows on which `condition` holds."""
        last = self.model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        return condition & Q(pk__gt=(last or 0) - RECENT)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Django lets a list be filtered by any of its own columns: ?salary__gt=50000 would tell,
        # and an expression that never ends (SQLite's are Python's own) holds every thread.
        hidden = lookup.split("__")[0] in self.hidden_fields(request.user)
        asked = lookup in offered(self.get_list_filter(request))
        return asked and not hidden and super().lookup_allowed(lookup, value, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        # Django takes the name of a relation that points here for a column.
        try:
            column = self.opts.get_field(to_field).concrete
        except FieldDoesNotExist:
            return False
        return column and super().to_field_allowed(request, to_field)

    def listed(self, request: HttpRequest) -> Any:
        """The rows of the list, by the filters and the search in the address. Raises
        IncorrectLookupParameters where the list would say what is wrong and show all."""
        if not SearchForm(request.GET).is_valid():
            raise IncorrectLookupParameters("a search out of bounds")
        try:
            return self.get_changelist_instance(request).queryset
        except ValueError as wrong:
            raise IncorrectLookupParameters(str(wrong)) from wrong

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ShopChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # No transaction: one takes SQLite's lock of all who write, and at READ COMMITTED it would
        # not make one moment of the page's queries. An action opens its own, as the outermost.
        if ERROR_FLAG in request.GET:
            messages.error(request, NOT_UNDERSTOOD)
        try:
            return super().changelist_view(request, extra_context)
        except (ValueError, OverflowError, DataError, OperationalError) as wrong:
            # A year of 99999, or a moment before the first, typed into the address: Django's own
            # page for it. That page itself asks for nothing.
            nothing_asked = set(request.GET) <= {ERROR_FLAG}
            if request.method != "GET" or nothing_asked or unavailable(wrong):
                raise
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
