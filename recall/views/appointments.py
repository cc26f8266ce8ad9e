"""The diary for staff: a week, a day, one appointment; book, move, cancel, attended or not."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients.models import Patient
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from practices.templatetags.ui import day_time
from recall import free_times, selectors
from recall.booking import book as booking
from recall.booking.write_back import again
from recall.models import Appointment
from sightsync.lib import clock
from sightsync.lib.errors import AppError

FRIDAY = 4


def _load(request: StaffRequest, appointment_id: str) -> Appointment:
    rows = Appointment.objects.filter(practice=request.practice)
    return access.load(rows.select_related("patient", "diary", "practice"), appointment_id)


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return clock.today()


@require_safe
@access.require("appointments.view")
def index(request: StaffRequest) -> HttpResponse:
    view = "day" if request.GET.get("view") == "day" else "week"
    day = _date(request.GET.get("date"))
    if view == "week" and "date" not in request.GET and day.weekday() > FRIDAY:
        day += timedelta(days=2)
    monday = day - timedelta(days=day.weekday())
    step = timedelta(days=1 if view == "day" else 7)
    days = selectors.week(request.practice, monday)
    context = {
        "in_systems": any(visit.copies.all() for shown in days for visit in shown.visits),
        "view": view,
        "day": day,
        "monday": monday,
        "days": [shown for shown in days if view == "week" or shown.date == day],
        "earlier": day - step,
        "later": day + step,
        "unmarked": selectors.awaiting_mark(request.practice, clock.now())[:20],
    }
    return render(request, "recall/appointments.html", context)


@require_safe
@access.require("appointments.view")
def show(request: StaffRequest, appointment_id: str) -> HttpResponse:
    appointment = _load(request, appointment_id)
    context = {
        "appointment": appointment,
        "is_ahead": appointment.starts_at > clock.now(),
        "is_live": appointment.status in ("booked", "confirmed"),
        "messages_sent": selectors.messages_of(appointment),
        "copies": selectors.copies_of(appointment),
    }
    return render(request, "recall/appointment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("appointments.edit")
def book(request: StaffRequest) -> HttpResponse:
    patients = Patient.objects.filter(practice=request.practice, erased_at=None)
    patient = access.load(patients, request.GET.get("patient", ""))
    if request.method == "POST":
        chosen = _chosen(request)
        try:
            made = booking.book(
                practice=request.practice,
                patient=patient,
                diary_id=chosen[1],
                starts_at=chosen[0],
                source="staff",
                actor=Actor.user(request.user),
            )
        except AppError as error:
            messages.error(request, error.message)
            return _times(request, patient, None, status=error.status)
        messages.success(request, f"{patient} is booked for {day_time(made.starts_at)}.")
        return redirect("recall:appointment", made.public_id)
    return _times(request, patient, None)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("appointments.edit")
def move(request: StaffRequest, appointment_id: str) -> HttpResponse:
    appointment = _load(request, appointment_id)
    if request.method == "POST":
        starts_at, diary_id = _chosen(request)
        try:
            moved = booking.move(
                appointment=appointment,
                diary_id=diary_id,
                starts_at=starts_at,
                actor=Actor.user(request.user),
                source="staff",
            )
        except AppError as error:
            messages.error(request, error.message)
            return _times(request, appointment.patient, appointment, status=error.status)
        messages.success(request, f"Moved to {day_time(moved.starts_at)}. The patient is told.")
        return redirect("recall:appointment", moved.public_id)
    return _times(request, appointment.patient, appointment)


def _chosen(request: StaffRequest) -> tuple[datetime, UUID]:
    try:
        starts_at, diary_id = free_times.read(request.POST.get("slot", ""))
    except ValueError as error:
        raise Http404 from error
    return starts_at, diary_id


def _times(
    request: StaffRequest, patient: Patient, moving: Appointment | None, status: int = 200
) -> HttpResponse:
    first = max(_date(request.GET.get("from")), clock.today())
    context = {
        "patient": patient,
        "moving": moving,
        "days": free_times.by_day(practice=request.practice, first=first),
        "earlier": first - timedelta(days=7) if first > clock.today() else None,
        "later": first + timedelta(days=7),
    }
    return render(request, "recall/book.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("appointments.edit")
def cancel(request: StaffRequest, appointment_id: str) -> HttpResponse:
    appointment = _load(request, appointment_id)
    if request.method != "POST":
        return render(request, "recall/appointment_cancel.html", {"appointment": appointment})
    return _change(request, appointment, "cancel")


@require_POST
@access.require("appointments.edit")
def mark(request: StaffRequest, appointment_id: str) -> HttpResponse:
    """Came, did not come, or confirmed."""
    how = request.POST.get("as", "")
    if how not in CHANGES:
        raise Http404
    return _change(request, _load(request, appointment_id), how)


@require_POST
@access.require("appointments.edit")
def write_again(request: StaffRequest, appointment_id: str) -> HttpResponse:
    """Try again to write it into the systems that do not have it."""
    appointment = _load(request, appointment_id)
    if again.try_again(appointment=appointment, actor=Actor.user(request.user)):
        messages.success(request, "It is tried again now. This page shows what becomes of it.")
    return redirect("recall:appointment", appointment.public_id)


CANCELLED = {
    False: "Cancelled. The patient is told, and the time is free again.",
    True: "Cancelled. The patient is not told by us, for another system keeps this appointment.",
}
CHANGES = {
    "attended": (booking.mark_attended, "Marked as attended."),
    "no_show": (booking.mark_no_show, "Marked as did not attend."),
}


def _change(request: StaffRequest, appointment: Appointment, how: str) -> HttpResponse:
    actor = Actor.user(request.user)
    try:
        if how == "cancel":
            booking.cancel(appointment=appointment, actor=actor, source="staff")
            messages.success(request, CANCELLED[appointment.made_elsewhere])
        else:
            change, said = CHANGES[how]
            change(appointment=appointment, actor=actor)
            messages.success(request, said)
    except AppError as error:
        messages.error(request, error.message)
    return redirect("recall:appointment", appointment.public_id)
