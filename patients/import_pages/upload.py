"""The first page: an upload box, how to get a file, and the imports there have been."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from patients.csv_import import reader, runs
from patients.import_pages import guides as written
from patients.import_pages import places, selectors
from patients.import_pages.forms import MEGABYTE, TOO_BIG, UploadForm
from patients.models import ImportRun
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib import spreadsheet
from sightsync.lib.errors import AppError

PAGE_SIZE = 20
_ROOM_FOR_THE_FORM = 64 * 1024
View = Callable[..., HttpResponse]


def _size_first(view: View) -> View:
    """Refuses a body that is announced as too large before anything reads it.

    Django's protection of forms reads the whole upload to find its token, hence a view that is
    exempt from it here and protected one step further in.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = 0
        if announced > reader.MAX_BYTES + _ROOM_FOR_THE_FORM:
            return _page(request, UploadForm.refused(TOO_BIG), status=413)
        return csrf_protect(view)(request, *args, **kwargs)

    return guarded


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@access.require("imports.run")
@_size_first
def index(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        too_big = form.has_error("file", "too_big")
        return _page(request, form, status=413 if too_big else 400)
    return _take(request, form)


def _take(request: StaffRequest, form: UploadForm) -> HttpResponse:
    file, actor = form.cleaned_data["file"], Actor.user(request.user)
    try:
        run = runs.upload(
            practice=request.practice,
            file_name=file.name,
            content=file.read(),
            user=request.user,
            actor=actor,
        )
        if runs.is_matched(run):
            runs.check(run=run, actor=actor)
    except reader.Unreadable as unreadable:
        form.add_error("file", str(unreadable))
        return _page(request, form, status=400)
    except AppError as refusal:
        form.add_error("file", refusal.message)
        return _page(request, form, refusal.status, _earlier(request, refusal))
    return redirect(places.of(run))


def _earlier(request: StaffRequest, refusal: AppError) -> ImportRun | None:
    """The import that the refusal speaks of, when the same file was imported before."""
    known = refusal.extra.get("import_id")
    return access.load(selectors.imports(request.practice), known) if known else None


def _page(
    request: StaffRequest, form: UploadForm, status: int = 200, earlier: ImportRun | None = None
) -> HttpResponse:
    page = Paginator(selectors.imports(request.practice), PAGE_SIZE)
    context = {
        "form": form,
        "page": page.get_page(request.GET.get("page")),
        "earlier": earlier,
        "max_bytes": reader.MAX_BYTES,
        "megabytes": reader.MAX_BYTES // MEGABYTE,
        "too_big": TOO_BIG,
    }
    return render(request, "patients/import/list.html", context, status=status)


@require_safe
@access.require("imports.run")
def guides(request: StaffRequest) -> HttpResponse:
    context = {"guides": written.GUIDES, "columns": written.COLUMNS}
    return render(request, "patients/import/guides.html", context)


@require_safe
@access.require("imports.run")
def example(request: StaffRequest) -> HttpResponse:
    answer = HttpResponse(spreadsheet.to_csv(written.EXAMPLE), content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="sightsync-example.csv"'
    return answer
