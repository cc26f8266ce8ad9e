"""GET /calls and GET /calls/{id}."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema

from patients.models import Patient
from practices.api_access import ApiRequest, ApiView
from recall.api.documenting import APPOINTMENT, CALL, PATIENT, error, given, key_of
from recall.api.serializers import CallSerializer
from recall.models import Attempt
from recall.selectors import for_api
from recall.voice import recordings
from sightsync.lib.api import fields, paging, render, schema

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_TAG = ["Calls"]
EXAMPLE: dict[str, Any] = {
    "id": CALL,
    "patient_id": PATIENT,
    "call_status": "booked",
    "duration": 74,
    "appointment_booked": True,
    "appointment_booked_at": "2026-03-15T10:23:14Z",
    "ai_summary": "Patient agreed to book — Thursday 2pm confirmed.",
    "call_outcome_notes": None,
    "recording_url": f"https://app.sightsync.io/api/v1/calls/{CALL}/recording",
    "is_complete": True,
    "created_at": "2026-03-15T10:22:00Z",
    "patient": {"first_name": "Jane", "last_name": "Smith"},
    "outcome": "booked",
    "reason": None,
    "started_at": "2026-03-15T10:22:01Z",
    "answered_at": "2026-03-15T10:22:09Z",
    "ended_at": "2026-03-15T10:23:23Z",
    "appointment_id": APPOINTMENT,
    "campaign_id": None,
    "extended": {},
}


class CallsView(ApiView):
    @extend_schema(
        operation_id="listCalls",
        summary="List calls",
        description="Newest first. `from` and `to` are days in London. A call that was cancelled"
        " before it was placed is `failed`.",
        tags=_TAG,
        parameters=[
            *schema.paging(DEFAULT_LIMIT, MAX_LIMIT),
            schema.id_parameter("patient_id", Patient.PREFIX, "Only this patient's.", "query"),
            schema.text_parameter(
                "status", "Only of this status.", enum=list(for_api.CALL_STATUSES)
            ),
            schema.date_parameter("from", "Asked for on or after this day."),
            schema.date_parameter("to", "Asked for up to and including this day."),
        ],
        responses=schema.listed("Call", "calls", CallSerializer),
        examples=[given({"calls": [EXAMPLE], "total": 1, "limit": 10, "offset": 0})],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        query = request._request.GET
        window = paging.window(query, default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        rows = for_api.calls(
            request.practice,
            status=fields.query_choice(query, "status", list(for_api.CALL_STATUSES)),
            patient_id=fields.query_id(query, "patient_id", Patient.PREFIX),
            first=fields.query_date(query, "from"),
            last=fields.query_date(query, "to"),
        )
        page = for_api.call_rows(for_api.page(rows, window.offset, window.limit))
        return render.answer(window.answer("calls", page, rows.order_by().count()))


class CallView(ApiView):
    @extend_schema(
        operation_id="getCall",
        summary="Get a call's status and outcome",
        description="No envelope. `is_complete` becomes true when nothing more can come of it.",
        tags=_TAG,
        parameters=[schema.id_parameter("call_id", Attempt.PREFIX, "The call's id.")],
        responses=CallSerializer,
        examples=[given(EXAMPLE)],
    )
    def get(self, request: ApiRequest, call_id: str) -> HttpResponse:
        found = for_api.call(request.practice, key_of(Attempt.PREFIX, call_id))
        if found is None:
            raise Http404
        return render.answer(found)


class RecordingView(ApiView):
    @extend_schema(
        operation_id="getCallRecording",
        summary="Listen to a call",
        description="What `recording_url` leads to. Patients are told at the start of the call that"
        " it is recorded; what one refused is deleted and never to be had, the others are kept for"
        " 30 days.",
        tags=_TAG,
        parameters=[schema.id_parameter("call_id", Attempt.PREFIX, "The call's id.")],
        responses={
            (200, "audio/mpeg"): OpenApiTypes.BINARY,
            404: error("There is no such call, or no recording of it."),
            503: error("The carrier does not answer."),
        },
        examples=[
            OpenApiExample(
                "A recording",
                response_only=True,
                status_codes=["200"],
                media_type="audio/mpeg",
                value="The bytes of an MP3.",
            ),
            OpenApiExample(
                "No recording",
                response_only=True,
                status_codes=["404"],
                value={"error": "There is no recording of this call.", "code": "no_recording"},
            ),
        ],
    )
    def get(self, request: ApiRequest, call_id: str) -> HttpResponse:
        calls = for_api.calls(request.practice).select_related("practice")
        found = calls.filter(pk=key_of(Attempt.PREFIX, call_id)).first()
        if found is None:
            raise Http404
        return HttpResponse(
            recordings.sound(found),
            content_type="audio/mpeg",
            headers={
                "Content-Disposition": f'attachment; filename="{found.public_id}.mp3"',
                "Cache-Control": "no-store",
            },
        )


urlpatterns = [
    path("calls", CallsView.as_view()),
    path("calls/<str:call_id>", CallView.as_view()),
    path("calls/<str:call_id>/recording", RecordingView.as_view()),
]
