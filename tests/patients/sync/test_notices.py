"""The owners hear of a second failed night, once; Today and the settings say it at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django_q.models import OrmQ

from integrations.models import Connection
from patients import tasks
from patients.models import SyncRun, SyncState
from patients.sync import claim, notices, plan, selectors
from patients.sync.selectors import State
from sightsync.lib import clock
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 11, 16, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def long_connected(connection, alice, bob, at) -> None:
    at(FIRST)
    Connection.objects.update(connected_at=FIRST - timedelta(days=30))
    connection.refresh_from_db()


def night(at, number: int, code: str = "timeout") -> SyncRun:
    """One night: its run fails with the code, or ends well without one."""
    at(FIRST + timedelta(days=number))
    plan.plan_night(clock.now())
    run = claim.claim(SyncRun.objects.get(state=SyncState.PLANNED).pk)
    assert run is not None
    if code:
        claim.fail(run, code=code, actor=ACTOR)
    else:
        SyncRun.objects.filter(pk=run.pk).update(as_of=clock.now())
        claim.done(run, actor=ACTOR)
    return run


def send_what_is_queued() -> None:
    for row in list(OrmQ.objects.all()):
        job = row.task
        if job["func"] == notices.JOB:
            tasks.tell_of_failed_sync(*job["args"])
    OrmQ.objects.all().delete()


def test_after_two_failed_nights_and_once_for_the_spell(at, mails) -> None:
    night(at, 0)
    send_what_is_queued()
    assert mails == []
    for number in (1, 2, 3):
        night(at, number)
        send_what_is_queued()
    [letter] = mails
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "Acuity Opticians: Optix could not be read for 2 nights"
    assert "/settings/calendar-pms" in letter.body
    assert "It did not answer in time." in letter.body


def test_a_new_spell_is_told_again(at, mails) -> None:
    for number, code in enumerate(("timeout", "timeout", "", "timeout", "auth")):
        night(at, number, code)
        send_what_is_queued()
    assert len(mails) == 2
    assert "Connect it again" in mails[1].body


def test_a_good_night_in_between_begins_anew(at, mails) -> None:
    for number, code in enumerate(("timeout", "", "timeout", "")):
        night(at, number, code)
        send_what_is_queued()
    assert mails == []


def test_the_job_run_twice_sends_once(at, mails) -> None:
    night(at, 0)
    last = night(at, 1)
    tasks.tell_of_failed_sync(str(last.pk))
    tasks.tell_of_failed_sync(str(last.pk))
    assert len(mails) == 1


def test_when_it_has_worked_since_nobody_is_bothered(at, mails) -> None:
    night(at, 0)
    last = night(at, 1)
    night(at, 2, "")
    tasks.tell_of_failed_sync(str(last.pk))
    assert mails == []


def test_a_mail_server_that_is_down_is_tried_again(at, mails, monkeypatch) -> None:
    night(at, 0)
    last = night(at, 1)

    def refuse(*args: object, **kwargs: object) -> int:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(notices, "send_mail", refuse)
        with pytest.raises(OSError):
            tasks.tell_of_failed_sync(str(last.pk))
    tasks.tell_of_failed_sync(str(last.pk))
    assert len(mails) == 1


# --- freshness ----------------------------------------------------------------------------------


def test_fresh_after_a_good_night(at, connection) -> None:
    night(at, 0, "")
    found = selectors.freshness(connection)
    assert (found.state, found.done_at) == (State.FRESH, clock.now())
    assert found.next_at > clock.now()
    assert selectors.troubles(connection.practice) == []


def test_failed_says_why_and_since_when(at, connection) -> None:
    night(at, 0, "")
    good = clock.now()
    night(at, 1, "auth")
    found = selectors.freshness(connection)
    assert (found.state, found.done_at) == (State.FAILED, good)
    assert "key" in found.reason
    [trouble] = selectors.troubles(connection.practice)
    assert (trouble.failed, trouble.since) == (True, good)


def test_stale_when_a_night_is_missing(at, connection) -> None:
    night(at, 0, "")
    at(FIRST + timedelta(hours=37))
    assert selectors.freshness(connection).state == State.STALE
    [trouble] = selectors.troubles(connection.practice)
    assert not trouble.failed


def test_just_connected_it_waits(at, connection) -> None:
    Connection.objects.update(connected_at=clock.now())
    connection.refresh_from_db()
    assert selectors.freshness(connection).state == State.WAITING


def test_another_practices_trouble_is_not_ours(at, connection, other_practice) -> None:
    night(at, 0)
    assert selectors.troubles(other_practice) == []


def test_today_says_it_to_everybody_and_shows_the_owner_where(
    at, connection, client, alice, bob
) -> None:
    night(at, 0, "auth")
    for person, may in ((alice, True), (bob, False)):
        client.force_login(person)
        page = client.get("/").content.decode()
        assert "could not be read" in page
        assert ("/settings/calendar-pms" in page) is may
