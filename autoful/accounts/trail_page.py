"""The back office: the page of the audit trail."""

import heapq
from collections.abc import Iterable, Sequence
from copy import copy
from functools import partial
from itertools import islice
from typing import Any

import auditlog.admin  # noqa: F401  # registers its own page, which ours replaces
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import display

from autoful import deferred
from autoful.accounts.models import User
from autoful.actor import Role
from autoful.admin import ReadOnlyAdmin
from autoful.admin.filters import DaysFilter
from autoful.admin.forms import is_row_number
from autoful.admin.history import read_out, sees_all_of, sentence
from autoful.admin.lists import SEARCHED, BoundedPaginator, newest
from autoful.admin.people import back_office, colleague, colleagues_found_by
from autoful.sheets.writing import as_csv, newest_first, record_export

admin.site.unregister(LogEntry)

EXPORTED = ("When", "Who", "Role", "What", "Kind", "Object", "Changes", "Address", "Request")


TRAIL = "audit trail"  # as the navigation calls it; its model is not ours to name


def _exported(hidden: dict[Any, set[str]], names: Any, entry: LogEntry) -> list[Any]:
    kind = entry.content_type
    return [
        timezone.localtime(entry.timestamp).isoformat(timespec="seconds"),
        names(entry.actor),
        str((entry.additional_data or {}).get("role", "")),
        str(entry.get_action_display()),
        kind.name,
        entry.object_repr,
        sentence(entry, hidden[kind.model_class()]),
        entry.remote_addr or "",
        entry.cid or "",
    ]


def _account(user: User | None) -> str:
    return str(user or "")


def _colleague(user: User | None) -> str:
    """As on the page: by a name, and nobody's e-mail but that of the back office."""
    known = user is not None and (user.is_staff or hasattr(user, Role.MECHANIC))
    return colleague(user) if known else ""


def _pointing_at(queryset: Any, column: str, value: str) -> Any:
    """What a filter leaves of the rows: all where nothing is chosen, none for what is no number."""
    if not value:
        return queryset
    return queryset.filter(**{column: int(value)}) if is_row_number(value) else queryset.none()


def _named(opts: Any, one: str, many: str) -> Any:
    named = copy(opts)
    named.verbose_name, named.verbose_name_plural = one, many
    return named


# What was done, in the words of the shop. An "access" is what changes no row: a sign-in, or one that
# was refused, or who joins a team.
DONE = {
    LogEntry.Action.CREATE: "entered",
    LogEntry.Action.UPDATE: "changed",
    LogEntry.Action.DELETE: "deleted",
    LogEntry.Action.ACCESS: "event",
}


class DoneFilter(admin.SimpleListFilter):
    title = "what was done"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(action), done) for action, done in DONE.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return _pointing_at(queryset, "action", self.value() or "")


class ModelFilter(admin.SimpleListFilter):
    """By kind of object. Django's own filter would read the whole trail to see which there are."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = model_admin.kinds_shown(request)
        return sorted(((str(kind.pk), kind.name) for kind in kinds), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return _pointing_at(queryset, "content_type", self.value() or "")


class ActorFilter(admin.SimpleListFilter):
    """By whoever did it. The choices are those who may: staff and mechanics, and nobody at all."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # One by one: together, the whole table would be read.
        people = dict(User.objects.filter(is_staff=True).values_list("pk", "email"))
        # By their names, as in the list; what they sign in with is not everybody's to read.
        mechanics = User.objects.filter(mechanic__isnull=False)
        names = mechanics.values_list("pk", "mechanic__name", "mechanic")
        people |= {pk: f"{name} (mechanic {number})" for pk, name, number in names}
        named = self.value() or ""
        if is_row_number(named) and request.user.has_perm("accounts.view_user"):
            # Somebody who has left, or a customer.
            for pk, email in User.objects.filter(pk=named).values_list("pk", "email"):
                people.setdefault(pk, email)
        return [
            ("none", "Nobody who is known"),
            *((str(pk), name) for pk, name in sorted(people.items(), key=lambda one: one[1])),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value() or ""
        if value == "none":
            return queryset.filter(actor=None)
        return _pointing_at(queryset, "actor", value)


class KindByKind(BoundedPaginator):
    """Pages of the trail for whoever sees some kinds of rows only, newest first.

    Asked for all of theirs at once, MariaDB reads the whole trail from its end until it has found enough.
    """

    kinds: Sequence[ContentType] = ()

    def numbers(self, start: int, stop: int) -> list[Any]:
        rows: Any = self.object_list
        each = (deferred.numbers_of(rows.filter(content_type=kind), 0, stop) for kind in self.kinds)
        return list(islice(heapq.merge(*each, reverse=True), start, stop))


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who did what. An entry is shown to whoever may see what it is about."""

    list_display = ("when", "who", "done", "about", "said")
    list_display_links = ("when",)
    list_filter = (DoneFilter, ModelFilter, ActorFilter, ("timestamp", DaysFilter))
    list_filter_submit = True
    sortable_by = ()  # newest first, and nothing else: there is no end of it
    list_before_template = "admin/audit/export.html"
    list_select_related = ("actor", "content_type")
    search_fields = SEARCHED
    search_help_text = (
        "Who it was, an object's number, a request's id; an object's name in the newest 20,000."
    )
    fields = ("when", "who", "account", "done", "about", "said", "remote_addr", "cid")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # A customer's e-mail is not everybody's to read who may read about a part.
        sees = request.user.has_perm("accounts.view_user")
        return [field for field in self.fields if sees or field != "account"]

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        people = colleagues_found_by(request, text)
        return [
            Q(cid=text),
            Q(object_pk=text.removeprefix("#")),
            Q(actor__in=newest(people)),
            self.recently(Q(object_repr__icontains=text)),
        ]

    def kinds_shown(self, request: HttpRequest) -> list[ContentType]:
        pages = self.admin_site._registry.items()
        models = [model for model, page in pages if sees_all_of(page, request)]
        return list(ContentType.objects.get_for_models(*models).values()) if models else []

    def get_queryset(self, request: HttpRequest) -> Any:
        entries, kinds = super().get_queryset(request), self.kinds_shown(request)
        # All that is recorded is about rows that have a page.
        return entries if self._is_all(kinds) else entries.filter(content_type__in=kinds)

    def _is_all(self, kinds: Sequence[ContentType]) -> bool:
        return len(kinds) == len(self.admin_site._registry)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Those of some days in the order of the index by which these are found; of one kind, or of
        # the kinds that somebody sees, in that of the kind's.
        days = any(request.GET.get(name) for name in ("timestamp_from", "timestamp_to"))
        kinds = request.GET.get("object") or not self._is_all(self.kinds_shown(request))
        return ("-timestamp", "-id") if days and not kinds else ("-id",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        named = _named(self.opts, "entry", TRAIL)
        return super().changelist_view(request, {"opts": named, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        # As the list is called; the theme would name the model behind the entry.
        page: Any = super().render_change_form(request, context, *args, **kwargs)
        page.context_data |= {"opts": _named(self.opts, "entry", TRAIL), "original": ""}
        return page

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist: Any = super().get_changelist_instance(request)
        changelist.opts = _named(self.opts, "entry", "entries")  # which it counts
        self._read_out(request, changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, *args: Any) -> Any:
        entry = super().get_object(request, *args)
        self._read_out(request, [entry] if entry else [])
        return entry

    def _read_out(self, request: HttpRequest, entries: Iterable[LogEntry]) -> None:
        """Make of each the sentence that its columns show."""
        pages = self.admin_site._registry

        def may_see(model: Any) -> bool:
            return model in pages and sees_all_of(pages[model], request)

        def hidden(entry: LogEntry) -> set[str]:
            return pages[entry.content_type.model_class()].hidden_fields(request.user)

        for entry, event in zip(entries, read_out(entries, may_see, hidden), strict=True):
            entry.event = event

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        kinds = self.kinds_shown(request)
        if self._is_all(kinds):
            return super().get_paginator(request, queryset, *args, **kwargs)
        paginator = KindByKind(queryset, *args, **kwargs)
        paginator.kinds = kinds
        return paginator

    def get_urls(self) -> list[Any]:
        export = self.admin_site.admin_view(self.export)
        return [path("export/", export, name="auditlog_logentry_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The entries that the list shows, by its filters and its search, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        try:
            entries = self.listed(request)
        except IncorrectLookupParameters:
            return redirect(f"{reverse('admin:auditlog_logentry_changelist')}?{ERROR_FLAG}=1")
        # Not while they are read: then the request, and whose it is, are over.
        hidden = {
            model: page.hidden_fields(request.user)
            for model, page in self.admin_site._registry.items()
        }
        record_export(back_office(request), TRAIL, "csv")
        sees = request.user.has_perm("accounts.view_user")
        told = partial(_exported, hidden, _account if sees else _colleague)
        with_names = entries.select_related("content_type", "actor__mechanic")
        name = f"audit-{timezone.localdate()}.csv"
        return as_csv(name, EXPORTED, map(told, newest_first(with_names)))

    @display(description="when")
    def when(self, entry: LogEntry) -> str:
        moment = date_format(timezone.localtime(entry.timestamp), "DATETIME_FORMAT")
        return format_html('<span class="whitespace-nowrap">{}</span>', moment)

    @display(description="who")
    def who(self, entry: Any) -> str:
        return str(entry.event.who)

    @display(description="account")
    def account(self, entry: LogEntry) -> str:
        return str(entry.actor or "-")

    @display(description="what")
    def done(self, entry: LogEntry) -> str:
        return DONE[entry.action]

    @display(description="object")
    def about(self, entry: LogEntry) -> str:
        kind, called = entry.content_type.name, entry.object_repr
        text = called if called.lower().startswith(kind) else f"{kind} {called}"
        if entry.object_id is None or entry.action == LogEntry.Action.DELETE:
            return text
        model = entry.content_type
        url = reverse(f"admin:{model.app_label}_{model.model}_change", args=(entry.object_id,))
        return format_html('<a href="{}">{}</a>', url, text)

    @display(description="changes")
    def said(self, entry: Any) -> str:
        return str(entry.event.what) or "-"
