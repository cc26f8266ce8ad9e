"""The patient's pages: booking, moving, cancelling, confirming, stopping."""

from datetime import timedelta

import pytest

from recall import episodes
from recall.models import Appointment, Attempt, Episode, StaffTask
from recall.models.appointments import LinkKind
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF
from tests.recall.booking.pages import AT, TUESDAY, booked, heading, links_in, path_of

# --- booking ------------------------------------------------------------------------------------


def test_a_patient_chooses_a_day_a_time_checks_and_is_booked(browser, diary_row, jane):
    path = path_of(jane)
    days = browser.get(path)
    assert heading(days) == "Jane, choose a day for your eye examination"
    assert "Tuesday 24 November" in days.content.decode()
    assert "17 times" in days.content.decode()
    times = browser.get(f"{path}?day=2026-11-24")
    assert f"?day=2026-11-24&amp;time={AT}" in links_in(times)
    check = browser.get(f"{path}?day=2026-11-24&time={AT}")
    assert "Book Tuesday at 2:30pm" in check.content.decode()
    assert not Appointment.objects.exists()
    answer = browser.post(f"{path}?day=2026-11-24&time={AT}", {"time": AT})
    assert (answer.status_code, answer["Location"]) == (302, f"{path}/done")
    done = browser.get(answer["Location"])
    assert heading(done) == "You are booked, Jane"
    row = Appointment.objects.get()
    assert (row.starts_at, row.source, row.patient_id) == (TUESDAY, "link", jane.pk)


def test_the_done_page_can_be_reloaded_and_the_form_sent_twice(browser, diary_row, jane):
    path = path_of(jane)
    for _ in range(2):
        assert browser.post(path, {"time": AT})["Location"] == f"{path}/done"
        assert browser.get(f"{path}/done").status_code == 200
    assert Appointment.objects.count() == 1
    assert Attempt.objects.filter(purpose="confirmation").count() == 1


def test_who_is_booked_sees_the_appointment_on_the_same_link(browser, diary_row, jane):
    path = path_of(jane)
    browser.post(path, {"time": AT})
    page = browser.get(path)
    assert heading(page) == "Your appointment"
    assert "Tuesday 24 November" in page.content.decode()
    other_time = browser.post(path, {"time": "20261125T1430Z"})
    assert other_time["Location"] == path
    assert Appointment.objects.get().starts_at == TUESDAY


def test_a_time_that_has_gone_is_said_and_the_next_three_are_offered(
    browser, diary_row, jane, make_patient
):
    path = path_of(jane)
    booked(make_patient())
    for answer in (browser.post(path, {"time": AT}), browser.get(f"{path}?time={AT}")):
        assert answer.status_code == 409
        assert heading(answer) == "That time has just gone"
        offered = [link for link in links_in(answer) if link.startswith("?time=")]
        assert offered == [f"?time=20261124T{hour}Z" for hour in ("1500", "1530", "1600")]
    assert not Appointment.objects.filter(patient=jane).exists()


@pytest.mark.parametrize(
    "time",
    [
        "20261117T1430Z",  # past
        "20261118T1030Z",  # inside the notice
        "20261124T1437Z",  # beside the grid
        "20261124T1800Z",  # closed
        "20261122T1430Z",  # a Sunday
        "20270601T1430Z",  # beyond the horizon
        "99991231T2359Z",
    ],
)
def test_no_address_skips_notice_hours_grid_or_horizon(browser, diary_row, jane, time):
    path = path_of(jane)
    assert browser.post(path, {"time": time}).status_code == 409
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    "time", ["", "x", "2026-13-40", "20261124T1430", "٢٠٢٦", "\x00", "9" * 400]
)
def test_a_time_that_is_none_leads_back_to_the_days(browser, diary_row, jane, time):
    path = path_of(jane)
    assert browser.post(path, {"time": time})["Location"] == path
    assert "choose a day" in heading(browser.get(path, {"time": time}))
    assert "choose a day" in heading(browser.get(path, {"day": time}))
    assert "choose a day" in heading(browser.get(path, {"from": time}))


def test_length_and_diary_come_from_the_practice_not_from_the_form(browser, diary_row, jane):
    tampered = {"time": AT, "diary": "x", "minutes": "240", "patient": "y", "status": "attended"}
    browser.post(path_of(jane), tampered)
    row = Appointment.objects.get()
    assert row.ends_at - row.starts_at == timedelta(minutes=30)
    assert (row.diary_id, row.patient_id, row.status) == (diary_row.pk, jane.pk, "booked")


def test_later_days_are_a_link_away(browser, diary_row, jane):
    path = path_of(jane)
    first = browser.get(path).content.decode()
    assert first.count('class="day"') == 7
    assert "?from=2026-11-27" in first
    later = browser.get(f"{path}?from=2026-11-27").content.decode()
    assert "Friday 27 November" in later
    assert "Wednesday 18 November" not in later


@pytest.mark.parametrize(
    ("today", "monday", "opens"),
    [
        ("2026-10-23T08:00:00Z", "2026-10-26", "20261026T0900Z"),  # after the clocks went back
        ("2026-03-27T08:00:00Z", "2026-03-30", "20260330T0800Z"),  # after they went forward
    ],
)
def test_nine_o_clock_is_nine_o_clock_across_the_clock_change(
    browser, diary_row, jane, at, today, monday, opens
):
    at(today)
    path = path_of(jane)
    page = browser.get(f"{path}?day={monday}").content.decode()
    assert f"time={opens}" in page
    assert "9:00am" in page
    browser.post(path, {"time": opens})
    assert clock.london(Appointment.objects.get().starts_at).hour == 9


def test_the_message_that_brought_the_patient_is_kept_with_the_appointment(
    browser, practice, diary_row, jane
):
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    attempt = Attempt.objects.create(
        practice=practice,
        patient=jane,
        episode=episode,
        channel="whatsapp",
        state="accepted",
        due_at=clock.now(),
        created_at=clock.now(),
    )
    browser.post(path_of(jane, attempt=attempt, episode=episode), {"time": AT})
    row = Appointment.objects.get()
    assert (row.attempt_id, row.episode_id) == (attempt.pk, episode.pk)
    assert Episode.objects.get(pk=episode.pk).state == "booked"


# --- afterwards ---------------------------------------------------------------------------------


def test_an_appointment_is_moved(browser, diary_row, jane):
    path = path_of(jane)
    browser.post(path, {"time": AT})
    assert heading(browser.get(f"{path}/move")) == "Jane, choose a new day"
    check = browser.get(f"{path}/move?time=20261125T0930Z")
    assert "Move to Wednesday at 9:30am" in check.content.decode()
    answer = browser.post(f"{path}/move", {"time": "20261125T0930Z"})
    assert heading(browser.get(answer["Location"])) == "Your appointment is moved"
    assert Appointment.objects.get().version == 2


def test_moving_to_a_taken_time_keeps_the_appointment(browser, diary_row, jane, make_patient):
    booked(make_patient(), TUESDAY + timedelta(days=1))
    path = path_of(jane)
    browser.post(path, {"time": AT})
    answer = browser.post(f"{path}/move", {"time": "20261125T1430Z"})
    assert answer.status_code == 409
    assert Appointment.objects.get(patient=jane).starts_at == TUESDAY


def test_an_appointment_is_cancelled_and_another_can_be_booked(browser, diary_row, jane):
    path = path_of(jane)
    browser.post(path, {"time": AT})
    assert heading(browser.get(f"{path}/cancel")) == "Cancel your appointment?"
    answer = browser.post(f"{path}/cancel")
    assert heading(browser.get(answer["Location"])) == "Your appointment is cancelled"
    assert browser.post(f"{path}/cancel")["Location"] == f"{path}/cancelled"
    assert Appointment.objects.get().status == "cancelled"
    browser.post(path, {"time": AT})
    assert Appointment.objects.filter(status="booked").count() == 1


def test_an_appointment_is_confirmed(browser, diary_row, jane):
    path = path_of(jane)
    browser.post(path, {"time": AT})
    assert f"{path}/confirm" in browser.get(path).content.decode()
    assert browser.get(f"{path}/confirm")["Location"] == path
    assert Appointment.objects.get().status == "booked"
    browser.post(f"{path}/confirm")
    assert Appointment.objects.get().status == "confirmed"


def test_the_calendar_file_is_the_appointment_as_it_is_now(browser, diary_row, jane):
    path = path_of(jane)
    browser.post(path, {"time": AT})
    row = Appointment.objects.get()
    sent = path_of(jane, LinkKind.CALENDAR, appointment=row)
    for address in (f"{path}/appointment.ics", sent):
        file = browser.get(address)
        assert file["Content-Type"].startswith("text/calendar")
        assert b"DTSTART:20261124T143000Z" in file.content
    browser.post(f"{path}/cancel")
    assert b"STATUS:CANCELLED" in browser.get(sent).content


def test_asking_to_be_rung_is_one_task_and_stops_the_machine(browser, practice, diary_row, jane):
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    path = path_of(jane)
    assert browser.get(f"{path}/ring/asked")["Location"] == f"{path}/ring"
    for _ in range(2):
        answer = browser.post(f"{path}/ring")
        assert heading(browser.get(answer["Location"])) == "We will ring you"
    task = StaffTask.objects.get()
    assert (task.kind, task.patient_id) == ("call_back", jane.pk)
    episode.refresh_from_db()
    assert episode.state == "needs_staff"
    assert not Attempt.objects.filter(state="planned").exists()


# --- stopping -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "ending"), [("opt_out", ""), ("booking", "/stop")])
def test_one_button_stops_all_contact(browser, practice, diary_row, jane, kind, ending):
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    episodes.advance(episode=episode, actor=STAFF)
    path = path_of(jane, LinkKind(kind)) + ending
    page = browser.get(path)
    assert heading(page).startswith("Stop calls and messages")
    assert page.content.decode().count("<button") == 1
    answer = browser.post(path)
    assert answer.status_code == 302
    assert heading(browser.get(answer["Location"])).startswith("Done")
    jane.refresh_from_db()
    episode.refresh_from_db()
    assert jane.opted_out
    assert jane.opted_out_source == "opt_out_page"
    assert episode.state == "opted_out"
    assert not Attempt.objects.filter(state="planned").exists()


def test_the_mail_programs_button_needs_no_cookie_and_may_be_pressed_twice(browser, jane):
    path = path_of(jane, LinkKind.OPT_OUT) + "/one-click"
    for _ in range(2):
        answer = browser.post(
            path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
        assert not answer.cookies
    jane.refresh_from_db()
    assert jane.opted_out_source == "email_one_click"


def test_a_person_who_opens_the_one_click_address_gets_the_page_with_the_button(browser, jane):
    path = path_of(jane, LinkKind.OPT_OUT)
    assert browser.get(f"{path}/one-click")["Location"] == path
    jane.refresh_from_db()
    assert not jane.opted_out


def test_opting_out_holds_for_everybody_on_the_number(browser, jane, make_patient):
    child = make_patient(phone_number=jane.phone_number, first_name="Tim")
    browser.post(path_of(jane, LinkKind.OPT_OUT))
    child.refresh_from_db()
    assert child.opted_out
