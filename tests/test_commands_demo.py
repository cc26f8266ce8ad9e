"""The demo practice: alive, the same every time, made once, and refused in live mode."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from patients import tps
from patients.models import Patient, RiskCategory
from practices import journal
from practices.models import JournalEntry, Practice, User
from recall.booking import diary
from recall.demo import build, people, stories
from recall.management.commands import start
from recall.models import Appointment, Attempt, CallTurn, Channel, Episode, StaffTask
from sightsync.lib import clock
from tests import routes

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo() -> Practice:
    return build.build()


def test_it_is_a_practice_with_a_past(demo: Practice) -> None:
    now = clock.now()
    patients = Patient.objects.filter(practice=demo)
    assert patients.count() == people.PATIENTS
    assert set(patients.values_list("risk_category", flat=True)) == set(RiskCategory.values)
    due = patients.filter(next_clinical_due_date__lte=clock.today())
    assert 80 < due.count() < 250
    assert set(Attempt.objects.values_list("channel", flat=True)) == set(Channel.values)
    assert not Attempt.objects.filter(ended_at__gt=now).exists()
    assert not JournalEntry.objects.filter(at__gt=now).exists()
    assert Appointment.objects.filter(starts_at__gt=now).count() > 20
    assert StaffTask.objects.filter(done_at=None, urgent=True).count() == 1
    assert CallTurn.objects.exists()
    assert tps.state(now).is_usable


def test_everybody_of_the_tour_can_be_rung(demo: Practice) -> None:
    numbers = [f"+447700900{persona:03d}" for persona in range(1, 22)]
    tour = Patient.objects.filter(practice=demo, phone_number__in=numbers)
    assert tour.count() == 21
    for patient in tour:
        assert patient.next_clinical_due_date <= clock.today()
        assert patient.email
        assert not patient.opted_out
        assert patient.tps_listing == 0
        assert not patient.attempts.exists()
        assert not patient.appointments.exists()


def test_no_place_is_booked_twice_and_some_are_left(demo: Practice) -> None:
    places = list(Appointment.objects.values_list("diary", "starts_at"))
    assert len(places) == len(set(places))
    assert len(diary.free(practice=demo, now=clock.now(), days=5)) > 10


def test_a_second_time_changes_nothing(demo: Practice) -> None:
    before = routes.fingerprint()
    out = StringIO()
    call_command("demo", stdout=out)
    assert "there already" in out.getvalue()
    assert people.PASSWORD in out.getvalue()
    assert routes.fingerprint() == before


def test_it_does_not_print_a_password_that_was_changed(demo: Practice) -> None:
    owner = User.objects.get(email=people.OWNER)
    owner.set_password("something else entirely")
    owner.save(update_fields=["password"])
    assert people.PASSWORD not in people.sign_in()


def test_the_same_day_gives_the_same_people() -> None:
    today = date(2026, 11, 18)
    assert list(people.patients(today)) == list(people.patients(today))


def test_its_journal_holds(demo: Practice) -> None:
    while journal.seal():
        pass
    assert journal.verify(demo.pk) is None


@pytest.mark.parametrize("day", ["2026-01-01", "2026-03-02", "2026-05-31", "2026-12-28"])
def test_its_stories_end_before_today(day: str) -> None:
    today = date.fromisoformat(day)
    for story in stories.tell(list(range(120)), today):
        took = sum((step.after for step in story.path.steps), timedelta())
        assert clock.london(story.begins + took).date() < today


def test_open_recalls_say_why(demo: Practice) -> None:
    for episode in Episode.objects.filter(closed_at=None):
        assert episode.state == "needs_staff"
        assert StaffTask.objects.filter(patient=episode.patient, done_at=None).exists()


def test_it_is_refused_in_live_mode() -> None:
    with override_settings(LIVE=True), pytest.raises(CommandError, match="live mode"):
        call_command("demo", stdout=StringIO())
    assert not Practice.objects.exists()


# --- start ---


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_start_says_when_a_port_is_in_use(taken_port: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken_port} is in use"):
        call_command("start", "--port", str(taken_port))
    assert not Practice.objects.exists()


def test_start_explains_a_bad_port() -> None:
    with pytest.raises(CommandError, match="is not a port"):
        call_command("start", "--port", "http")


def test_start_is_refused_in_live_mode() -> None:
    with override_settings(LIVE=True), pytest.raises(CommandError, match="Procfile"):
        call_command("start")


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        ("2026-11-21T02:00:00Z", "2026-11-20T10:00:00+00:00"),
        ("2026-11-18T19:00:00Z", "2026-11-18T10:00:00+00:00"),
        ("2026-11-18T08:59:00Z", "2026-11-17T10:00:00+00:00"),
        ("2026-12-28T12:00:00Z", "2026-12-24T10:00:00+00:00"),
        ("2026-07-05T12:00:00Z", "2026-07-03T09:00:00+00:00"),
        ("2026-11-18T09:00:00Z", "2026-11-18T09:00:00+00:00"),
    ],
)
def test_a_fresh_start_out_of_hours_shows_the_last_working_day(
    machine: str, shown: str, at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(machine)
    seen = []
    monkeypatch.setattr(start.pretend_clock, "set_to", lambda moment: at(moment))
    monkeypatch.setattr(
        start, "call_command", lambda name, **_: seen.append((name, clock.now().isoformat()))
    )
    start.Command()._prepare()
    assert ("demo", shown) in seen


def test_the_welcome_says_where_and_as_whom(demo: Practice) -> None:
    words = start._welcome()
    assert people.OWNER in words
    assert people.PASSWORD in words
    assert demo.public_id in words
    assert json.dumps(words).count("http://") == 2
