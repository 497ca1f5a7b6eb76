"""A list's way out into a spreadsheet and back: the pages of it."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from unfold.widgets import UnfoldAdminFileFieldWidget

from autoful.admin.pages import VerbAdmin
from autoful.admin.people import back_office
from autoful.api.errors import with_status_of
from autoful.errors import DomainError
from autoful.sheets import background, progress, staging
from autoful.sheets.importing import carry_out
from autoful.sheets.limits import LARGEST_FILE, MOST_ROWS
from autoful.sheets.looking import check
from autoful.sheets.models import Fate, SheetImport
from autoful.sheets.sheet import ShopSheet
from autoful.sheets.writing import MOST_IN_XLSX, as_csv, as_xlsx, record_export

Status = SheetImport.Status

NOTED = "noted"  # in the address, beside the fates: rows to be looked at twice
SHOWN = 100  # rows a page
NOTICED = 5.0  # seconds; who has to wait longer is told before
RECENT = 10


class FileForm(forms.Form):
    file = forms.FileField(
        label="File", widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx"})
    )


class SheetPages(VerbAdmin):
    """A page of the back office whose rows go out and in as spreadsheets, by its `sheet`."""

    sheet: ClassVar[type[ShopSheet]]
    list_before_template = "admin/sheets/above_list.html"

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        # Whoever may not import is refused before their file is read: the token of a form is in it.
        into = view(csrf_exempt(self.import_page))
        return [
            path("export/csv/", view(self.export_csv), name=f"{name}_export_csv"),
            path("export/xlsx/", view(self.export_xlsx), name=f"{name}_export_xlsx"),
            path("import/", into, name=f"{name}_import"),
            path("import/empty/", view(self.import_empty), name=f"{name}_import_empty"),
            path("import/<int:number>/", view(self.import_job), name=f"{name}_import_job"),
            *super().get_urls(),
        ]

    def may_import(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(self.sheet.rights()))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {
            "export_csv": self._url("export_csv"),
            "export_xlsx": self._url("export_xlsx"),
            "asked": request.GET.urlencode(),
        }
        if self.may_import(request):
            more["import_into"] = self._url("import")
        return super().changelist_view(request, more | (extra_context or {}))

    # --- Out ---

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """The rows that the list shows, by its filters and its search."""
        return self._export(request, "csv")

    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        return self._export(request, "xlsx")

    def _export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        try:
            rows = self.listed(request)
        except IncorrectLookupParameters:
            return redirect(f"{self._url('changelist')}?{ERROR_FLAG}=1")
        if kind == "xlsx" and rows.order_by()[: MOST_IN_XLSX + 1].count() > MOST_IN_XLSX:
            said = f"More than {MOST_IN_XLSX:,} rows go into a CSV, or in pieces: filter the list."
            self.message_user(request, said, messages.ERROR)
            return redirect(self._url("changelist"))
        plural = str(self.opts.verbose_name_plural)
        record_export(back_office(request), plural, kind)
        name = f"{plural.replace(' ', '-')}-{timezone.localdate()}.{kind}"
        as_file = as_csv if kind == "csv" else as_xlsx
        return as_file(name, *self.sheet(self, request.user).table(rows))

    # --- In ---

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """What a file must look like, and the box to put one into."""
        if not self.may_import(request):
            raise PermissionDenied
        page: HttpResponse = csrf_protect(self._import_page)(request)
        return page

    def _import_page(self, request: HttpRequest) -> HttpResponse:
        staging.forget_old()
        posted = request.method == "POST"
        form = FileForm(request.POST, request.FILES) if posted else FileForm()
        refused: DomainError | None = None
        if form.is_valid():
            actor = back_office(request)
            kind, file = self.opts.label_lower, form.cleaned_data["file"]
            before = self._waiting(request)
            try:
                job = staging.upload(kind=kind, file=file, actor=actor)
                self._start(request, job, check)
                if before is not None:
                    self.message_user(request, f"“{before}” is discarded. Nothing of it was saved.")
                return redirect(self._url("import_job", job.pk))
            except DomainError as refusal:
                form.add_error("file", refusal.message)
                refused = refusal
        sheet = self.sheet(self, request.user)
        context = {
            "form": form,
            "columns": [column for column in sheet.columns if column.read],
            "unread": [column.column_name for column in sheet.columns if not column.read],
            "largest": LARGEST_FILE,
            "most": MOST_ROWS,
            "empty": self._url("import_empty"),
            "export_xlsx": self._url("export_xlsx"),
            "waiting": self._waiting(request),
            "recent": self._mine(request)[:RECENT],
            "job_url": self._url("import"),
        }
        page = self._page(request, "admin/sheets/import.html", context, "Import")
        return with_status_of(refused, page) if refused else page

    def import_empty(self, request: HttpRequest) -> HttpResponseBase:
        """A workbook with the headings that are read, to be filled in."""
        if not self.may_import(request):
            raise PermissionDenied
        columns = [c.column_name for c in self.sheet(self, request.user).columns if c.read]
        name = f"{self.opts.verbose_name_plural}.xlsx".replace(" ", "-")
        return as_xlsx(name, columns, ())

    def import_job(self, request: HttpRequest, number: int) -> HttpResponse:
        """What becomes of the rows of one file; only whoever uploaded it sees it."""
        if not self.may_import(request):
            raise PermissionDenied
        job = get_object_or_404(self._mine(request), pk=number)
        if request.method == "POST":
            return self._told(request, job)
        return self._shown(request, job)

    def _told(self, request: HttpRequest, job: SheetImport) -> HttpResponse:
        actor = back_office(request)
        try:
            if "import" in request.POST:
                self._start(request, staging.begin_import(job=job, actor=actor), carry_out)
            elif "check" in request.POST:
                self._start(request, staging.begin_check(job=job, actor=actor), check)
            elif "discard" in request.POST:
                staging.discard(job=job, actor=actor)
                self.message_user(request, f"“{job}” is discarded. Nothing was saved.")
                return redirect(self._url("import"))
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        return redirect(self._url("import_job", job.pk))

    def _start(self, request: HttpRequest, job: SheetImport, work: Any) -> None:
        sheet = self.sheet(self, request.user)
        background.start(partial(work, job, sheet, back_office(request)), job)

    def _shown(self, request: HttpRequest, job: SheetImport) -> HttpResponse:
        busy = job.status in (Status.CHECKING, Status.IMPORTING)
        rows = job.rows.order_by("number").defer("cells")
        fate = request.GET.get("fate") or _first_of_interest(job)
        if fate in Fate.values:
            rows = rows.filter(fate=fate)
        elif fate == NOTED:
            rows = rows.filter(is_noted=True)
        pages = Paginator(rows, SHOWN)
        # Known already: the table is not counted for it.
        pages.count = {NOTED: job.noted, **job.counts}.get(fate, job.total)
        context = {
            "job": job,
            "busy": busy,
            "after": self._mine(request).filter(pk__gt=job.pk).order_by("pk").first(),
            "stale": busy and progress.is_stale(job),
            "progress": progress.of(job),
            "rows": pages.get_page(request.GET.get("page")) if not busy else None,
            "fate": fate,
            "fates": [(f.value, f.label, job.counts.get(f, 0)) for f in Fate],
            "takes": job.seconds if job.seconds > NOTICED else 0,
            "alone": connection.vendor == "sqlite",
            "list_url": self._url("changelist"),
            "import_url": self._url("import"),
        }
        page = self._page(request, "admin/sheets/job.html", context, "Import")
        if (not busy or context["stale"]) and "HX-Request" in request.headers:
            page["HX-Refresh"] = "true"  # the whole page is another one by now
        return page

    def _page(
        self, request: HttpRequest, template: str, context: dict[str, Any], title: str
    ) -> TemplateResponse:
        name = str(self.opts.verbose_name_plural)
        context |= {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(
            request, template, context | {"title": f"{title} {name}", "kind": name}
        )

    def _mine(self, request: HttpRequest) -> Any:
        user = staging.person(back_office(request))
        return SheetImport.objects.filter(user=user, kind=self.opts.label_lower)

    def _waiting(self, request: HttpRequest) -> SheetImport | None:
        user = staging.person(back_office(request))
        return staging.waiting(self.opts.label_lower, user).first()

    def _url(self, page: str, *args: Any) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args)


def _first_of_interest(job: SheetImport) -> str:
    """What is to be put right; else what changes among rows that stay as they are."""
    if job.refused:
        return Fate.REFUSED
    some = job.count(Fate.CHANGED) and job.count(Fate.SAME) and not job.count(Fate.NEW)
    return Fate.CHANGED if some else "all"
