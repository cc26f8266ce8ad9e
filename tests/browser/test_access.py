"""WCAG 2.2 AA by axe on every page, wide and narrow, light and dark; none wider than its window."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from integrations import connections
from integrations.models import Kind
from patients.models import SyncRun, SyncScope, SyncState
from practices.models import Practice, User
from recall.models import AppointmentCopy, CopyState
from sightsync.lib import clock
from tests.browser import addresses
from tests.browser.conftest import Visit
from tests.engine import ACTOR
from tests.working_day import WorkingDay

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW = (390, 320)
LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(1440, "light"), (390, "dark")]


def walk(page: Page, walked: Iterable[str]) -> str:
    """What is wrong with the pages at the addresses, one line each."""
    return "\n".join(fault for address in walked for fault in faults(page, address))


def faults(page: Page, address: str) -> Iterable[str]:
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(address)
        yield from faults_shown(page, f"{address} {width} {scheme}")
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            yield f"{address}: wider than {width} px"


def faults_shown(page: Page, where: str) -> Iterable[str]:
    """What axe finds wrong with the page as it is now."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    for fault in found["violations"]:
        for node in fault["nodes"]:
            yield f"{where}: {fault['id']} {node['target']} {node['failureSummary']}"


# axe measures with styles of its own, which the content policy would refuse: hence `bypass_csp`.


@pytest.mark.timeout(900)
def test_staff_pages(visit: Visit, alice: User, day: WorkingDay) -> None:
    assert not walk(visit(alice, bypass_csp=True), addresses.staff(day))


@pytest.mark.parametrize(
    ("form", "press"),
    [("/settings/api-keys/new", "Make the key"), ("/developer/webhooks/new", "Add the webhook")],
)
def test_forms_sent_back_and_secrets_shown_once(
    visit: Visit, alice: User, form: str, press: str
) -> None:
    page = visit(alice, bypass_csp=True)
    page.goto(form)
    everything = page.get_by_label("Every event")
    if everything.count():
        everything.uncheck()
    page.get_by_role("button", name=press).click()
    assert page.evaluate("document.activeElement.className") == "error-summary"
    assert not list(faults_shown(page, f"{form} sent back"))
    page.locator("#id_name, #id_url").fill("http://127.0.0.1:9/x")
    page.locator("[value=read], [value='call.completed']").first.check()
    page.get_by_role("button", name=press).click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Copied|Selected: press Ctrl C"))
    assert not list(faults_shown(page, f"{form} answered"))


def test_connected_systems(visit: Visit, practice: Practice, alice: User, day: WorkingDay) -> None:
    """Each connected, one failing; a reading with reasons; an appointment in all three."""
    diaries = {"their_diaries": [{"id": "R1", "name": "Room 1"}], "diaries": {}}
    kinds = {Kind.OPTIX: diaries, Kind.MICROSOFT_BOOKINGS: {}, Kind.GOOGLE_CALENDAR: {}}
    states = (CopyState.WRITTEN, CopyState.FAILED, CopyState.UNKNOWN)
    now = clock.now()
    for (kind, settings), state in zip(kinds.items(), states, strict=True):
        row = connections.connect(
            practice=practice,
            kind=kind,
            credential={"api_key": "k", "tenant": "t", "refresh_token": "r"},
            shown="k",
            settings={"calendar_id": "c", "calendar_name": "Room 1", **settings},
            user=alice,
            actor=ACTOR,
        )
        AppointmentCopy.objects.create(
            practice=practice,
            appointment=day.appointment,
            connection=row,
            state=state,
            reason="deleted_there" if state == CopyState.FAILED else "",
            wanted=1,
            written_at=now,
            created_at=now,
        )
    connections.failed(connection=row, code="server_error", actor=ACTOR)
    optix = practice.connections.get(kind=Kind.OPTIX)
    SyncRun.objects.create(
        practice=practice,
        connection=optix,
        scope=SyncScope.FULL,
        state=SyncState.DONE,
        due_at=now,
        started_at=now,
        finished_at=now,
        reasons={"no_contact": 3},
    )
    page = visit(alice, bypass_csp=True)
    assert not walk(page, addresses.connected(day))


def test_account_pages(visit: Visit, alice: User) -> None:
    page = visit(alice, bypass_csp=True)
    assert not walk(page, addresses.OWN_ACCOUNT)
    page.goto("/accounts/2fa/totp/activate/")
    assert page.get_by_role("heading", level=1).inner_text() == "Set up an authenticator app"


@pytest.mark.django_db(transaction=True)
def test_pages_before_signing_in(visit: Visit) -> None:
    assert not walk(visit(bypass_csp=True), addresses.SIGNED_OUT)


def test_patients_pages(visit: Visit, practice: Practice, day: WorkingDay) -> None:
    assert not walk(visit(bypass_csp=True), addresses.patients(practice, day))


def test_the_content_policy_lets_every_page_work(
    visit: Visit, alice: User, practice: Practice, day: WorkingDay
) -> None:
    """`visit` fails on any complaint of the console."""
    page = visit(alice)
    walked = [*addresses.staff(day), *addresses.OWN_ACCOUNT, *addresses.patients(practice, day)]
    for address in walked:
        page.goto(address)
