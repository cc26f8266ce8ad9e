"""What the staff pages change: once, by whom it may, with an entry in the journal."""

import pytest
from django.test import Client

from patients.models import Patient
from practices.models import JournalEntry, Practice, User
from recall.models import Appointment, Campaign, CampaignState, Episode, StaffTask
from sightsync.lib import ids
from tests import engine
from tests.working_day import WorkingDay

pytestmark = pytest.mark.django_db


def test_pressing_start_twice_starts_once(owner: Client, practice: Practice) -> None:
    engine.register()
    engine.patient(practice)
    form = {"start_token": str(ids.new()), "name": "November"}
    first = owner.post("/recall/start?overdue_months=1", form)
    second = owner.post("/recall/start?overdue_months=1", form)
    assert first["Location"] == second["Location"]
    assert Campaign.objects.count() == 1
    assert Episode.objects.count() == 1


def test_starting_with_nobody_to_contact_keeps_nothing_and_says_so(
    owner: Client, practice: Practice
) -> None:
    engine.register()
    answer = owner.post("/recall/start", {"start_token": str(ids.new())})
    assert answer.status_code == 400
    assert "None of these patients can be contacted" in answer.content.decode()
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_starting_without_the_form_of_the_page_changes_nothing(
    owner: Client, practice: Practice, token: str
) -> None:
    engine.register()
    engine.patient(practice)
    assert owner.post("/recall/start", {"start_token": token}).status_code == 400
    assert not Campaign.objects.exists()


def test_a_campaign_is_paused_resumed_and_stopped(owner: Client, day: WorkingDay) -> None:
    address = f"/recall/{day.campaign.public_id}"
    for action, state in (
        ("pause", CampaignState.PAUSED),
        ("resume", CampaignState.RUNNING),
        ("stop/now", CampaignState.STOPPED),
    ):
        assert owner.post(f"{address}/{action}").status_code == 302
        day.campaign.refresh_from_db()
        assert day.campaign.state == state
    assert not Episode.objects.filter(campaign=day.campaign, closed_at=None).exists()


def test_a_page_that_polls_is_told_when_the_campaign_no_longer_runs(
    owner: Client, day: WorkingDay
) -> None:
    live = f"/recall/{day.campaign.public_id}/live"
    assert "HX-Refresh" not in owner.get(live)
    owner.post(f"/recall/{day.campaign.public_id}/pause")
    assert owner.get(live)["HX-Refresh"] == "true"


def test_the_stop_switch_asks_first_and_shows_on_every_page(
    owner: Client, practice: Practice
) -> None:
    assert "Stop all contact?" in owner.get("/stop").content.decode()
    practice.refresh_from_db()
    assert practice.contact_stopped_at is None
    owner.post("/stop")
    practice.refresh_from_db()
    assert practice.contact_stopped_at is not None
    assert "All contact is stopped" in owner.get("/patients").content.decode()
    owner.post("/stop/resume")
    practice.refresh_from_db()
    assert practice.contact_stopped_at is None


def test_opting_out_and_back_in_needs_a_reason(owner: Client, practice: Practice) -> None:
    patient = engine.patient(practice)
    address = f"/patients/{patient.public_id}/opt-out"
    owner.post(f"{address}/record")
    patient.refresh_from_db()
    assert patient.opted_out
    owner.post(f"{address}/withdraw", {"reason": ""})
    patient.refresh_from_db()
    assert patient.opted_out
    owner.post(f"{address}/withdraw", {"reason": "consent_by_phone"})
    patient.refresh_from_db()
    assert not patient.opted_out


def test_calling_one_patient_opens_a_recall_once(owner: Client, practice: Practice) -> None:
    engine.register()
    patient = engine.patient(practice)
    for _ in range(2):
        owner.post(f"/patients/{patient.public_id}/call")
    assert Episode.objects.filter(patient=patient, closed_at=None).count() == 1


def test_calling_somebody_who_opted_out_plans_nothing(owner: Client, day: WorkingDay) -> None:
    answer = owner.post(f"/patients/{day.opted_out.public_id}/call", follow=True)
    assert "Nothing was planned" in answer.content.decode()
    assert not Episode.objects.filter(patient=day.opted_out).exists()


def test_a_finished_task_leaves_the_list_and_says_who(
    reception: Client, bob: User, day: WorkingDay
) -> None:
    reception.post(f"/tasks/{day.symptoms.public_id}/done")
    day.symptoms.refresh_from_db()
    assert day.symptoms.done_by == bob
    assert "mentioned symptoms" not in reception.get("/").content.decode()


def test_booking_offers_free_times_and_books_one(reception: Client, day: WorkingDay) -> None:
    address = f"/appointments/book?patient={day.due.public_id}"
    slot = reception.get(address).context["days"][0].times[0]
    answer = reception.post(address, {"slot": slot.value})
    made = Appointment.objects.get(patient=day.due, starts_at=slot.starts_at)
    assert answer["Location"] == f"/appointments/{made.public_id}"
    assert JournalEntry.objects.filter(
        action="appointment.booked", subject_id=str(made.pk)
    ).exists()


def test_a_time_that_is_gone_is_refused_and_others_are_offered(
    reception: Client, day: WorkingDay
) -> None:
    address = f"/appointments/book?patient={day.due.public_id}"
    taken = f"{day.appointment.starts_at.isoformat()}|{day.appointment.diary_id}"
    answer = reception.post(address, {"slot": taken})
    assert answer.status_code == 409
    assert answer.context["days"]
    assert not Appointment.objects.filter(patient=day.due, source="staff").exists()


@pytest.mark.parametrize("slot", ["", "2026-11-24T10:00:00|x", "nonsense"])
def test_a_made_up_time_is_not_found(reception: Client, day: WorkingDay, slot: str) -> None:
    address = f"/appointments/book?patient={day.due.public_id}"
    assert reception.post(address, {"slot": slot}).status_code == 404


def test_an_appointment_is_moved_and_cancelled(reception: Client, day: WorkingDay) -> None:
    address = f"/appointments/{day.appointment.public_id}"
    slot = reception.get(f"{address}/move").context["days"][0].times[0]
    reception.post(f"{address}/move", {"slot": slot.value})
    day.appointment.refresh_from_db()
    assert day.appointment.starts_at == slot.starts_at
    reception.post(f"{address}/cancel")
    day.appointment.refresh_from_db()
    assert day.appointment.status == "cancelled"


@pytest.mark.parametrize(("how", "status"), [("attended", "attended"), ("no_show", "no_show")])
def test_what_became_of_an_appointment_is_marked(
    reception: Client, day: WorkingDay, how: str, status: str
) -> None:
    reception.post(f"/appointments/{day.over.public_id}/mark", {"as": how})
    day.over.refresh_from_db()
    assert day.over.status == status


def test_a_number_is_corrected_and_a_bad_one_is_explained(
    reception: Client, practice: Practice
) -> None:
    patient = engine.patient(practice)
    address = f"/patients/{patient.public_id}/contact"
    bad = reception.post(address, {"phone_number": "0770", "email": ""})
    assert bad.status_code in (400, 422)
    assert "There is a problem" in bad.content.decode()
    reception.post(address, {"phone_number": "07700 900777", "email": "jane@example.org"})
    changed = Patient.objects.get(pk=patient.pk)
    assert (changed.phone_number, changed.email) == ("+447700900777", "jane@example.org")


def test_the_dry_run_downloads_with_its_reasons(owner: Client, day: WorkingDay) -> None:
    answer = owner.get("/recall/new/preview.csv?overdue_months=1")
    text = answer.content.decode("utf-8-sig")
    assert "Opted out" in text
    assert StaffTask.objects.count() == 2
