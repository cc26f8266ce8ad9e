"""The one door for "do not contact me": the wish and everything queued, together or not at all."""

import pytest

from recall import contact_stop, episodes
from recall.models import Attempt, Episode
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF, make_patient

__all__ = ["make_patient"]


def planned(patient, channel, **fields):
    return Attempt.objects.create(
        practice=patient.practice,
        patient=patient,
        channel=channel,
        due_at=clock.now(),
        created_at=clock.now(),
        **fields,
    )


def stop(practice, **who):
    return contact_stop.opt_out(practice=practice, source="staff", actor=STAFF, **who)


def test_all_that_was_planned_is_cancelled_and_the_recall_ends(practice, make_patient):
    jane = make_patient()
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    rows = [planned(jane, "voice", episode=episode), planned(jane, "sms", purpose="reminder")]
    assert stop(practice, patients=[jane]) == 1
    for row in rows:
        row.refresh_from_db()
    assert {(row.state, row.reason) for row in rows} == {("cancelled", "opted_out")}
    assert Episode.objects.get().state == "opted_out"


def test_one_channel_closes_that_channel_only(practice, make_patient):
    jane = make_patient(email="jane@example.org")
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    text, reminder = planned(jane, "sms"), planned(jane, "email", purpose="reminder")
    stop(practice, patients=[jane], channel="sms")
    text.refresh_from_db()
    reminder.refresh_from_db()
    jane.refresh_from_db()
    assert (text.state, reminder.state) == ("cancelled", "planned")
    assert not jane.opted_out
    episode.refresh_from_db()
    assert episode.closed_at is None


def test_a_number_reaches_everybody_who_has_it(practice, make_patient):
    jane = make_patient()
    make_patient(phone_number=jane.phone_number)
    assert stop(practice, phone=jane.phone_number) == 2
    assert stop(practice, phone="+447700900888") == 0


def test_a_repeat_changes_nothing(practice, make_patient):
    jane = make_patient()
    stop(practice, patients=[jane])
    jane.refresh_from_db()
    first = jane.opted_out_at
    assert stop(practice, patients=[jane]) == 1
    jane.refresh_from_db()
    assert jane.opted_out_at == first


def test_what_is_on_its_way_is_left_to_the_last_look(practice, make_patient):
    jane = make_patient()
    going = planned(jane, "voice", state="submitting")
    stop(practice, patients=[jane])
    going.refresh_from_db()
    assert going.state == "submitting"


def test_nobody_of_another_practice_can_be_named(practice, other_practice, make_patient):
    with pytest.raises(ValueError, match="another practice"):
        stop(other_practice, patients=[make_patient()])


def test_it_is_all_or_nothing(practice, make_patient, monkeypatch):
    jane = make_patient()
    episodes.ensure_open(practice=practice, patients=[jane], campaign=None, actor=STAFF)

    def fail(**_):
        raise RuntimeError

    monkeypatch.setattr(episodes, "close", fail)
    with pytest.raises(RuntimeError):
        stop(practice, patients=[jane])
    jane.refresh_from_db()
    assert not jane.opted_out
