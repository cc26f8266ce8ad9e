"""The API's data protection: data subject requests, and DELETE of a patient."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from gdpr import access_export, data_requests, erasure
from gdpr.models import DataRequest, RequestStatus, RequestType
from gdpr.serializers import (
    DataRequestBodySerializer,
    DataRequestSerializer,
    ErasedSerializer,
    ExportSerializer,
    OneDataRequestSerializer,
)
from patients import api as patients_api
from patients import selectors
from patients.models import Patient
from practices.api_access import ApiRequest, ApiView
from sightsync.lib import ids
from sightsync.lib.api import fields, paging, render, schema
from sightsync.lib.errors import AppError

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
ID = schema.id_parameter("request_id", "dsr", "The request's id.")
_COLUMNS = ("id", "patient_id", "type", "status", "submitted_at", "completed_at", "due_on")
_TAG = "GDPR data requests"
_EXAMPLE = {
    "id": "dsr_01HXYZ8C3D4E5F6G7H8J9K0M1N",
    "patient_id": "pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B",
    "type": "erasure",
    "status": "completed",
    "submitted_at": "2026-03-10T09:00:00Z",
    "completed_at": "2026-03-10T09:01:00Z",
    "due_date": "2026-04-10",
}
_TAKEN = {**_EXAMPLE, "status": "processing", "completed_at": None}
_READY = {
    **_EXAMPLE,
    "type": "access",
    "download_path": "/api/v1/data-requests/dsr_01HXYZ8C3D4E5F6G7H8J9K0M1N/download",
    "download_expires_at": "2026-03-17T09:01:00Z",
}
_EXPORT = {
    "patient_id": "pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B",
    "practice": {"name": "Acuity Opticians", "email": "hello@acuity.example"},
    "generated_at": "2026-03-10T09:01:00Z",
    "sections": [
        {"name": "Patient", "title": "The record", "rows": [{"first_name": "Jane"}]},
        {"name": "CallTurn", "title": "What was said on calls", "rows": []},
    ],
}
_ERROR = {"$ref": "#/components/schemas/Error"}


class PatientView(patients_api.PatientView):
    """The patients' view, with the method that reaches into every floor."""

    scopes: ClassVar = {"DELETE": "admin"}
    works_unpaid = frozenset({"DELETE"})

    @extend_schema(
        operation_id="erasePatient",
        summary="Erase all patient PII (right to erasure)",
        description="Replaces name, number, address, dates, notes and whatever else is held of the"
        " patient, clears transcripts and messages, and cancels what was planned, appointments"
        " ahead included. The record stays as an anonymous one for the audit trail, and the wish"
        " not to be contacted stays as a keyed hash: should the number come in again, the record is"
        " taken and never contacted. It cannot be undone; a repeat gets the same answer. Works"
        " without a subscription.",
        tags=["Patients"],
        parameters=[patients_api.ID],
        responses={200: ErasedSerializer},
        examples=[
            OpenApiExample(
                "Erased",
                response_only=True,
                value={"success": True, "message": "Patient PII permanently erased."},
            )
        ],
    )
    def delete(self, request: ApiRequest, patient_id: str) -> HttpResponse:
        patient = selectors.patient(request.practice, patient_id)
        erasure.erase(patient=patient, actor=self.actor)
        return render.answer({"success": True, "message": "Patient PII permanently erased."})


class DataRequestsView(ApiView):
    scopes: ClassVar = {"GET": "admin", "POST": "admin"}
    works_unpaid = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="listDataRequests",
        summary="List all GDPR data subject requests",
        description="The latest first. Works without a subscription.",
        tags=[_TAG],
        parameters=[
            *schema.paging(DEFAULT_LIMIT, MAX_LIMIT),
            schema.text_parameter("type", "Only this type.", enum=list(RequestType.values)),
            schema.text_parameter("status", "Only this status.", enum=list(RequestStatus.values)),
            schema.id_parameter("patient_id", "pat", "This patient's.", OpenApiParameter.QUERY),
        ],
        responses=schema.listed("DataRequest", "requests", DataRequestSerializer),
        examples=[
            OpenApiExample(
                "Requests",
                response_only=True,
                value={"requests": [_EXAMPLE], "total": 1, "limit": 100, "offset": 0},
            )
        ],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        query = request.GET
        rows = DataRequest.objects.filter(practice=request.practice)
        if kind := fields.query_choice(query, "type", RequestType.values):
            rows = rows.filter(type=kind)
        if status := fields.query_choice(query, "status", RequestStatus.values):
            rows = rows.filter(status=status)
        if patient := fields.query_id(query, "patient_id", Patient.PREFIX):
            rows = rows.filter(patient_id=patient)
        return render.answer(
            paging.listed(
                rows.order_by("-submitted_at", "-id"),
                query,
                name="requests",
                shape=_shape,
                columns=_COLUMNS,
                default=DEFAULT_LIMIT,
                maximum=MAX_LIMIT,
            )
        )

    @extend_schema(
        operation_id="submitDataRequest",
        summary="Submit a GDPR data subject request",
        description="Taken in at once and carried out within seconds: ask for the request again"
        " until its status is completed. An erasure does what DELETE /patients/{id} does. While one"
        " of the same type is being carried out for the patient, that one is answered. Works"
        " without a subscription.",
        tags=[_TAG],
        request=DataRequestBodySerializer,
        responses={
            202: DataRequestSerializer,
            404: OpenApiResponse(_ERROR, description="There is no such patient."),
        },
        examples=[
            OpenApiExample(
                "An erasure",
                request_only=True,
                value={"patient_id": "pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B", "type": "erasure"},
            ),
            OpenApiExample("Taken in", response_only=True, status_codes=["202"], value=_TAKEN),
            OpenApiExample(
                "No such patient",
                response_only=True,
                status_codes=["404"],
                value={"error": "There is no such patient.", "code": "patient_not_found"},
            ),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        form = DataRequestBodySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        patient = selectors.patient(request.practice, str(form.validated_data["patient_id"]))
        made = data_requests.submit(
            practice=request.practice,
            patient=patient,
            kind=form.validated_data["type"],
            actor=self.actor,
        )
        return render.answer(_of(made), 202)


class DataRequestView(ApiView):
    scopes: ClassVar = {"GET": "admin"}
    works_unpaid = frozenset({"GET"})

    @extend_schema(
        operation_id="getDataRequest",
        summary="Get a data subject request",
        description="With the path of its download once an access request is completed. Works"
        " without a subscription.",
        tags=[_TAG],
        parameters=[ID],
        responses=OneDataRequestSerializer,
        examples=[OpenApiExample("Ready", response_only=True, value=_READY)],
    )
    def get(self, request: ApiRequest, request_id: str) -> HttpResponse:
        found = _find(request, request_id)
        ready = data_requests.may_download(found)
        return render.answer(
            {
                **_of(found),
                "download_path": (
                    f"/api/v1/data-requests/{found.public_id}/download" if ready else None
                ),
                "download_expires_at": render.instant(found.export_expires_at) if ready else None,
            }
        )


class DownloadView(ApiView):
    scopes: ClassVar = {"GET": "admin"}
    works_unpaid = frozenset({"GET"})

    @extend_schema(
        operation_id="downloadDataRequest",
        summary="Download what an access request found",
        description="Everything held about the patient, as JSON, as a page to read, or both in an"
        " archive. Kept for seven days. Works without a subscription.",
        tags=[_TAG],
        parameters=[
            ID,
            schema.text_parameter(
                "as", "In which form.", enum=list(access_export.FORMATS), default="zip"
            ),
        ],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (200, "application/json"): ExportSerializer,
            (200, "text/html"): OpenApiTypes.STR,
            409: OpenApiResponse(_ERROR, description="The export is not ready, or failed."),
            410: OpenApiResponse(_ERROR, description="The export is not kept any more."),
        },
        examples=[
            OpenApiExample(
                "As JSON",
                response_only=True,
                status_codes=["200"],
                media_type="application/json",
                value=_EXPORT,
            )
        ],
    )
    def get(self, request: ApiRequest, request_id: str) -> HttpResponse:
        wanted = fields.query_choice(request.GET, "as", list(access_export.FORMATS)) or "zip"
        found = _find(request, request_id)
        return access_export.file(
            data_requests.exported(found), name=found.public_id, wanted=wanted
        )


def _find(request: ApiRequest, request_id: str) -> DataRequest:
    try:
        key = ids.decode(DataRequest.PREFIX, request_id)
    except ids.BadId:
        raise _no_such_request() from None
    found = DataRequest.objects.filter(practice=request.practice, pk=key).first()
    if found is None:
        raise _no_such_request()
    return found


def _no_such_request() -> AppError:
    return AppError("data_request_not_found", "There is no such data request.", 404)


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    return _answer(**row)


def _of(row: DataRequest) -> dict[str, Any]:
    return _answer(**{name: getattr(row, name) for name in _COLUMNS})


def _answer(*, id: UUID, patient_id: UUID, due_on: Any, **rest: Any) -> dict[str, Any]:
    times = {name: render.instant(rest[name]) for name in ("submitted_at", "completed_at")}
    return {
        "id": ids.encode(DataRequest.PREFIX, id),
        "patient_id": ids.encode(Patient.PREFIX, patient_id),
        "type": str(rest["type"]),
        "status": str(rest["status"]),
        **times,
        "due_date": due_on,
    }


urlpatterns = [
    path("patients/<str:patient_id>", PatientView.as_view()),
    path("data-requests", DataRequestsView.as_view()),
    path("data-requests/<str:request_id>", DataRequestView.as_view()),
    path("data-requests/<str:request_id>/download", DownloadView.as_view()),
]
