"""One patient: due when and why, contactable or not and why, what happened; call, book, opt out."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import opt_out
from patients.models import Patient
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from recall import closing, contact_stop, contactability, episodes, selectors, staff_tasks, timeline
from recall.booking import book
from recall.wording import due_words
from sightsync.lib import clock


def _load(request: StaffRequest, patient_id: str) -> Patient:
    rows = Patient.objects.filter(practice=request.practice, erased_at=None)
    return access.load(rows.select_related("practice"), patient_id)


@require_safe
@access.require("patients.view")
def show(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    context = {
        "patient": patient,
        "due_words": due_words(patient),
        "panel": contactability.panel(practice=request.practice, patient=patient, now=clock.now()),
        "events": timeline.of_patient(patient),
        "appointment": book.ahead(patient=patient),
        "episode": selectors.open_episode(patient),
        "tasks": selectors.tasks_of(patient),
        "takes_over": staff_tasks.TAKES_OVER,
    }
    return render(request, "patients/detail.html", context)


class ClosingForm(forms.Form):
    """Why a record is closed."""

    because = forms.ChoiceField(
        choices=closing.Because.choices,
        label="Why?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why, then close the record."},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("patients.edit")
def close(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    form = ClosingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        because = closing.Because(form.cleaned_data["because"])
        closing.close(patient=patient, because=because, actor=Actor.user(request.user))
        messages.success(request, f"The record of {patient} is closed. Nobody contacts them.")
        return redirect("recall:patient", patient.public_id)
    context = {"patient": patient, "form": form, "appointment": book.ahead(patient=patient)}
    status = 400 if request.method == "POST" else 200
    return render(request, "patients/close.html", context, status=status)


@require_safe
@access.require("patients.opt_out")
def ask_opt_out(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    return render(request, "patients/opt_out.html", {"patient": patient, "reasons": REASONS})


REASONS = (
    (opt_out.Reason.CONSENT_IN_PERSON, "They said so at the practice"),
    (opt_out.Reason.CONSENT_BY_PHONE, "They said so on the phone"),
    (opt_out.Reason.CONSENT_IN_WRITING, "They wrote to us"),
    (opt_out.Reason.RECORDED_BY_MISTAKE, "It was recorded by mistake"),
)


@require_POST
@access.require("patients.opt_out")
def record_opt_out(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    contact_stop.opt_out(
        practice=request.practice,
        patients=[patient],
        source="staff",
        actor=Actor.user(request.user),
    )
    messages.success(request, f"{patient} will not be contacted again. Nothing more leaves.")
    return redirect("recall:patient", patient.public_id)


@require_POST
@access.require("patients.opt_out")
def withdraw_opt_out(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    reason = request.POST.get("reason", "")
    if reason not in {code.value for code, _ in REASONS}:
        messages.error(request, "Choose why contact is allowed again. Nothing was changed.")
        return redirect("recall:ask-opt-out", patient.public_id)
    opt_out.withdraw(
        patient=patient,
        reason=opt_out.Reason(reason),
        source="staff",
        actor=Actor.user(request.user),
    )
    messages.success(request, f"{patient} may be contacted again.")
    return redirect("recall:patient", patient.public_id)


@require_POST
@access.require("patients.call")
def call(request: StaffRequest, patient_id: str) -> HttpResponse:
    """Open a recall by name: the call leaves as soon as every rule allows it."""
    patient = _load(request, patient_id)
    panel = contactability.panel(practice=request.practice, patient=patient, now=clock.now())
    if not panel.reachable:
        messages.error(request, f"{panel.heading}. Nothing was planned; the reasons are below.")
        return redirect("recall:patient", patient.public_id)
    episodes.ensure_open(
        practice=request.practice,
        patients=[patient],
        campaign=None,
        actor=Actor.user(request.user),
    )
    messages.success(request, f"{patient} is next in line. Watch it happen below.")
    return redirect("recall:patient", patient.public_id)
