"""The steps before anything is written: match the columns, fix the rows, check what will change."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from patients.csv_import import runs
from patients.import_pages import places
from patients.import_pages.fixing import Sheet
from patients.import_pages.matching import MatchForm
from patients.import_pages.outlook import Outlook
from patients.models import ImportRun
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError

_MAY = "imports.run"


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def match(request: StaffRequest, import_id: str) -> HttpResponse:
    run = places.draft(request, import_id)
    if run is None:
        return redirect("imports:show", import_id)
    form = MatchForm(
        runs.columns(run), runs.fields(), request.POST if request.method == "POST" else None
    )
    if request.method != "POST":
        return _match_page(request, run, form)
    actor = Actor.user(request.user)
    if form.is_valid():
        try:
            runs.match(run=run, mapping=form.mapping, date_orders=form.date_orders, actor=actor)
            runs.check(run=run, actor=actor)
        except AppError as refusal:
            form.refuse(refusal)
        else:
            return redirect(places.of(run))
    return _match_page(request, run, form, status=400)


def _match_page(
    request: StaffRequest, run: ImportRun, form: MatchForm, status: int = 200
) -> HttpResponse:
    context = {"run": run, "form": form, "steps": places.steps(run, places.MATCH)}
    return render(request, "patients/import/match.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def fix(request: StaffRequest, import_id: str) -> HttpResponse:
    """The bad rows, a page at a time. What was typed is kept even where it is not right yet."""
    run = places.draft(request, import_id)
    if run is None:
        return redirect("imports:show", import_id)
    if Outlook.of(run).is_working:
        return redirect("imports:check", run.public_id)
    sheet = Sheet(run, request.GET.get("start", ""))
    if request.method != "POST":
        return _fix_page(request, run, sheet)
    try:
        changed = sheet.save(request.POST, Actor.user(request.user))
    except AppError as refusal:
        return _refused(request, run, refusal)
    left = Sheet(run, request.GET.get("start", ""))
    if not left.total:
        return _reckon(request, run)
    left.say(changed, sheet.total)
    return _fix_page(request, run, left, status=400)


def _fix_page(
    request: StaffRequest, run: ImportRun, sheet: Sheet, status: int = 200
) -> HttpResponse:
    context = {"run": run, "sheet": sheet, "steps": places.steps(run, places.FIX)}
    return render(request, "patients/import/fix.html", context, status=status)


@require_POST
@access.require(_MAY)
def leave_out(request: StaffRequest, import_id: str) -> HttpResponse:
    """One row (``row``), or all that still have a problem."""
    run = places.draft(request, import_id)
    if run is None:
        return redirect("imports:show", import_id)
    actor, row = Actor.user(request.user), request.POST.get("row", "")
    if row and not (row.isascii() and row.isdigit() and len(row) < 8):
        raise Http404
    try:
        if row:
            runs.fix(run=run, row_number=int(row), cells=None, actor=actor)
        else:
            runs.leave_out_all(run=run, actor=actor)
    except AppError as refusal:
        return _refused(request, run, refusal)
    if row:
        messages.success(request, f"Row {row} is left out.")
    return redirect("imports:fix", run.public_id) if Sheet(run, "").total else _reckon(request, run)


def _refused(request: StaffRequest, run: ImportRun, refusal: AppError) -> HttpResponse:
    """Somebody else has started the import, or thrown it away, in the meantime."""
    messages.error(request, refusal.message)
    return redirect("imports:show", run.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def check(request: StaffRequest, import_id: str) -> HttpResponse:
    run = places.draft(request, import_id)
    if run is None:
        return redirect("imports:show", import_id)
    if request.method == "POST":
        return _reckon(request, run)
    outlook = Outlook.of(run)
    context: dict[str, Any] = {
        "run": run,
        "steps": places.steps(run, places.CHECK),
        "outlook": outlook,
    }
    if outlook.is_ready:
        context["examples"] = runs.examples(run, limit=5)
    return render(request, "patients/import/check.html", context)


def _reckon(request: StaffRequest, run: ImportRun) -> HttpResponse:
    try:
        runs.check(run=run, actor=Actor.user(request.user))
    except AppError as refusal:
        messages.error(request, refusal.message)
        return redirect("imports:match", run.public_id)
    return redirect(places.of(run))
