"""The pages that the browser tests walk, with rows of the working day in them."""

from urllib.parse import urlparse

from practices.models import Practice
from recall.booking import diary, links
from recall.models.appointments import LinkKind
from sightsync.lib import clock
from tests.working_day import WorkingDay

SIGNED_OUT = (
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-none/",
    "/accounts/signup/",
    "/accounts/confirm-email/",
    "/no-such-page",
    "/developer/reference",
)

OWN_ACCOUNT = (
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
)


def staff(day: WorkingDay) -> list[str]:
    patient, campaign = day.due.public_id, day.campaign.public_id
    appointment = day.appointment.public_id
    webhook = f"/developer/webhooks/{day.delivery.endpoint.public_id}"
    return [
        "/",
        "/patients",
        "/patients?q=nobody-at-all",
        f"/patients/{day.booked.public_id}",
        f"/patients/{day.opted_out.public_id}",
        f"/patients/{patient}/opt-out",
        f"/patients/{day.opted_out.public_id}/opt-out",
        f"/patients/{patient}/contact",
        f"/patients/{patient}/close",
        "/recall",
        "/recall/new",
        "/recall/new?age_from=80&age_to=20",
        f"/recall/{campaign}",
        f"/recall/{campaign}/stop",
        "/calls",
        f"/calls/{day.call.public_id}",
        "/messages",
        "/settings/calendar-pms",
        "/settings/calendar-pms/connect/optix",
        "/settings/calendar-pms/connect/acuitas",
        "/settings/calendar-pms/microsoft",
        "/settings/integrations/whatsapp",
        "/settings/integrations/email",
        "/settings/integrations/sms",
        "/settings/phone-number",
        "/settings/phone-number/buy?number=%2B441184960615&kind=local",
        "/appointments?date=2026-11-24",
        "/appointments?view=day&date=2026-11-24",
        f"/appointments/{appointment}",
        f"/appointments/{appointment}/cancel",
        f"/appointments/book?patient={patient}",
        "/stop",
        "/settings/usage",
        "/settings/api-keys",
        "/settings/api-keys/new",
        f"/settings/api-keys/{day.key.public_id}/revoke",
        "/data-protection",
        "/data-protection/new?q=nowak",
        f"/data-protection/patients/{patient}",
        f"/data-protection/patients/{patient}/erase",
        f"/data-protection/{day.request.public_id}",
        "/developer/webhooks",
        "/developer/webhooks/new",
        webhook,
        f"{webhook}/edit",
        f"{webhook}/rotate",
        f"{webhook}/delete",
        f"{webhook}/deliveries/{day.delivery.public_id}",
    ]


def connected(day: WorkingDay) -> list[str]:
    """Where connected systems are shown."""
    return [
        "/settings/integrations",
        "/settings/integrations/google",
        "/settings/calendar-pms",
        "/settings/calendar-pms/diaries",
        "/settings/calendar-pms/microsoft",
        f"/appointments/{day.appointment.public_id}",
    ]


def patients(practice: Practice, day: WorkingDay) -> list[str]:
    """A patient's way to a booking, and what one with a booking sees."""
    booking = path(links.issue(practice=practice, patient=day.due, kind=LinkKind.BOOKING))
    mine = path(
        links.issue(
            practice=practice,
            patient=day.booked,
            kind=LinkKind.BOOKING,
            appointment=day.appointment,
        )
    )
    slot = diary.free(practice=practice, now=clock.now())[0]
    when = f"day={slot.local:%Y-%m-%d}"
    return [
        booking,
        f"{booking}?{when}",
        f"{booking}?{when}&time={slot.start:%Y%m%dT%H%MZ}",
        f"{booking}/ring",
        f"{booking}/stop",
        mine,
        f"{mine}/done",
        f"{mine}/move",
        f"{mine}/cancel",
        "/b/no-such-link",
    ]


def path(url: str) -> str:
    return urlparse(url).path
