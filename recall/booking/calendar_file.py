"""An appointment as a calendar file (RFC 5545). The title names the practice, never the patient,
the examination or a reason: calendars are shared and shown on lock screens.
"""

from datetime import timedelta

from icalendar import Alarm, Calendar, Event

from patients import phone
from recall.models import Appointment, AppointmentStatus
from sightsync.lib import clock

REMIND_BEFORE = timedelta(hours=2)
CONTENT_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"


def build(appointment: Appointment) -> bytes:
    """The file. Its UID stays the same and its SEQUENCE rises when the appointment is moved or
    cancelled, so that opening a newer one replaces the older entry.
    """
    practice = appointment.practice
    cancelled = appointment.status == AppointmentStatus.CANCELLED
    event = Event()
    event.add("uid", f"{appointment.public_id}@sightsync")
    event.add("sequence", (appointment.version - 1) * 2 + cancelled)
    event.add("dtstamp", clock.now())
    event.add("dtstart", appointment.starts_at)
    event.add("dtend", appointment.ends_at)
    event.add("summary", f"Appointment at {practice.name}")
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if practice.address:
        event.add("location", practice.address)
    if practice.phone_number:
        event.add("description", f"To change it, ring {phone.national(practice.phone_number)}.")
    if not cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"Appointment at {practice.name}")
        alarm.add("trigger", -REMIND_BEFORE)
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//SightSync//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
