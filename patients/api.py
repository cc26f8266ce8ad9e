"""The API's patients: adding and changing through `records`, reading in one round trip.

DELETE is an erasure, which reaches into every floor: `gdpr.api` adds it to `PatientView`.
"""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from patients import api_shape, records, selectors
from patients.models import Patient, RiskCategory
from patients.serializers import (
    OnePatientSerializer,
    PatientBodySerializer,
    PatientChangeSerializer,
    PatientSerializer,
    WrittenPatientSerializer,
)
from practices import journal
from practices.api_access import ApiRequest, ApiView
from sightsync.lib import clock, ids
from sightsync.lib.api import errors, fields, lists, paging, render, schema
from sightsync.lib.errors import AppError

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
SOURCE = "api"

ID = schema.id_parameter("patient_id", "pat", "The patient's id.")
EXAMPLE: dict[str, Any] = {
    "id": "pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B",
    "first_name": "Jane",
    "last_name": "Smith",
    "phone_number": "+447700900001",
    "email": None,
    "risk_category": "diabetic",
    "last_eye_test_date": "2024-01-15",
    "next_clinical_due_date": "2025-01-15",
    "date_of_birth": None,
    "title": None,
    "clinical_notes": None,
    "external_id": None,
    "extended": {},
    "opted_out": False,
    "opted_out_at": None,
    "opted_out_channels": [],
    "contactable": True,
    "archived_at": None,
    "deceased_at": None,
    "erased_at": None,
    "created_at": "2026-03-11T09:00:00Z",
    "updated_at": "2026-03-11T09:00:00Z",
}
_SENT = {
    "first_name": "Jane",
    "last_name": "Smith",
    "phone_number": "07700900001",
    "last_eye_test_date": "2024-01-15",
    "risk_category": "diabetic",
}
_WRITTEN = {"success": True, "patient": EXAMPLE, "result": "created", "warnings": []}
_AMBIGUOUS = OpenApiExample(
    "Several patients share the number",
    response_only=True,
    status_codes=["409"],
    value={
        "error": "Several patients share this number and none has this name. Give an external_id,"
        " or update one of the candidates by its id.",
        "code": "ambiguous_patient",
        "candidates": ["pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B", "pat_01HXYZ7A1B2C3D4E5F6G7H8J9K"],
    },
)
_BAD_NUMBER = OpenApiExample(
    "Not a number we can use",
    response_only=True,
    status_codes=["422"],
    value={
        "error": "This is a premium-rate number.",
        "code": "invalid_phone",
        "reason": "premium_rate",
    },
)
_ERROR = {"$ref": "#/components/schemas/Error"}
_WRITE_ANSWERS = {
    200: WrittenPatientSerializer,
    409: OpenApiResponse(
        _ERROR,
        description="The details do not say which patient is meant (`candidates` has their ids),"
        " another patient has the external_id, or the record was erased.",
    ),
    422: OpenApiResponse(
        _ERROR, description="The number cannot be used; `reason` says why, as a code."
    ),
}


class PatientsView(ApiView):
    @extend_schema(
        operation_id="listPatients",
        summary="List patients due for recall",
        description="By due date, earliest first. Archived, deceased and erased patients are left"
        " out unless `status` asks for them. `total` counts the whole filtered list.",
        tags=["Patients"],
        parameters=[
            *schema.paging(DEFAULT_LIMIT, MAX_LIMIT),
            schema.text_parameter(
                "risk_category", "Only this category.", enum=list(RiskCategory.values)
            ),
            schema.bool_parameter("overdue_only", "Only those whose due date is past."),
            schema.date_parameter("due_from", "Due on or after this day."),
            schema.date_parameter("due_to", "Due up to and including this day."),
            OpenApiParameter(
                "opted_out",
                {"type": "boolean"},
                description="Only those who have, or have not, opted out of all contact.",
            ),
            OpenApiParameter(
                "updated_since",
                {"type": "string", "format": "date-time"},
                description="Changed at or after this instant, for keeping a copy in step.",
            ),
            schema.text_parameter("external_id", "The patient with this id of your own system."),
            schema.text_parameter(
                "status", "Which records.", enum=list(selectors.STATUSES), default="active"
            ),
        ],
        responses=schema.listed("Patient", "patients", PatientSerializer),
        examples=[
            OpenApiExample(
                "Overdue diabetic patients",
                response_only=True,
                value={"patients": [EXAMPLE], "total": 23, "limit": 50, "offset": 0},
            ),
            OpenApiExample(
                "With size and start",
                response_only=True,
                value={
                    "data": [EXAMPLE],
                    "pagination": {
                        "start": 1,
                        "requested_size": 1,
                        "returned_count": 1,
                        "total": 23,
                        "hasMore": True,
                    },
                },
            ),
        ],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        asked = paging.window(request.GET, default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        practice = request.practice.pk
        query = request.META.get("QUERY_STRING", "")
        found, total = api_shape.PATIENTS.page(
            _chosen(request, (practice, query, clock.today())), asked, journal.version(practice)
        )
        return render.answer(asked.answer("patients", found, total))

    @extend_schema(
        operation_id="upsertPatient",
        summary="Add or update a patient",
        description="Updates the patient who has this phone number, or adds one. With an"
        " `external_id` that is the key instead, and a number may be shared within a household."
        " Without one, first and last name decide among patients who share the number. A field"
        " that is left out keeps its value. A number on the do-not-contact list is taken as a"
        " record that is never contacted, and `warnings` says so.",
        tags=["Patients"],
        request=PatientBodySerializer,
        responses=_WRITE_ANSWERS,
        examples=[
            OpenApiExample("A patient", request_only=True, value=_SENT),
            OpenApiExample("Added", response_only=True, status_codes=["200"], value=_WRITTEN),
            _AMBIGUOUS,
            _BAD_NUMBER,
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        form = PatientBodySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        result = records.upsert(
            practice=request.practice, data=form.validated_data, source=SOURCE, actor=self.actor
        )
        return render.answer(api_shape.written(result))


class PatientView(ApiView):
    @extend_schema(
        operation_id="getPatient",
        summary="Fetch a single patient record",
        description="Archived, deceased and erased records too; an erased one is anonymous.",
        tags=["Patients"],
        parameters=[ID],
        responses=OnePatientSerializer,
        examples=[OpenApiExample("A patient", response_only=True, value={"patient": EXAMPLE})],
    )
    def get(self, request: ApiRequest, patient_id: str) -> HttpResponse:
        found = api_shape.PATIENTS.one(practice=request.practice.pk, id=key_of(patient_id))
        if found is None:
            raise no_such_patient()
        return render.answer({"patient": found})

    @extend_schema(
        operation_id="updatePatient",
        summary="Update specific patient fields",
        description="Only fields in the body are changed.",
        tags=["Patients"],
        parameters=[ID],
        request=PatientChangeSerializer,
        responses=_WRITE_ANSWERS,
        examples=[
            OpenApiExample(
                "Another category",
                request_only=True,
                value={"risk_category": "glaucoma_suspect", "last_eye_test_date": "2025-06-01"},
            ),
            OpenApiExample(
                "Changed",
                response_only=True,
                status_codes=["200"],
                value={**_WRITTEN, "result": "updated"},
            ),
            _BAD_NUMBER,
        ],
    )
    def patch(self, request: ApiRequest, patient_id: str) -> HttpResponse:
        patient = selectors.patient(request.practice, patient_id)
        form = PatientChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        patient.practice = request.practice
        result = records.update(
            patient=patient, data=form.validated_data, source=SOURCE, actor=self.actor
        )
        return render.answer(api_shape.written(result))


def key_of(patient_id: str) -> UUID:
    """The key in the path. Raises AppError 404: a malformed id is nobody's."""
    try:
        return ids.decode(Patient.PREFIX, patient_id)
    except ids.BadId:
        raise no_such_patient() from None


def no_such_patient() -> AppError:
    return AppError("patient_not_found", "There is no such patient.", 404)


_kept: dict[tuple[UUID, str, date], lists.Chosen] = {}
_MOST_KEPT = 512


def _chosen(request: ApiRequest, name: tuple[UUID, str, date]) -> lists.Chosen:
    """Compiled once for a practice, query and day, on which alone the filter depends."""
    try:
        return _kept[name]
    except KeyError:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[name] = found = api_shape.PATIENTS.chosen(_filtered(request))
        return found


def _filtered(request: ApiRequest) -> "QuerySet[Any, Any]":
    query, practice = request.GET, request.practice
    status = fields.query_choice(query, "status", selectors.STATUSES) or "active"
    rows: QuerySet[Any, Any] = selectors.with_status(practice, status)
    if risk := fields.query_choice(query, "risk_category", RiskCategory.values):
        rows = rows.filter(risk_category=risk)
    if fields.query_bool(query, "overdue_only"):
        rows = rows.filter(next_clinical_due_date__lt=clock.today())
    if "opted_out" in query:
        rows = rows.filter(opted_out_at__isnull=not fields.query_bool(query, "opted_out"))
    if external_id := query.get("external_id"):
        rows = rows.filter(external_id=external_id)
    if since := fields.query_time(query, "updated_since"):
        rows = rows.filter(updated_at__gte=since)
    return _due_between(rows, request)


def _due_between(rows: "QuerySet[Any, Any]", request: ApiRequest) -> "QuerySet[Any, Any]":
    first, last = (fields.query_date(request.GET, name) for name in ("due_from", "due_to"))
    if first and last and last < first:
        raise errors.InvalidFields({"due_to": ["This is before due_from."]})
    if first:
        rows = rows.filter(next_clinical_due_date__gte=first)
    return rows.filter(next_clinical_due_date__lte=last) if last else rows


urlpatterns = [path("patients", PatientsView.as_view())]
