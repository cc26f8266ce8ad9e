"""Appointments in a practice's system: they are followed, whoever made or changed them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import Connection
from integrations.pms.connector import RemoteAppointment, RemoteStatus
from patients import suppressions
from patients.models import Patient, PmsRecord
from practices.models import JournalEntry
from recall.attempts import claim
from recall.booking import book, elsewhere, poll
from recall.booking.from_pms import FromPms
from recall.models import (
    Appointment,
    AppointmentCopy,
    AppointmentStatus,
    Attempt,
    AttemptState,
    CopyState,
    Episode,
    Purpose,
    TheirAppointment,
)
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db
THAT_DAY = datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.fixture
def known(practice, connection) -> Patient:
    """Due for a recall, and read from the system before."""
    engine.register()
    who = engine.patient(practice, "+447700900117", external_id="PX-1")
    PmsRecord.objects.create(
        practice=practice, connection=connection, external_id="PX-1", digest=b"", patient=who
    )
    return who


@pytest.fixture
def from_there(connection, optix, read, at) -> Patient:
    """Due for a recall, as the system itself gave them."""
    engine.register()
    read(connection)
    [key] = optix.change(1)
    at("2026-11-18T10:30:00Z")
    number = "+447700900117"
    Patient.objects.filter(external_id=key).update(
        phone_number=number,
        phone_kind="mobile",
        phone_is_drama=True,
        phone_hash=suppressions.phone_hash(number),
        next_clinical_due_date="2026-01-01",
        tps_listing=0,
        opted_out_at=None,
        opted_out_channels=[],
    )
    who = Patient.objects.get(external_id=key)
    Appointment.objects.filter(patient=who).delete()
    return who


@pytest.fixture
def there(connection, known) -> Callable[..., RemoteAppointment]:
    """An appointment as the system says it is."""

    def say(**fields: object) -> RemoteAppointment:
        values = {
            "external_id": "a-77001",
            "starts_at": THAT_DAY,
            "ends_at": THAT_DAY + timedelta(minutes=30),
            "patient_id": known.external_id,
            **fields,
        }
        return RemoteAppointment(**values)

    return say


def take(connection: Connection, *items: RemoteAppointment) -> dict[str, int]:
    return dict(FromPms().take(connection, items))


def statuses(who: Patient) -> list[str]:
    rows = Appointment.objects.filter(patient=who).order_by("created_at", "starts_at")
    return list(rows.values_list("status", flat=True))


def test_one_made_there_ends_the_recall_before_the_next_dial(
    connection,
    optix,
    from_there,
    at,
) -> None:
    """Between the plan and the claim somebody books at the front desk."""
    attempt = engine.planned(from_there)
    optix.appointment(from_there.external_id, "2026-11-25T10:00:00+00:00")
    assert poll.run(connection.pk, actor=ACTOR) is False, "no turn yet"
    poll.begin_new(clock.now())
    assert poll.run(connection.pk, actor=ACTOR)
    assert claim.claim(attempt.pk, actor=ACTOR) is None
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.CANCELLED
    [row] = Appointment.objects.filter(patient=from_there)
    assert (row.source, row.starts_at, row.made_elsewhere) == ("pms", THAT_DAY, True)
    assert Episode.objects.get(patient=from_there).closed_at is not None
    assert not Attempt.objects.filter(purpose=Purpose.CONFIRMATION).exists()


def test_twin_without_the_poll_the_call_would_be_claimed(optix, from_there) -> None:
    attempt = engine.planned(from_there)
    optix.appointment(from_there.external_id, "2026-11-25T10:00:00+00:00")
    assert claim.claim(attempt.pk, actor=ACTOR) is not None


def test_an_archived_patient_is_never_dialled(connection, optix, from_there, read, at) -> None:
    attempt = engine.planned(from_there)
    assert optix.remove(1) == [from_there.external_id]
    at("2026-11-18T11:00:00Z")
    assert read(connection, full=True).archived == 1
    assert claim.claim(attempt.pk, actor=ACTOR) is None
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.CANCELLED


def test_told_again_it_is_the_same_one(connection, there, known) -> None:
    assert take(connection, there(), there()) == {}
    take(connection, there())
    assert statuses(known) == ["booked"]
    assert (
        JournalEntry.objects.filter(action="appointment.booked", patient_id=known.pk).count() == 1
    )


def test_moved_there_it_is_moved_here(connection, there, known) -> None:
    take(connection, there())
    later = THAT_DAY + timedelta(days=2)
    take(connection, there(starts_at=later, ends_at=later + timedelta(minutes=20)))
    [row] = Appointment.objects.filter(patient=known)
    assert (row.starts_at, row.ends_at) == (later, later + timedelta(minutes=20))
    assert not Attempt.objects.filter(purpose=Purpose.CONFIRMATION).exists()


def test_cancelled_there_the_recall_begins_again_later(connection, there, known) -> None:
    engine.planned(known)
    take(connection, there())
    take(connection, there(status=RemoteStatus.CANCELLED))
    assert statuses(known) == ["cancelled"]
    assert known.episodes.get(closed_at=None).reason == "appointment_cancelled"
    take(connection, there())
    assert statuses(known) == ["cancelled", "booked"], "and made again, it counts again"


def test_cancelled_here_it_does_not_come_back(connection, there, known) -> None:
    take(connection, there())
    row = Appointment.objects.get(patient=known)
    book.cancel(appointment=row, actor=ACTOR, source="staff")
    take(connection, there())
    assert statuses(known) == ["cancelled"]


def test_what_became_of_it_is_marked(connection, there, known, at) -> None:
    take(connection, there())
    at(THAT_DAY + timedelta(hours=2))
    take(connection, there(status=RemoteStatus.ATTENDED))
    assert statuses(known) == ["attended"]
    known.refresh_from_db()
    assert known.last_eye_test_date == THAT_DAY.date()


def test_one_of_nobody_we_know_is_counted(connection, there, known) -> None:
    stranger = there(external_id="a-77009", patient_id="nobody-1")
    assert take(connection, stranger) == {"unknown_patient": 1}
    assert not TheirAppointment.objects.filter(external_id="a-77009").exists()


def test_an_archived_patients_appointment_is_counted(connection, there, known) -> None:
    Patient.objects.filter(pk=known.pk).update(archived_at=clock.now())
    assert take(connection, there()) == {"patient_gone": 1}


# --- matched by number and address --------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "email", "found"),
    [
        ("07700 900601", "", True),
        ("+44 7700 900601", "", True),
        ("", "Only@Example.org", True),
        ("07700 900602", "", False),  # two of a family
        ("07700 900602", "child@example.org", True),  # which of them the address says
        ("07700 900699", "nobody@example.org", False),
        ("", "", False),
    ],
)
def test_without_an_id_number_and_address_say_who(
    practice,
    connection,
    there,
    number,
    email,
    found,
) -> None:
    engine.patient(practice, "+447700900601", email="only@example.org", last_name="Only")
    engine.patient(practice, "+447700900602", email="parent@example.org", last_name="Two")
    engine.patient(practice, "+447700900602", email="child@example.org", last_name="Two")
    unusable = take(connection, there(patient_id="", phone=number, email=email))
    assert unusable == ({} if found else {"unknown_patient": 1})


# --- ours, in their diary -----------------------------------------------------------------------


@pytest.fixture
def ours(connection, practice, known, diary_row, at) -> AppointmentCopy:
    """Booked here, written there a moment ago."""
    row = book.book(
        practice=practice,
        patient=known,
        diary_id=diary_row.pk,
        starts_at=THAT_DAY,
        source="staff",
        actor=ACTOR,
    )
    copy, _ = AppointmentCopy.objects.update_or_create(
        appointment=row,
        connection=connection,
        defaults={
            "practice": practice,
            "state": CopyState.WRITTEN,
            "wanted": 1,
            "standing": 1,
            "external_id": "a-77001",
            "next_try_at": None,
            "written_at": clock.now(),
            "created_at": clock.now(),
        },
    )
    at(clock.now() + timedelta(minutes=5))
    return copy


def by_reference(there, copy, **fields) -> RemoteAppointment:
    return there(reference=copy.appointment.public_id, **fields)


def test_our_own_is_not_a_second_one(connection, there, ours, known) -> None:
    take(connection, by_reference(there, ours), there())
    assert statuses(known) == ["booked"]
    assert not TheirAppointment.objects.filter(external_id="a-77001").exists()


def test_ours_cancelled_there_is_cancelled_here(connection, there, ours, known) -> None:
    take(connection, by_reference(there, ours, status=RemoteStatus.CANCELLED))
    ours.refresh_from_db()
    assert statuses(known) == ["cancelled"]
    assert (ours.state, ours.wanted, ours.standing) == (CopyState.WRITTEN, 0, 0)
    assert ours.next_try_at is None, "there is nothing to write there"
    assert Attempt.objects.filter(purpose=Purpose.CANCELLATION).exists()


def test_ours_moved_there_is_moved_here_and_the_patient_told(
    connection,
    there,
    ours,
    known,
) -> None:
    later = THAT_DAY + timedelta(hours=3)
    take(
        connection,
        by_reference(there, ours, starts_at=later, ends_at=later + timedelta(minutes=30)),
    )
    ours.refresh_from_db()
    row = ours.appointment
    assert (row.starts_at, row.version) == (later, 2)
    assert (ours.state, ours.wanted, ours.standing) == (CopyState.WRITTEN, 2, 2)
    told = Attempt.objects.filter(purpose=Purpose.CONFIRMATION, appointment_version=2)
    assert told.count() == 1


def test_moved_onto_another_of_our_diary_both_are_kept(
    practice,
    connection,
    there,
    ours,
    make_patient,
    diary_row,
) -> None:
    later = THAT_DAY + timedelta(hours=3)
    other = book.book(
        practice=practice,
        patient=make_patient(),
        diary_id=diary_row.pk,
        starts_at=later,
        source="staff",
        actor=ACTOR,
    )
    take(
        connection,
        by_reference(there, ours, starts_at=later, ends_at=later + timedelta(minutes=30)),
    )
    row = Appointment.objects.get(pk=ours.appointment_id)
    other.refresh_from_db()
    assert (row.starts_at, row.diary_id, row.status) == (later, None, "booked")
    assert other.status == AppointmentStatus.BOOKED


@pytest.mark.parametrize(
    "on_its_way",
    [
        {"wanted": 2},
        {"state": CopyState.ACCEPTED},
        {"state": CopyState.UNKNOWN},
        {"written_at": datetime(2026, 11, 30, tzinfo=UTC)},
    ],
    ids=["moved here", "not written", "not known", "written after the reading began"],
)
def test_old_news_undo_nothing(connection, there, ours, known, on_its_way) -> None:
    AppointmentCopy.objects.filter(pk=ours.pk).update(**on_its_way)
    take(connection, by_reference(there, ours, status=RemoteStatus.CANCELLED))
    assert statuses(known) == ["booked"]


# --- what is missing from everything ------------------------------------------------------------


def settle(connection: Connection, *seen: str) -> None:
    FromPms().settle(connection, set(seen), clock.now() + timedelta(seconds=1))


def test_missing_from_everything_it_was_cancelled(connection, there, known) -> None:
    take(connection, there())
    settle(connection, "a-77001")
    assert statuses(known) == ["booked"]
    settle(connection)
    assert statuses(known) == ["cancelled"]


def test_when_most_are_missing_none_was_cancelled(connection, there, known) -> None:
    for number in range(5):
        at_that = THAT_DAY + timedelta(hours=number)
        take(
            connection,
            there(
                external_id=f"a-8{number}",
                starts_at=at_that,
                ends_at=at_that + timedelta(minutes=30),
            ),
        )
    settle(connection, "a-80")
    assert set(statuses(known)) == {"booked"}


def test_what_was_noted_after_the_reading_began_is_not_missing(
    connection,
    there,
    known,
) -> None:
    take(connection, there())
    FromPms().settle(connection, set(), clock.now() - timedelta(minutes=1))
    assert statuses(known) == ["booked"]


def test_made_elsewhere_covers_the_practices_system(practice, known) -> None:
    row = elsewhere.note_down(
        practice=practice,
        patient=known,
        starts_at=THAT_DAY,
        ends_at=THAT_DAY + timedelta(minutes=30),
        source="pms",
        actor=ACTOR,
    )
    assert row.made_elsewhere
    assert row.diary_id is None
