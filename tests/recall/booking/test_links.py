"""Private links: only a hash is kept, and whatever does not work looks the same."""

from datetime import UTC, datetime, timedelta

import pytest

from practices.journal import Actor
from recall.booking import book, links
from recall.models import PatientLink
from recall.models.appointments import LinkKind
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def issue(patient, kind=LinkKind.BOOKING, **more):
    url = links.issue(practice=patient.practice, patient=patient, kind=kind, **more)
    return url.removesuffix(".ics").rsplit("/", 1)[1]


def booked(patient):
    return book.book(
        practice=patient.practice,
        patient=patient,
        diary_id=None,
        starts_at=TUESDAY,
        source="link",
        actor=Actor.patient(patient.pk),
    )


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("booking", "/b/{}"), ("opt_out", "/o/{}"), ("calendar", "/c/{}.ics")],
)
def test_a_link_is_an_address_of_ours_with_256_random_bits(jane, diary_row, settings, kind, shape):
    url = links.issue(
        practice=jane.practice, patient=jane, kind=LinkKind(kind), appointment=booked(jane)
    )
    token = url.removesuffix(".ics").rsplit("/", 1)[1]
    assert url == settings.PUBLIC_BASE_URL + shape.format(token)
    assert len(token) == 43


def test_the_token_itself_is_nowhere_in_the_row(jane):
    token = issue(jane)
    row = PatientLink.objects.values().get()
    assert token not in str(row)


def test_every_link_is_another(jane):
    assert len({issue(jane) for _ in range(20)}) == 20


def test_a_booking_link_works_for_thirty_days(jane, at):
    token = issue(jane)
    at(clock.now() + timedelta(days=30, seconds=-1))
    assert links.find(token, LinkKind.BOOKING)
    at(clock.now() + timedelta(seconds=1))
    assert links.find(token, LinkKind.BOOKING) is None


def test_a_booking_link_lives_as_long_as_the_appointment_it_made(jane, diary_row, at):
    token = issue(jane)
    at("2026-12-17T09:00:00Z")
    row = book.book(
        practice=jane.practice,
        patient=jane,
        diary_id=None,
        starts_at=datetime(2027, 1, 6, 14, 30, tzinfo=UTC),
        source="link",
        actor=STAFF,
    )
    links.keep_for(links.find(token, LinkKind.BOOKING), row)
    at("2027-01-06T14:29:00Z")
    assert links.find(token, LinkKind.BOOKING)
    at("2027-01-06T14:30:00Z")
    assert links.find(token, LinkKind.BOOKING) is None


def test_an_opt_out_link_never_ends(jane, at):
    token = issue(jane, LinkKind.OPT_OUT)
    at("2056-11-18T10:00:00Z")
    assert links.find(token, LinkKind.OPT_OUT)


def test_a_link_is_of_one_kind_only(jane):
    token = issue(jane, LinkKind.OPT_OUT)
    assert links.find(token, LinkKind.BOOKING) is None


def test_a_link_of_an_erased_patient_is_over(jane):
    tokens = {kind: issue(jane, kind) for kind in (LinkKind.BOOKING, LinkKind.OPT_OUT)}
    jane.erased_at = clock.now()
    jane.save(update_fields=["erased_at"])
    assert not any(links.find(token, kind) for kind, token in tokens.items())


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "../../etc", "a" * 5000, "\x00", "é" * 43])
def test_what_is_no_token_finds_nothing(jane, token):
    assert links.find(token, LinkKind.BOOKING) is None
