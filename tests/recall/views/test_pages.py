"""Every staff page: who may see it, whose it is, and how many queries it asks."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.twilio import client
from practices.models import MonthlyUsage, Practice, User
from recall.models import Attempt, AttemptState
from sightsync.lib import clock
from tests import engine
from tests.working_day import WorkingDay

pytestmark = pytest.mark.django_db


def pages(day: WorkingDay) -> list[str]:
    """Addresses that answer GET, with rows of Acuity Opticians in them."""
    patient, campaign = day.due.public_id, day.campaign.public_id
    appointment = day.appointment.public_id
    return [
        "/",
        "/today/live",
        "/patients",
        "/patients?q=nowak&risk=diabetic&due=overdue&contact=yes",
        f"/patients/{patient}",
        f"/patients/{patient}/opt-out",
        f"/patients/{day.opted_out.public_id}",
        f"/patients/{day.opted_out.public_id}/opt-out",
        f"/patients/{patient}/contact",
        f"/patients/{patient}/close",
        "/recall",
        "/recall/new",
        "/recall/new?risks=diabetic&overdue_months=1&age_from=18&not_called_days=7",
        f"/recall/{campaign}",
        f"/recall/{campaign}?state=waiting",
        f"/recall/{campaign}/live",
        f"/recall/{campaign}/stop",
        "/calls",
        "/calls?outcome=booked&q=tom&day=2026-11-18",
        f"/calls/{day.call.public_id}",
        "/appointments",
        "/appointments?view=day&date=2026-11-24",
        f"/appointments/{appointment}",
        f"/appointments/{appointment}/move",
        f"/appointments/{appointment}/cancel",
        f"/appointments/book?patient={patient}",
        "/settings/usage",
        "/stop",
    ]


def test_every_page_opens_for_the_owner(owner: Client, day: WorkingDay) -> None:
    for address in pages(day):
        assert owner.get(address).status_code == 200, address


def test_nobody_gets_in_without_signing_in(client: Client, day: WorkingDay) -> None:
    for address in pages(day):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/login/"), address


def test_another_practice_sees_none_of_these_rows(stranger: Client, day: WorkingDay) -> None:
    for address in pages(day):
        answer = stranger.get(address)
        if "_01" in address:
            assert answer.status_code == 404, address
        else:
            assert "Ferreira" not in answer.content.decode(), address


def test_a_viewer_is_shown_no_button_that_changes_anything(viewer: Client, day: WorkingDay) -> None:
    for address in ("/", f"/patients/{day.due.public_id}", f"/recall/{day.campaign.public_id}"):
        page = viewer.get(address).content.decode()
        content = page[page.index("<main") : page.index("</main>")]
        assert 'method="post"' not in content, address


@pytest.mark.parametrize("address", ["/recall/new", "/stop", "/appointments/book"])
def test_a_viewer_cannot_open_what_changes_things(viewer: Client, address: str) -> None:
    assert viewer.get(address).status_code == 403


def test_a_receptionist_cannot_start_or_stop_a_recall(reception: Client, day: WorkingDay) -> None:
    campaign = day.campaign.public_id
    assert reception.get("/recall/new").status_code == 403
    assert reception.post("/recall/start").status_code == 403
    assert reception.post(f"/recall/{campaign}/pause").status_code == 403
    assert reception.post("/stop/resume").status_code == 403


@pytest.mark.parametrize(
    "address", ["/", "/patients", "/calls", "/recall", "/recall/new", "/appointments"]
)
def test_a_list_asks_the_same_queries_however_long_it_is(
    owner: Client, practice: Practice, day: WorkingDay, address: str
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as before:
        owner.get(address)
    for index in range(10, 30):
        who = engine.patient(practice, number=f"+4477009001{index}", email=f"q{index}@example.org")
        engine.under_way(who, provider_ref=f"CA{index}")
    with CaptureQueriesContext(connection) as after:
        owner.get(address)
    assert len(after) == len(before)


def test_a_wrong_filter_is_treated_as_none(owner: Client, day: WorkingDay) -> None:
    for address in ("/patients?risk=nonsense&page=x", "/calls?outcome=nonsense&day=yesterday"):
        assert owner.get(address).status_code == 200
    answer = owner.get("/recall/new?age_from=80&age_to=20")
    assert "There is a problem" in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, b"0123456789"),
        ("bytes=0-1", 206, b"01"),
        ("bytes=8-", 206, b"89"),
        ("bytes=4-99", 206, b"4567" + b"89"),
        ("bytes=10-", 200, b"0123456789"),
        ("bytes=3-2", 200, b"0123456789"),
        ("bytes=-2", 200, b"0123456789"),
    ],
)
def test_a_recording_is_played_on_the_calls_page_in_parts(
    viewer: Client, day: WorkingDay, monkeypatch, asked, status, part
) -> None:
    monkeypatch.setattr(client, "fetch_recording", lambda **_: b"0123456789")
    address = f"/calls/{day.call.public_id}"
    assert "<audio" not in viewer.get(address).content.decode()
    assert viewer.get(f"{address}/recording").status_code == 404
    Attempt.objects.filter(pk=day.call.pk).update(recording="RE" + "1" * 32)
    assert f'src="{address}/recording"' in viewer.get(address).content.decode()
    answer = viewer.get(f"{address}/recording", headers={"Range": asked} if asked else {})
    assert (answer.status_code, answer.content) == (status, part)
    assert answer["Content-Type"] == "audio/mpeg"


def test_the_usage_of_the_month_is_shown_by_day(
    owner: Client, viewer: Client, day: WorkingDay
) -> None:
    MonthlyUsage.objects.create(practice=day.call.practice, month=date(2026, 11, 1), calls_used=750)
    page = " ".join(owner.get("/settings/usage").content.decode().split())
    assert "Growth plan: 750 calls in each calendar month." in page
    assert '<b class="stat-number">0</b><span class="stat-note warn">until Monday 30' in page
    assert 'href="/calls?day=2026-11-18">Today</a>' in page
    assert viewer.get("/settings/usage").status_code == 403


def test_today_says_that_the_carrier_is_silent(client: Client, alice: User, practice) -> None:
    client.force_login(alice)
    held_up = (
        {"state": AttemptState.PLANNED, "reason": "carrier_busy"},
        {"state": AttemptState.UNKNOWN, "submitted_at": clock.now()},
    )
    for number, fields in enumerate(held_up, start=61):
        assert "The phone carrier" not in client.get("/today/live").content.decode()
        planned = engine.planned(engine.patient(practice, f"+4477009000{number}"))
        Attempt.objects.filter(pk=planned.pk).update(**fields)
    assert "2 calls and texts wait for it" in client.get("/today/live").content.decode()
