"""From the start of an import to its undoing: progress, result, what was left out, undo."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients.csv_import import runs
from patients.import_pages import places
from patients.import_pages.outlook import Outlook
from patients.models import ImportRun, ImportState, Patient
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError

UNDER_WAY = (ImportState.QUEUED, ImportState.RUNNING, ImportState.UNDOING)
_MAY = "imports.run"


@require_safe
@access.require(_MAY)
def show(request: StaffRequest, import_id: str) -> HttpResponse:
    run = places.load(request, import_id)
    if run.state == ImportState.DRAFT:
        return redirect(places.of(run))
    return render(request, "patients/import/show.html", _shown(run))


@require_safe
@access.require(_MAY)
def live(request: StaffRequest, import_id: str) -> HttpResponse:
    """The part that moves: of the check before an import, and of the import itself."""
    run = places.load(request, import_id)
    if run.state == ImportState.DRAFT:
        return _live_check(request, run)
    answer = render(request, "patients/import/_progress.html", _shown(run))
    if run.state not in UNDER_WAY:
        answer["HX-Refresh"] = "true"
    return answer


def _live_check(request: StaffRequest, run: ImportRun) -> HttpResponse:
    outlook = Outlook.of(run)
    answer = render(request, "patients/import/_checking.html", {"run": run, "outlook": outlook})
    if not outlook.is_working:
        answer["HX-Redirect"] = places.of(run)
    return answer


def _shown(run: ImportRun) -> dict[str, object]:
    progress = runs.progress(run)
    preview = runs.undo_preview(run)
    return {
        "run": run,
        "progress": progress,
        "written": progress.created + progress.updated,
        "under_way": run.state in UNDER_WAY,
        "preview": preview,
        "can_undo": preview.possible and bool(preview.created or preview.updated),
        "kept": _kept(run),
    }


def _kept(run: ImportRun) -> list[tuple[Patient, list[str]]]:
    """The patients whose later edits the undoing has left alone, with what was kept."""
    labels = {field.name: field.label for field in runs.fields()}
    fields = {entry["patient"]: entry["fields"] for entry in run.undone.get("kept", [])}
    known = Patient.objects.filter(practice=run.practice_id, pk__in=fields, erased_at=None)
    return [
        (patient, [labels.get(name, name) for name in fields[str(patient.pk)]])
        for patient in known.order_by("last_name", "first_name")
    ]


@require_POST
@access.require(_MAY)
def start(request: StaffRequest, import_id: str) -> HttpResponse:
    run = places.load(request, import_id)
    try:
        runs.start(run=run, user=request.user, actor=Actor.user(request.user))
    except AppError as refusal:
        messages.error(request, refusal.message)
        return redirect(places.of(run))
    return redirect("imports:show", run.public_id)


@require_POST
@access.require(_MAY)
def discard(request: StaffRequest, import_id: str) -> HttpResponse:
    run = places.load(request, import_id)
    try:
        runs.discard(run=run, actor=Actor.user(request.user))
    except AppError as refusal:
        messages.error(request, refusal.message)
        return redirect(places.of(run))
    messages.success(request, "Discarded. The file is deleted and nothing was imported.")
    return redirect("imports:list")


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("imports.undo")
def undo(request: StaffRequest, import_id: str) -> HttpResponse:
    """What undoing would do, and, sent, doing it."""
    run = places.load(request, import_id)
    if request.method == "POST":
        try:
            runs.undo(run=run, user=request.user, actor=Actor.user(request.user))
        except AppError as refusal:
            messages.error(request, refusal.message)
        return redirect("imports:show", run.public_id)
    shown = _shown(run)
    if not shown["can_undo"]:
        return redirect("imports:show", run.public_id)
    return render(request, "patients/import/undo.html", shown)


@require_safe
@access.require(_MAY)
def rejected(request: StaffRequest, import_id: str) -> HttpResponse:
    """The rows that are not imported, as they were in the file, each with the reason."""
    run = places.load(request, import_id)
    answer = HttpResponse(runs.rejected_csv(run), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="not-imported.csv"'
    return answer
