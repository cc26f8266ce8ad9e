"""The patient's booking and opt-out pages: no account, no script, plain links and forms.

What may be booked is decided by `book`, again, whatever a URL says. Only a POST changes anything,
and it answers with a redirect, so that reloading is safe.
"""

from datetime import UTC, date, datetime
from itertools import groupby

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from practices.journal import Actor
from practices.templatetags import ui
from recall import contact_stop
from recall.booking import book, calendar_file, diary, links, notices, ring_back
from recall.booking.diary import DiarySlot
from recall.booking.public_page import for_link, page
from recall.models import Appointment, AppointmentStatus, Channel, PatientLink
from recall.models.appointments import LinkKind
from sightsync.lib import clock

DAYS_ON_A_PAGE = 7
SOURCE = "link"
_TIME = "%Y%m%dT%H%MZ"


@for_link(LinkKind.BOOKING, "GET", "POST")
def booking(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Days, times and check by GET; POST `time` books. With an appointment ahead: manage it."""
    standing = book.ahead(patient=link.patient)
    if request.method != "POST":
        if standing is not None:
            return page(request, link, "booking_done.html", _managing(request, standing))
        return _choose(request, link, None)
    starts_at = _time(request.POST.get("time"))
    if starts_at is None:
        return HttpResponseRedirect(_url(request, "booking"))
    try:
        appointment = book.book(
            practice=link.practice,
            patient=link.patient,
            diary_id=None,
            starts_at=starts_at,
            source=SOURCE,
            actor=Actor.patient(link.patient_id),
            attempt=link.attempt,
            episode=link.episode,
        )
    except book.AlreadyBooked:
        return HttpResponseRedirect(_url(request, "booking"))
    except book.SlotTaken as taken:
        return _taken(request, link, starts_at, taken.next_slots)
    links.keep_for(link, appointment)
    return HttpResponseRedirect(_url(request, "booking-done"))


@for_link(LinkKind.BOOKING, "GET")
def done(request: HttpRequest, link: PatientLink) -> HttpResponse:
    standing = book.ahead(patient=link.patient)
    if standing is None:
        return HttpResponseRedirect(_url(request, "booking"))
    just = "moved" if standing.version > 1 else "booked"
    texts = notices.channel_for(link.patient) == Channel.SMS
    context = {**_managing(request, standing), "just": just, "texts": texts}
    return page(request, link, "booking_done.html", context)


@for_link(LinkKind.BOOKING, "GET", "POST")
def move(request: HttpRequest, link: PatientLink) -> HttpResponse:
    standing = book.ahead(patient=link.patient)
    if standing is None:
        return HttpResponseRedirect(_url(request, "booking"))
    if request.method != "POST":
        return _choose(request, link, standing)
    starts_at = _time(request.POST.get("time"))
    if starts_at is None:
        return HttpResponseRedirect(_url(request, "booking-move"))
    try:
        moved = book.move(
            appointment=standing,
            diary_id=None,
            starts_at=starts_at,
            source=SOURCE,
            actor=Actor.patient(link.patient_id),
        )
    except book.SlotTaken as taken:
        return _taken(request, link, starts_at, taken.next_slots)
    links.keep_for(link, moved)
    return HttpResponseRedirect(_url(request, "booking-done"))


@for_link(LinkKind.BOOKING, "GET", "POST")
def cancel(request: HttpRequest, link: PatientLink) -> HttpResponse:
    standing = book.ahead(patient=link.patient)
    if standing is None:
        gone = link.appointment and link.appointment.status == AppointmentStatus.CANCELLED
        return HttpResponseRedirect(_url(request, "booking-cancelled" if gone else "booking"))
    if request.method != "POST":
        context = {
            "appointment": standing,
            "keep_url": _url(request, "booking"),
            "move_url": _url(request, "booking-move"),
        }
        return page(request, link, "booking_cancel.html", context)
    book.cancel(appointment=standing, source=SOURCE, actor=Actor.patient(link.patient_id))
    links.keep_for(link, standing)
    return HttpResponseRedirect(_url(request, "booking-cancelled"))


@for_link(LinkKind.BOOKING, "GET")
def cancelled(request: HttpRequest, link: PatientLink) -> HttpResponse:
    row = link.appointment
    if row is None or row.status != AppointmentStatus.CANCELLED:
        return HttpResponseRedirect(_url(request, "booking"))
    context = {
        "appointment": row,
        "book_url": _url(request, "booking"),
        "stop_url": _url(request, "booking-stop"),
    }
    return page(request, link, "booking_cancelled.html", context)


@for_link(LinkKind.BOOKING, "GET", "POST")
def confirm(request: HttpRequest, link: PatientLink) -> HttpResponse:
    standing = book.ahead(patient=link.patient)
    if request.method == "POST" and standing is not None:
        book.confirm(appointment=standing, source=SOURCE, actor=Actor.patient(link.patient_id))
    return HttpResponseRedirect(_url(request, "booking"))


@for_link(LinkKind.BOOKING, "GET", "POST")
def ring(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Ask to be rung by a person: a task for the staff, once however often it is asked."""
    if request.method == "POST":
        ring_back.ask(
            practice=link.practice,
            patient=link.patient,
            actor=Actor.patient(link.patient_id),
        )
        return HttpResponseRedirect(_url(request, "booking-ring-asked"))
    context = {
        "asked": False,
        "back_url": _url(request, "booking"),
        "stop_url": _url(request, "booking-stop"),
    }
    return page(request, link, "booking_ring.html", context)


@for_link(LinkKind.BOOKING, "GET")
def ring_asked(request: HttpRequest, link: PatientLink) -> HttpResponse:
    asked = ring_back.is_asked(practice=link.practice, patient=link.patient)
    if not asked:
        return HttpResponseRedirect(_url(request, "booking-ring"))
    return page(request, link, "booking_ring.html", {"asked": True})


@for_link(LinkKind.BOOKING, "GET", "POST")
def stop(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """The opt-out, for whoever holds a booking link."""
    return _stop(request, link, book_url=_url(request, "booking"))


@for_link(LinkKind.BOOKING, "GET")
def calendar(request: HttpRequest, link: PatientLink) -> HttpResponse:
    standing = book.ahead(patient=link.patient)
    if standing is None:
        return HttpResponseRedirect(_url(request, "booking"))
    return _file(standing)


@for_link(LinkKind.CALENDAR, "GET")
def calendar_of_appointment(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """The file a text message leads to: the appointment as it is now, cancelled included."""
    assert link.appointment is not None
    return _file(link.appointment)


@for_link(LinkKind.OPT_OUT, "GET", "POST")
def opt_out(request: HttpRequest, link: PatientLink) -> HttpResponse:
    return _stop(request, link)


@for_link(LinkKind.OPT_OUT, "GET", "POST")
def one_click(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """The mail program's own button (RFC 8058): a POST without cookies or redirect."""
    if request.method != "POST":
        return HttpResponseRedirect(_url(request, "opt-out"))
    _record_stop(link, "email_one_click")
    return page(request, link, "opt_out_done.html", {"hide_stop": True})


# --- inside -------------------------------------------------------------------------------------


def _url(request: HttpRequest, name: str) -> str:
    """Another page of the same link."""
    assert request.resolver_match is not None
    return reverse(name, args=[request.resolver_match.kwargs["token"]])


def _managing(request: HttpRequest, standing: Appointment) -> dict[str, object]:
    ways: dict[str, object] = {
        "appointment": standing,
        "calendar_url": _url(request, "booking-calendar"),
        "move_url": _url(request, "booking-move"),
        "cancel_url": _url(request, "booking-cancel"),
        "stop_url": _url(request, "booking-stop"),
    }
    if standing.status == AppointmentStatus.BOOKED:
        ways["confirm_url"] = _url(request, "booking-confirm")
    return ways


def _choose(request: HttpRequest, link: PatientLink, moving: Appointment | None) -> HttpResponse:
    """Day, then time, then check. A day or time that is not free leads a step back."""
    free = diary.free(practice=link.practice, now=clock.now())
    common: dict[str, object] = {
        "moving": moving,
        "ring_url": _url(request, "booking-ring"),
        "stop_url": _url(request, "booking-stop"),
    }
    chosen = _time(request.GET.get("time"))
    if chosen is not None:
        slot = next((slot for slot in free if slot.start == chosen), None)
        if slot is None:
            near = diary.next_free(practice=link.practice, now=clock.now(), near=chosen)
            return _taken(request, link, chosen, near)
        value = {"value": _value(slot), "starts_at": slot.start, "day": slot.local.date()}
        return page(request, link, "booking_check.html", {**common, "chosen": value})
    day = _date(request.GET.get("day"))
    times = [slot for slot in free if slot.local.date() == day]
    if day is not None and times:
        shown = [{"value": _value(slot), "label": ui.wall_time(slot.start)} for slot in times]
        return page(request, link, "booking_time.html", {**common, "day": day, "times": shown})
    return page(request, link, "booking_day.html", {**common, **_days(request, free)})


def _days(request: HttpRequest, free: list[DiarySlot]) -> dict[str, object]:
    """One page of days with free times, from `?from=`."""
    first = _date(request.GET.get("from"))
    days = [
        {"date": day, "label": ui.day(day), "count": len(list(slots))}
        for day, slots in groupby(free, key=lambda slot: slot.local.date())
        if first is None or day >= first
    ]
    shown, rest = days[:DAYS_ON_A_PAGE], days[DAYS_ON_A_PAGE:]
    later = f"?from={rest[0]['date']:%Y-%m-%d}" if rest else ""
    return {"days": shown, "later_url": later, "earlier_url": "?" if first else ""}


def _taken(
    request: HttpRequest, link: PatientLink, wanted: datetime, slots: list[DiarySlot]
) -> HttpResponse:
    """The time went to somebody else: say so, and offer the next ones."""
    context = {
        "taken": ui.day_time(wanted) if wanted > clock.now() else "That time",
        "times": [
            {
                "value": _value(slot),
                "day": ui.day(slot.start),
                "time": ui.wall_time(slot.start),
            }
            for slot in slots
        ],
        "ring_url": _url(request, "booking-ring"),
        "stop_url": _url(request, "booking-stop"),
    }
    return page(request, link, "booking_taken.html", context, status=409)


def _stop(request: HttpRequest, link: PatientLink, **ways: str) -> HttpResponse:
    if request.method == "POST":
        _record_stop(link, "opt_out_page")
        return HttpResponseRedirect(request.path)
    if link.patient.opted_out:
        return page(request, link, "opt_out_done.html", {"hide_stop": True})
    return page(request, link, "opt_out.html", {**ways, "hide_stop": True})


def _record_stop(link: PatientLink, source: str) -> None:
    contact_stop.opt_out(
        practice=link.practice,
        patients=[link.patient],
        source=source,
        actor=Actor.patient(link.patient_id),
    )


def _file(appointment: Appointment) -> HttpResponse:
    response = HttpResponse(
        calendar_file.build(appointment), content_type=calendar_file.CONTENT_TYPE
    )
    response["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


def _value(slot: DiarySlot) -> str:
    return slot.start.strftime(_TIME)


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _date(text: str | None) -> date | None:
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").date()
    except ValueError:
        return None
