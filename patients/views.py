"""The list of patients, and correcting how one is reached.

One patient's page belongs to recall, which knows why they may be contacted.
"""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import listing, phone, records
from patients.models import Patient
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError


@require_safe
@access.require("patients.view")
def show_list(request: StaffRequest) -> HttpResponse:
    form = listing.FilterForm(request.GET)
    asked = listing.Asked.from_form(form)
    pages = Paginator(listing.patients(request.practice, asked), listing.PAGE_SIZE)
    return render(
        request,
        "patients/list.html",
        {"form": form, "asked": asked, "page": pages.get_page(request.GET.get("page"))},
    )


class ContactForm(forms.Form):
    """A number as people write it, and an address. Which are right is `records`' to say."""

    phone_number = forms.CharField(
        required=False,
        max_length=40,
        label="Phone number",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        required=False,
        max_length=254,
        label="Email address",
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
    )

    def refuse(self, error: AppError) -> None:
        """Shows by the field what the change function refused."""
        for name, found in error.extra.get("errors", {"phone_number": [error.message]}).items():
            self.add_error(name if name in self.fields else None, found)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("patients.edit")
def correct_contact(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    known = {"phone_number": phone.national(patient.phone_number), "email": patient.email}
    form, status = ContactForm(request.POST or None, initial=known), 200
    if request.method == "POST" and form.is_valid():
        try:
            _correct(patient, form.cleaned_data, Actor.user(request.user))
        except AppError as error:
            form.refuse(error)
            status = error.status
        else:
            messages.success(request, "Saved. Every rule is checked again with the new details.")
            return redirect("recall:patient", patient.public_id)
    context = {"patient": patient, "form": form}
    return render(request, "patients/contact.html", context, status=status)


@require_POST
@access.require("patients.edit")
def not_deceased(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    records.unmark_deceased(patient=patient, actor=Actor.user(request.user))
    messages.success(request, f"{patient} is no longer marked as deceased.")
    return redirect("recall:patient", patient.public_id)


@require_POST
@access.require("patients.edit")
def take_up(request: StaffRequest, patient_id: str) -> HttpResponse:
    patient = _load(request, patient_id)
    records.restore(patient=patient, actor=Actor.user(request.user))
    messages.success(request, f"{patient} is a patient of the practice again.")
    return redirect("recall:patient", patient.public_id)


def _load(request: StaffRequest, patient_id: str) -> Patient:
    rows = Patient.objects.filter(practice=request.practice, erased_at=None)
    return access.load(rows.select_related("practice"), patient_id)


def _correct(patient: Patient, details: dict[str, str], actor: Actor) -> None:
    """The number goes through its own door, which also takes back the mark of a wrong number."""
    number, email = details["phone_number"], details["email"]
    with transaction.atomic():
        if email != patient.email:
            records.update(patient=patient, data={"email": email}, source="staff", actor=actor)
        if number:
            records.correct_phone(patient=patient, phone_number=number, source="staff", actor=actor)
        elif patient.phone_number:
            records.update(patient=patient, data={"phone_number": ""}, source="staff", actor=actor)
