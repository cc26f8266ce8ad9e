"""What the tests of the patients' pages share: a browser without cookies, links, reading a page."""

import re
from datetime import UTC, datetime

from practices.journal import Actor
from recall.booking import book, links
from recall.models import Appointment
from recall.models.appointments import LinkKind

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
AT = "20261124T1430Z"
PAGES = ("", "/done", "/move", "/cancel", "/cancelled", "/confirm", "/ring", "/ring/asked", "/stop")


def path_of(patient, kind=LinkKind.BOOKING, **more) -> str:
    url = links.issue(practice=patient.practice, patient=patient, kind=kind, **more)
    return re.sub(r"^https?://[^/]+", "", url)


def booked(patient, starts_at=TUESDAY) -> Appointment:
    return book.book(
        practice=patient.practice,
        patient=patient,
        diary_id=None,
        starts_at=starts_at,
        source="link",
        actor=Actor.patient(patient.pk),
    )


def heading(response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.content.decode(), re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def links_in(response) -> list[str]:
    return re.findall(r'href="([^"]+)"', response.content.decode())
