"""Data protection: patients' requests for their data or its erasure, taken in, followed, answered.

The same door as the API's: `data_requests.submit`.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gdpr import access_export, data_requests
from gdpr.models import DataRequest, RequestStatus, RequestType
from patients import listing
from patients.models import Patient
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from recall.booking import book
from sightsync.lib import clock
from sightsync.lib.errors import AppError

PAGE_SIZE = 50
FOUND_AT_MOST = 20
_MAY = "data.manage"
_STATES = (
    (RequestStatus.FAILED, "Needs you"),
    (RequestStatus.PROCESSING, "Being carried out"),
    (RequestStatus.COMPLETED, "Done"),
)


class SearchForm(forms.Form):
    q = forms.CharField(
        required=False,
        max_length=80,
        label="Name, number or PMS id",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


@require_safe
@access.require(_MAY)
def index(request: StaffRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    status = status if status in RequestStatus.values else ""
    rows = _requests(request)
    if status:
        rows = rows.filter(status=status)
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "status": status,
        "statuses": _STATES,
        "today": clock.today(),
    }
    return render(request, "gdpr/requests.html", context)


@require_safe
@access.require(_MAY)
def choose(request: StaffRequest) -> HttpResponse:
    """Whose request it is. Archived and deceased patients are found here too: theirs counts."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = listing.named(_patients(request), text) if text else Patient.objects.none()
    rows = list(found.order_by("last_name", "first_name", "pk")[: FOUND_AT_MOST + 1])
    context = {
        "form": form,
        "text": text,
        "found": rows[:FOUND_AT_MOST],
        "more": len(rows) > FOUND_AT_MOST,
    }
    return render(request, "gdpr/choose.html", context)


@require_safe
@access.require(_MAY)
def of_patient(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = access.load(_patients(request), patient_id)
    context = {"patient": patient, "before": _requests(request).filter(patient=patient)[:20]}
    return render(request, "gdpr/patient.html", context)


@require_POST
@access.require(_MAY)
def export(request: StaffRequest, patient_id: str) -> HttpResponse:
    return _submit(request, access.load(_patients(request), patient_id), RequestType.ACCESS)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def erase(request: StaffRequest, patient_id: str) -> HttpResponse:
    """Asks first: nothing brings the data back."""
    patient = access.load(_patients(request), patient_id)
    if request.method == "POST":
        return _submit(request, patient, RequestType.ERASURE)
    context = {"patient": patient, "appointment": book.ahead(patient=patient)}
    return render(request, "gdpr/erase.html", context)


@require_safe
@access.require(_MAY)
def show(request: StaffRequest, request_id: str) -> HttpResponse:
    found = access.load(_requests(request), request_id)
    context: dict[str, Any] = {
        "asked": found,
        "may_download": data_requests.may_download(found),
        "is_erasure": found.type == RequestType.ERASURE,
    }
    return render(request, "gdpr/request.html", context)


@require_safe
@access.require(_MAY)
def download(request: StaffRequest, request_id: str) -> HttpResponse:
    found = access.load(_requests(request), request_id)
    wanted = request.GET.get("as", "")
    try:
        return access_export.file(
            data_requests.exported(found),
            name=found.public_id,
            wanted=wanted if wanted in access_export.FORMATS else "zip",
        )
    except AppError as error:
        messages.error(request, error.message)
        return redirect("gdpr:show", found.public_id)


def _patients(request: StaffRequest) -> QuerySet[Patient]:
    return Patient.objects.filter(practice=request.practice, erased_at=None)


def _requests(request: StaffRequest) -> QuerySet[DataRequest]:
    rows = DataRequest.objects.filter(practice=request.practice).select_related("patient")
    return rows.order_by("-submitted_at", "-id")


def _submit(request: StaffRequest, patient: Patient, kind: RequestType) -> HttpResponse:
    made = data_requests.submit(
        practice=request.practice, patient=patient, kind=kind, actor=Actor.user(request.user)
    )
    return redirect("gdpr:show", made.public_id)
