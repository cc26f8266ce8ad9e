"""The API's appointments: the list, recording one made elsewhere, reading and changing one."""

from datetime import date, time, timedelta
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema

from patients import selectors as patients
from patients.models import Patient
from practices import access
from practices.api_access import ApiRequest, ApiView
from practices.journal import Actor
from practices.models import Practice
from recall.api import documenting, serializers
from recall.api.documenting import APPOINTMENT, CALL, PATIENT, given, key_of, sent
from recall.booking import book, elsewhere
from recall.models import Appointment, AppointmentStatus, Attempt, Channel
from recall.selectors import for_api
from sightsync.lib import clock, ids
from sightsync.lib.api import fields, paging, render, schema
from sightsync.lib.api.errors import InvalidFields
from sightsync.lib.errors import AppError

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
FURTHEST = timedelta(days=3653)
SOURCE = "api"
_TAG = ["Appointments"]
_ID = schema.id_parameter("appointment_id", Appointment.PREFIX, "The appointment's id.")
EXAMPLE: dict[str, Any] = {
    "id": APPOINTMENT,
    "patient_id": PATIENT,
    "appointment_date": "2026-03-15",
    "appointment_time": "10:30",
    "status": "booked",
    "patients": {
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "+447700900001",
        "risk_category": "diabetic",
    },
    "created_at": "2026-03-11T09:15:00Z",
    "starts_at": "2026-03-15T10:30:00Z",
    "ends_at": "2026-03-15T11:00:00Z",
    "source": "call",
    "call_id": CALL,
    "cancelled_at": None,
}
_RECORDED = {
    **EXAMPLE,
    "appointment_date": "2026-04-15",
    "appointment_time": "14:30",
    "created_at": "2026-03-19T11:00:00Z",
    "starts_at": "2026-04-15T13:30:00Z",
    "ends_at": "2026-04-15T14:00:00Z",
    "source": "api",
    "call_id": None,
}
_MOVED = {**EXAMPLE, "appointment_time": "11:00", "starts_at": "2026-03-15T11:00:00Z"} | {
    "ends_at": "2026-03-15T11:30:00Z"
}


class AppointmentsView(ApiView):
    @extend_schema(
        operation_id="listAppointments",
        summary="List appointments",
        description="By their time, earliest first. Days and times are London's.",
        tags=_TAG,
        parameters=[
            *schema.paging(DEFAULT_LIMIT, MAX_LIMIT),
            schema.text_parameter("status", "Only these.", enum=list(AppointmentStatus.values)),
            schema.date_parameter("from_date", "On or after this day."),
            schema.date_parameter("to_date", "Up to and including this day."),
            schema.id_parameter("patient_id", Patient.PREFIX, "Only this patient's.", "query"),
        ],
        responses=schema.listed("Appointment", "appointments", serializers.AppointmentSerializer),
        examples=[given({"appointments": [EXAMPLE], "total": 1, "limit": 100, "offset": 0})],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        query = request._request.GET
        window = paging.window(query, default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        rows = for_api.appointments(
            request.practice,
            status=fields.query_choice(query, "status", list(AppointmentStatus.values)),
            patient_id=fields.query_id(query, "patient_id", Patient.PREFIX),
            first=fields.query_date(query, "from_date"),
            last=fields.query_date(query, "to_date"),
        )
        page = for_api.appointment_rows(for_api.page(rows, window.offset, window.limit))
        return render.answer(window.answer("appointments", page, rows.order_by().count()))

    @extend_schema(
        operation_id="recordAppointment",
        summary="Record an appointment made elsewhere",
        description="For appointments that your own system holds: they are reported, they end the"
        " patient's recall when they lie ahead, and webhooks tell of them. No time of our diaries"
        " is taken, and SightSync sends the patient nothing about them. The same patient at the"
        " same time is the same appointment, whoever made it.",
        tags=_TAG,
        request=serializers.AppointmentBodySerializer,
        responses={
            201: serializers.ChangedAppointmentSerializer,
            404: documenting.NO_PATIENT,
            409: documenting.error("The patient's record is closed."),
        },
        examples=[
            sent(
                {
                    "patient_id": PATIENT,
                    "appointment_date": "2026-04-15",
                    "appointment_time": "14:30",
                    "status": "booked",
                }
            ),
            given({"success": True, "appointment": _RECORDED}, "201"),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        body = serializers.AppointmentBodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        _check_day(asked["appointment_date"])
        patient = patients.patient(
            request.practice, ids.encode(Patient.PREFIX, asked["patient_id"])
        )
        row = elsewhere.record(
            practice=request.practice,
            patient=patient,
            day=asked["appointment_date"],
            wall=_wall(asked["appointment_time"]),
            attempt=_call(request.practice, patient, asked["call_id"]),
            status=asked["status"],
            actor=self.actor,
        )
        made = for_api.appointment(request.practice, row.pk)
        return render.answer({"success": True, "appointment": made}, 201)


class AppointmentView(ApiView):
    @extend_schema(
        operation_id="getAppointment",
        summary="Get an appointment",
        tags=_TAG,
        parameters=[_ID],
        responses=serializers.OneAppointmentSerializer,
        examples=[given({"appointment": EXAMPLE})],
    )
    def get(self, request: ApiRequest, appointment_id: str) -> HttpResponse:
        key = key_of(Appointment.PREFIX, appointment_id)
        found = for_api.appointment(request.practice, key)
        if found is None:
            raise Http404
        return render.answer({"appointment": found})

    @extend_schema(
        operation_id="changeAppointment",
        summary="Move, cancel, confirm or mark an appointment",
        description="A date or a time moves it: one of our diaries to a free time of them (else 409"
        " with `next_slots`), and the patient is told; one made elsewhere to any. `status` cancels,"
        " confirms, or says afterwards whether the patient came. Saying the same again changes"
        " nothing.",
        tags=_TAG,
        parameters=[_ID],
        request=serializers.AppointmentChangeSerializer,
        responses={
            200: serializers.ChangedAppointmentSerializer,
            409: documenting.error(
                "The time is not free (`next_slots`), or it is too late or too early for that."
            ),
        },
        examples=[
            sent({"appointment_time": "11:00"}, "Move"),
            sent({"status": "cancelled"}, "Cancel"),
            given({"success": True, "appointment": _MOVED}),
        ],
    )
    def patch(self, request: ApiRequest, appointment_id: str) -> HttpResponse:
        body = serializers.AppointmentChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rows = Appointment.objects.filter(practice=request.practice).select_related("practice")
        row = access.load(rows, appointment_id)
        _change(row, body.validated_data, self.actor)
        found = for_api.appointment(request.practice, row.pk)
        return render.answer({"success": True, "appointment": found})


@transaction.atomic
def _change(row: Appointment, asked: dict[str, Any], actor: Actor) -> None:
    """All of it or nothing."""
    status = asked.get("status")
    if "appointment_date" in asked or "appointment_time" in asked:
        if status not in (None, *serializers.CREATED):
            raise InvalidFields({"status": ["An appointment cannot be moved and ended at once."]})
        row = _move(row, asked, actor)
    if status in (None, row.status):
        return
    if status == AppointmentStatus.BOOKED:
        raise AppError("status_conflict", f"The appointment is {row.status} already.", 409)
    if status == AppointmentStatus.CONFIRMED:
        book.confirm(appointment=row, actor=actor, source=SOURCE)
    elif status == AppointmentStatus.CANCELLED:
        book.cancel(appointment=row, actor=actor, source=SOURCE)
    elif status == AppointmentStatus.NO_SHOW:
        book.mark_no_show(appointment=row, actor=actor)
    else:
        book.mark_attended(appointment=row, actor=actor)


def _move(row: Appointment, asked: dict[str, Any], actor: Actor) -> Appointment:
    local = clock.london(row.starts_at)
    day = asked.get("appointment_date") or local.date()
    _check_day(day)
    wall = _wall(asked["appointment_time"]) if "appointment_time" in asked else None
    if "appointment_time" not in asked and row.has_time:
        wall = local.time()
    if row.made_elsewhere:
        return elsewhere.move(appointment=row, day=day, wall=wall, actor=actor)
    if wall is None:
        raise InvalidFields({"appointment_time": ["This appointment needs a time."]})
    starts_at = elsewhere.instant_of(day, wall)
    return book.move(
        appointment=row, diary_id=None, starts_at=starts_at, actor=actor, source=SOURCE
    )


def _check_day(day: date) -> None:
    if day > clock.today() + FURTHEST:
        raise InvalidFields({"appointment_date": ["This is more than ten years ahead."]})


def _wall(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _call(practice: Practice, patient: Patient, key: Any) -> Attempt | None:
    """The call that led to it. Raises Http404, and InvalidFields when it was to somebody else."""
    if key is None:
        return None
    found = Attempt.objects.filter(practice=practice, channel=Channel.VOICE, pk=key).first()
    if found is None:
        raise Http404
    if found.patient_id != patient.pk:
        raise InvalidFields({"call_id": ["This call was to another patient."]})
    return found


urlpatterns = [
    path("appointments", AppointmentsView.as_view()),
    path("appointments/<str:appointment_id>", AppointmentView.as_view()),
]
