"""What strangers, mail scanners and logs may learn from the patients' pages, and may not change."""

import logging
import re
from datetime import timedelta

import pytest

from recall.booking import public_page
from recall.models import Appointment, PatientLink
from recall.models.appointments import LinkKind
from sightsync.lib import clock
from sightsync.lib.logging import JsonFormatter
from tests.database import fingerprint
from tests.recall.booking.pages import AT, PAGES, TUESDAY, booked, path_of


@pytest.mark.parametrize("state", ["new", "booked", "cancelled", "opted out"])
def test_no_get_or_head_changes_anything(browser, practice, diary_row, jane, state):
    path, stop = path_of(jane), path_of(jane, LinkKind.OPT_OUT)
    addresses = [f"{path}{page}" for page in PAGES] + [stop, f"{stop}/one-click"]
    addresses += [f"{path}?day=2026-11-24", f"{path}?time={AT}", f"{path}/move?time={AT}"]
    if state != "new":
        browser.post(path, {"time": AT})
        addresses += [f"{path}/appointment.ics"]
        row = Appointment.objects.get()
        addresses += [path_of(jane, LinkKind.CALENDAR, appointment=row)]
    if state == "cancelled":
        browser.post(f"{path}/cancel")
    if state == "opted out":
        browser.post(stop)
    before = fingerprint()
    for address in addresses:
        for ask in (browser.get, browser.head):
            assert ask(address).status_code in (200, 302, 409), address
    assert fingerprint() == before


def test_every_address_that_writes_needs_a_post(browser, diary_row, jane):
    path = path_of(jane)
    for method in ("put", "delete", "patch", "options"):
        assert getattr(browser, method)(path).status_code == 405
    for page in ("/done", "/cancelled", "/ring/asked", "/appointment.ics"):
        assert browser.post(path + page).status_code == 405


def _tokens(jane, make_patient, at) -> dict[str, str]:
    """A token for every way in which a booking link can be over."""
    tokens = {"unknown": "A" * 43, "other kind": path_of(jane, LinkKind.OPT_OUT)[3:]}
    erased, past, kept = make_patient(), make_patient(), make_patient()
    tokens["erased"] = path_of(erased)[3:]
    erased.erased_at = clock.now()
    erased.save(update_fields=["erased_at"])
    tokens["too old"] = path_of(make_patient())[3:]
    PatientLink.objects.filter(patient__pk__isnull=False).exclude(patient=jane).exclude(
        patient=erased
    ).update(expires_at=clock.now() - timedelta(seconds=1))
    for name, patient, status in (("begun", past, "booked"), ("used", kept, "attended")):
        row = booked(patient, TUESDAY if status == "booked" else TUESDAY + timedelta(hours=1))
        tokens[name] = path_of(patient, appointment=row)[3:]
        Appointment.objects.filter(pk=row.pk).update(status=status)
    at(TUESDAY + timedelta(minutes=1))
    return tokens


def test_unknown_expired_used_and_erased_links_look_the_same(
    browser, diary_row, jane, make_patient, at
):
    tokens = _tokens(jane, make_patient, at)
    answers = {name: browser.get(f"/b/{token}") for name, token in tokens.items()}
    posts = {name: browser.post(f"/b/{token}", {"time": AT}) for name, token in tokens.items()}
    assert {answer.status_code for answer in [*answers.values(), *posts.values()]} == {404}
    assert len({answer.content for answer in [*answers.values(), *posts.values()]}) == 1
    headers = [
        {k: v for k, v in answer.items() if k not in ("X-Request-Id", "Content-Security-Policy")}
        for answer in answers.values()
    ]
    assert all(found == headers[0] for found in headers)


def test_wrong_opt_out_links_look_the_same_for_every_method(browser, jane):
    for path in ("/o/" + "A" * 43, "/o/" + "A" * 43 + "/one-click", "/c/" + "A" * 43 + ".ics"):
        assert browser.get(path).status_code == 404
    first = browser.post("/o/" + "A" * 43 + "/one-click")
    assert (first.status_code, first.content) == (404, browser.get("/b/x").content)


def test_many_wrong_links_are_slowed_and_right_ones_never_are(browser, diary_row, jane):
    for _ in range(public_page.MISSES_ALLOWED):
        assert browser.get("/b/wrong").status_code == 404
    slowed = browser.get("/b/wrong")
    assert (slowed.status_code, slowed["Retry-After"]) == (429, "600")
    assert browser.get(path_of(jane)).status_code == 200
    assert browser.post(path_of(jane, LinkKind.OPT_OUT) + "/one-click").status_code == 200


@pytest.mark.parametrize("page", ["", "/stop", "/ring", "?day=2026-11-24"])
def test_pages_are_private(browser, diary_row, jane, page):
    answer = browser.get(path_of(jane) + page)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert "noindex" in answer["X-Robots-Tag"]
    assert not answer.cookies
    body = answer.content.decode()
    assert '<meta name="referrer" content="no-referrer">' in body
    assert "<script" not in body
    assert not re.search(r"https?://(?!testserver)", body)
    assert jane.last_name not in body
    assert jane.phone_number not in body


def test_the_token_is_in_no_log(browser, diary_row, jane, caplog):
    path = path_of(jane)
    with caplog.at_level(logging.DEBUG):
        browser.get(path)
        browser.post(path, {"time": AT})
        browser.post(f"{path}/cancel")
        browser.get("/b/" + "Z" * 43)
        browser.post(path, {"time": "20261122T1430Z"})  # Django itself logs a 409, with its path
    written = [JsonFormatter().format(record) for record in caplog.records]
    assert sum("b/<str:token>" in line for line in written) >= 5
    assert not any(path[3:] in line or "ZZZZ" in line for line in written)


def test_a_first_name_cannot_write_into_the_page(browser, diary_row, make_patient):
    sly = make_patient(first_name="<img src=x onerror=alert(1)>")
    assert "<img" not in browser.get(path_of(sly)).content.decode()
