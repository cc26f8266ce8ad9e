"""Private links for patients: made for one message, found again by a hash, over after their time.

Only the hash of a token is stored, so a link can be sent once and never be read back. A link says
nothing about the patient; whoever holds it may act for the patient until it is over.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from patients.models import Patient
from practices.models import Practice
from recall.models import Appointment, AppointmentStatus, Attempt, Episode, PatientLink
from recall.models.appointments import LIVE_APPOINTMENT, LinkKind
from sightsync.lib import clock, crypto

BOOKING_LIFE = timedelta(days=30)
AFTER_APPOINTMENT = timedelta(days=1)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""An opt-out link works for ever: an old message must not be a message one cannot stop."""

_PATHS = {
    LinkKind.BOOKING: "/b/{}",
    LinkKind.OPT_OUT: "/o/{}",
    LinkKind.CALENDAR: "/c/{}.ics",
}
# Longer than any token of ours: what cannot be one is not worth a hash and a query.
_LONGEST_TOKEN = 64


def issue(
    *,
    practice: Practice,
    patient: Patient,
    kind: LinkKind,
    appointment: Appointment | None = None,
    attempt: Attempt | None = None,
    episode: Episode | None = None,
) -> str:
    """A new link's full URL. 256 random bits; nobody can ask for the same URL again.

    A booking link lives for 30 days and at least until its appointment is over, a calendar file
    until the day after the appointment, an opt-out link for ever.
    """
    token = crypto.random_token()
    now = clock.now()
    PatientLink.objects.create(
        practice=practice,
        patient=patient,
        kind=kind,
        appointment=appointment,
        attempt=attempt,
        episode=episode,
        token_hash=crypto.token_hash(token),
        created_at=now,
        expires_at=_expiry(kind, now, appointment),
    )
    return url(kind, token)


def url(kind: LinkKind, token: str) -> str:
    """The public address of a token."""
    return f"{settings.PUBLIC_BASE_URL}{_PATHS[kind].format(token)}"


def find(token: str, kind: LinkKind) -> PatientLink | None:
    """The link with its practice, patient and appointment, or None: unknown, of another kind, too
    old, used up, or the patient's record is closed. These cannot be told apart.
    """
    if len(token) > _LONGEST_TOKEN:
        return None
    link = (
        PatientLink.objects.select_related(
            "practice", "patient", "appointment", "attempt", "episode"
        )
        .filter(
            token_hash=crypto.token_hash(token),
            kind=kind,
            expires_at__gt=clock.now(),
            patient__erased_at=None,
        )
        .first()
    )
    if link is None or (kind == LinkKind.BOOKING and _is_used_up(link)):
        return None
    return link


def _is_used_up(link: PatientLink) -> bool:
    """The appointment it was for has begun or was kept, or there is nobody to book."""
    if link.patient.deceased_at or link.patient.archived_at:
        return True
    row = link.appointment
    if row is None:
        return False
    if row.status == AppointmentStatus.ATTENDED:
        return True
    return row.status in LIVE_APPOINTMENT and row.starts_at <= clock.now()


def keep_for(link: PatientLink, appointment: Appointment) -> None:
    """The link now manages this appointment, and lives as long as it does."""
    PatientLink.objects.filter(pk=link.pk).update(
        appointment=appointment,
        expires_at=max(link.expires_at, appointment.ends_at + AFTER_APPOINTMENT),
    )


def _expiry(kind: LinkKind, now: datetime, appointment: Appointment | None) -> datetime:
    if kind == LinkKind.OPT_OUT:
        return NEVER
    ends = appointment.ends_at + AFTER_APPOINTMENT if appointment else now
    return max(now + BOOKING_LIFE, ends) if kind == LinkKind.BOOKING else ends
