"""What the staff's pages say of appointments in connected systems, and the try-again button."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import connections
from integrations.models import Connection, ConnectionState
from practices import journal
from practices.models import JournalEntry
from recall import copy_words, staff_tasks
from recall.models import Appointment, AppointmentCopy, CopyState, TaskKind
from sightsync.lib import clock
from tests import engine
from tests.recall.booking.other_system import connection

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.fixture
def visit(practice):
    return a_visit(practice, TUESDAY)


def a_visit(practice, starts_at) -> Appointment:
    jane = engine.patient(practice, f"+4477009{starts_at:%H%M}0", last_name="Roe")
    return Appointment.objects.create(
        practice=practice,
        patient=jane,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        source="call",
        created_at=clock.now(),
    )


@pytest.fixture
def optix(practice):
    return connection(practice)


@pytest.fixture
def make(practice, visit, optix):
    def of(**fields) -> AppointmentCopy:
        values = {
            "practice": practice,
            "appointment": visit,
            "connection": optix,
            "wanted": visit.version,
            "created_at": clock.now(),
            "next_try_at": clock.now(),
            **fields,
        }
        return AppointmentCopy.objects.create(**values)

    return of


FAILED = {"state": CopyState.FAILED, "reason": "taken", "next_try_at": None}
WRITTEN = {"state": CopyState.WRITTEN, "standing": 1, "next_try_at": None}


def text(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def page(client, visit) -> str:
    return text(client.get(reverse("recall:appointment", args=[visit.public_id])))


CASES = [
    ({}, "To be written", "blue", "in a moment"),
    ({"standing": 1, "wanted": 2}, "New time to be written", "blue", "The old time stands in"),
    ({"standing": 1, "wanted": 0}, "To be taken out", "blue", "taken out of Optix in a moment"),
    ({"reason": "timeout"}, "To be written", "blue", "Optix does not answer. It is tried again"),
    ({"reason": "slow_down"}, "To be written", "blue", "Optix is busy."),
    ({"reason": "connect_again"}, "Waiting for you", "amber", "Connect it again"),
    ({"state": CopyState.WRITING}, "Being written", "blue", "a few seconds"),
    ({**WRITTEN, "written_at": TUESDAY}, "Written", "green", "It stands in Optix"),
    ({**WRITTEN, "wanted": 0, "standing": None}, "Not written", "grey", "before it was written"),
    ({**WRITTEN, "wanted": 0, "standing": 0}, "Taken out", "grey", "taken out of Optix"),
    ({"state": CopyState.UNKNOWN}, "Being checked", "blue", "Optix is asked"),
    ({"state": CopyState.UNKNOWN, "next_try_at": None}, "Not known", "amber", "Look in Optix"),
    (FAILED, "Not written", "red", "That time is taken in Optix."),
    ({**FAILED, "wanted": 0, "standing": 1}, "Not taken out", "red", "Cancel it there"),
    ({**FAILED, "reason": "E77"}, "Not written", "red", "Optix refused it."),
    ({**FAILED, "reason": "disconnected"}, "Not written", "grey", "was disconnected"),
]


@pytest.mark.parametrize(("fields", "word", "tone", "why"), CASES)
def test_every_state_has_a_word_and_a_reason(make, fields, word, tone, why):
    words = copy_words.of(make(**fields))
    assert (words.system, words.status.word, words.status.tone) == ("Optix", word, tone)
    assert why in words.why
    assert "{" not in words.why


def test_the_page_shows_each_system_with_its_reason(owner, visit, make):
    make(**FAILED)
    shown = page(owner, visit)
    assert "In your systems" in shown
    assert "That time is taken in Optix. Move the appointment, or make room there." in shown
    assert "Try again" in shown


def test_without_a_connected_system_the_page_says_nothing_of_any(owner, visit):
    assert "In your systems" not in page(owner, visit)


def test_what_stands_as_it_should_has_no_button(owner, visit, make):
    make(**WRITTEN)
    assert "Try again" not in page(owner, visit)


def test_after_a_disconnection_what_was_left_there_is_said(owner, visit, make, optix):
    make(**WRITTEN)
    optix.state, optix.disconnected_at, optix.credential = "disconnected", clock.now(), ""
    optix.save()
    visit.version = 2
    visit.save(update_fields=["version"])
    assert "Optix was disconnected, so what stands there was not touched." in page(owner, visit)


def test_trying_again_plans_it_and_ends_the_task(reception, visit, make, bob):
    copy = make(**FAILED)
    task = staff_tasks.open_task(
        practice=visit.practice,
        patient=visit.patient,
        kind=TaskKind.WRITE_BACK,
        actor=engine.ACTOR,
    )
    path = reverse("recall:write-again", args=[visit.public_id])
    answer = reception.post(path)
    assert answer.url == reverse("recall:appointment", args=[visit.public_id])
    copy.refresh_from_db()
    assert (copy.state, copy.next_try_at) == (CopyState.ACCEPTED, clock.now())
    task.refresh_from_db()
    assert task.done_by == bob
    entry = JournalEntry.objects.get(action="appointment.write_again")
    assert (entry.actor_id, entry.subject_id) == (str(bob.pk), str(visit.pk))
    reception.post(path)
    assert JournalEntry.objects.filter(action="appointment.write_again").count() == 1


def test_a_viewer_sees_it_and_cannot_try_again(viewer, visit, make):
    make(**FAILED)
    shown = page(viewer, visit)
    assert "That time is taken in Optix" in shown
    assert "Try again" not in shown
    assert viewer.post(reverse("recall:write-again", args=[visit.public_id])).status_code == 403
    assert AppointmentCopy.objects.get().state == CopyState.FAILED


def test_another_practices_appointment_cannot_be_tried_again(stranger, visit, make):
    make(**FAILED)
    path = reverse("recall:write-again", args=[visit.public_id])
    assert stranger.post(path).status_code == 404
    assert AppointmentCopy.objects.get().state == CopyState.FAILED


def test_the_lists_say_where_it_is_missing(owner, visit, make):
    make(**FAILED)
    day = f"{clock.london(visit.starts_at):%Y-%m-%d}"
    for view in ("week", "day"):
        shown = text(owner.get(reverse("recall:appointments"), {"view": view, "date": day}))
        assert "Optix: not written" in shown, view


def test_a_list_of_many_takes_no_more_queries(owner, visit, make, django_assert_num_queries):
    make(**WRITTEN)
    path = reverse("recall:appointments") + f"?date={clock.london(visit.starts_at):%Y-%m-%d}"
    with CaptureQueriesContext(database) as few:
        owner.get(path)
    for place in range(1, 6):
        another = a_visit(visit.practice, TUESDAY + timedelta(minutes=30 * place))
        make(appointment=another, **WRITTEN)
    with django_assert_num_queries(len(few)):
        owner.get(path)


def test_today_shows_what_failed_with_its_reason(owner, visit, make):
    make(**FAILED)
    staff_tasks.open_task(
        practice=visit.practice,
        patient=visit.patient,
        kind=TaskKind.WRITE_BACK,
        actor=engine.ACTOR,
    )
    shown = text(owner.get(reverse("recall:today")))
    assert "is not in your own system as booked" in shown
    assert "That time is taken in Optix" in shown
    assert reverse("recall:write-again", args=[visit.public_id]) in shown
    assert reverse("recall:appointment", args=[visit.public_id]) in shown


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ConnectionState.CONNECTED, "<b>Optix</b> does not answer"),
        (ConnectionState.NEEDS_ATTENTION, "<b>Optix</b> has to be connected again"),
    ],
)
def test_today_says_which_system_holds_appointments_up(owner, make, optix, state, said):
    make(reason="timeout")
    optix.state = state
    optix.save(update_fields=["state"])
    shown = text(owner.get(reverse("recall:today-live")))
    assert said in shown
    assert "1 appointment waits to be written there. Nothing is lost" in shown
    assert ("Connect Optix" in shown) == (state == ConnectionState.NEEDS_ATTENTION)


@pytest.mark.parametrize(
    ("minutes", "refused", "said"),
    [
        (20, False, "What is booked or taken there since today at"),
        (1, True, "has to be connected again"),
        (1, False, ""),
    ],
)
def test_today_says_which_system_is_not_heard(owner, practice, minutes, refused, said):
    google = connection(practice, "google_calendar")
    connections.failed(connection=google, code="auth", actor=engine.ACTOR, refused=refused)
    Connection.objects.update(failing_since=clock.now() - timedelta(minutes=minutes))
    shown = text(owner.get(reverse("recall:today-live")))
    assert said in shown and ("<b>Google Calendar</b>" in shown) == bool(said)


def test_today_says_nothing_of_what_is_merely_on_its_way(owner, make):
    make()
    assert "to be written there" not in text(owner.get(reverse("recall:today-live")))


def test_another_practices_waiting_is_not_shown(stranger, make):
    make(reason="timeout")
    assert "Optix" not in text(stranger.get(reverse("recall:today-live")))


@pytest.mark.parametrize(
    ("version", "said"),
    [(1, "Written into Optix"), (2, "New time written into Optix"), (0, "Taken out of Optix")],
)
def test_the_patients_history_says_it(owner, visit, version, said):
    with transaction.atomic():
        journal.record(
            practice=visit.practice,
            action="appointment.written",
            actor=engine.ACTOR,
            patient=visit.patient_id,
            subject=visit,
            facts={"system": "optix", "version": version},
        )
    assert said in text(owner.get(reverse("recall:patient", args=[visit.patient.public_id])))
