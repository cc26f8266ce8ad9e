"""An import by hand: the keyboard alone, no JavaScript, a dropped file, a reload in the middle."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from patients.csv_import import runs
from patients.models import ImportRun, ImportState, Patient
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock
from tests import engine, imports
from tests.browser.conftest import Visit
from tests.browser.test_access import faults_shown, walk
from tests.browser.test_journeys import TABS, tab_to

MATCHED = (
    b"first_name,last_name,phone_number\nJane,Osei,07700900301\nZoe,Hart,12\nTom,Lee,7.7E+09\n"
)
ASKING = b"""first_name,last_name,phone_number,Seen by,date of birth
Jane,Osei,07700900301,Mr Shah,03/04/61
Tom,Lee,07700900302,Mrs Shah,05/06/72
"""


def tab_to_input(page: Page, name: str) -> None:
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def press(page: Page, words: str) -> None:
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_messy_sample_with_the_keyboard_alone(
    visit: Visit, alice: User, practice: Practice
) -> None:
    page = visit(alice)
    # Who listens only when the key is pressed may be too late: the browser's own window is open.
    page.on("filechooser", lambda _: None)
    page.goto("/import")
    tab_to_input(page, "file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(imports.SAMPLE)
    press(page, r"^Upload the file")
    expect(page.get_by_role("heading", level=1)).to_have_text("Match the columns")
    press(page, r"^Check the rows")
    expect(page.get_by_role("alert")).to_contain_text("13 rows cannot be imported yet")
    tab_to_input(page, "row-55-first_name")
    page.keyboard.type("Brian")
    press(page, r"^Save and check again")
    expect(page.get_by_role("alert")).to_contain_text("1 row is right now, 12 to go")
    press(page, r"^Leave all 12 rows out")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check what will change")
    press(page, r"^Import 4\d patients")
    expect(page.get_by_role("heading", level=1)).to_have_text("Importing")
    page.reload()
    expect(page.get_by_role("progressbar", name="Rows done")).to_be_visible()
    imports.run_jobs()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^4\d patients imported"))
    assert Patient.objects.filter(first_name="Brian").count() == 1
    press(page, r"^Undo this import")
    press(page, r"^Undo the import")
    imports.run_jobs()
    expect(page.get_by_role("heading", level=1)).to_have_text("The import is undone")
    assert not Patient.objects.filter(archived_at=None).exists()


def test_an_import_without_javascript(visit: Visit, alice: User, practice: Practice) -> None:
    page = visit(alice, java_script_enabled=False)
    page.goto("/import")
    page.get_by_label("Your list of patients").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": MATCHED}
    )
    page.get_by_role("button", name="Upload the file").click()
    page.get_by_label("Phone number, row 3").fill("07700 900303")
    page.get_by_role("button", name="Save and check again").click()
    page.get_by_role("button", name="Leave out row 4").click()
    page.get_by_role("button", name="Import 2 patients").click()
    imports.run_jobs()
    page.get_by_role("link", name="Load the page again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 patients imported")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    assert "7.7E+09" in Path(download.value.path()).read_text("utf-8-sig")


def test_a_file_is_dropped_and_one_too_large_is_told_at_once(
    visit: Visit, alice: User, practice: Practice
) -> None:
    page = visit(alice)
    page.goto("/import")
    dropped = page.evaluate_handle(
        "() => { const all = new DataTransfer();"
        " all.items.add(new File(['first_name'], 'dropped.csv')); return all; }"
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    assert page.evaluate("document.getElementById('id_file').files[0].name") == "dropped.csv"
    page.evaluate("document.querySelector('[data-drop]').dataset.maxBytes = '5'")
    page.get_by_role("button", name="Upload the file").click()
    expect(page.get_by_role("alert")).to_contain_text("The file is larger than 25 MB")
    assert not ImportRun.objects.exists()


def test_import_pages(visit: Visit, alice: User, practice: Practice) -> None:
    """By axe, wide and narrow, light and dark, in every state an import can be in."""
    page = visit(alice, bypass_csp=True)
    assert not walk(page, ["/import", "/import/guides"])
    assert not walk(page, _every_state(practice, alice))
    page.goto("/import")
    page.get_by_role("button", name="Upload the file").click()
    assert page.evaluate("document.activeElement.className") == "error-summary"
    assert not list(faults_shown(page, "/import sent back"))


def _every_state(practice: Practice, user: User) -> list[str]:
    """The addresses of imports by hand: two drafts, one under way, and all the ends."""
    actor = Actor.user(user)
    drafts = [
        runs.upload(
            practice=practice, file_name="list.csv", content=content, user=user, actor=actor
        )
        for content in (ASKING, MATCHED)
    ]
    runs.check(run=drafts[1], actor=actor)
    known = engine.patient(practice, "+447700900301", first_name="Jane", last_name="Osei")
    updating = runs.upload(
        practice=practice,
        file_name="update.csv",
        content=b"first_name,last_name,phone_number,email\nJane,Osei,07700900301,j@example.org\n",
        user=user,
        actor=actor,
    )
    runs.check(run=updating, actor=actor)
    ends: dict[str, dict[str, object]] = {
        ImportState.RUNNING: {},
        ImportState.DONE: {"rejected": 13, "suppressed": 1, "unknown_risks": 2},
        ImportState.FAILED: {},
        ImportState.UNDOING: {},
        ImportState.UNDONE: {
            "undone_at": clock.now(),
            "undone": {
                "removed": 40,
                "archived": 1,
                "restored": 5,
                "kept": [{"patient": str(known.pk), "fields": ["phone_number"]}],
            },
        },
    }
    rows = [_by_hand(practice, user, state, **fields) for state, fields in ends.items()]
    done = next(row for row in rows if row.state == ImportState.DONE)
    return [
        "/import",
        imports.at(drafts[0], "match"),
        imports.at(drafts[1], "match"),
        imports.at(drafts[1], "fix"),
        imports.at(drafts[1], "check"),
        imports.at(updating, "check"),
        imports.at(updating, "fix"),
        *(imports.at(row) for row in rows),
        imports.at(done, "undo"),
    ]


def _by_hand(practice: Practice, user: User, state: str, **fields: object) -> ImportRun:
    now = clock.now()
    given: dict[str, object] = {
        "file_name": "Brightwater recall list, November.csv",
        "file_bytes": 5900,
        "created_at": now - timedelta(minutes=9),
        "started_at": now - timedelta(minutes=4),
        "finished_at": now,
        "rows_total": 60,
        "position": 30,
        "created": 40,
        "updated": 6,
        "unchanged": 1,
        **fields,
    }
    return ImportRun.objects.create(practice=practice, asked_by=user, state=state, **given)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_focused_cell_is_not_under_the_buttons(
    visit: Visit, alice: User, practice: Practice, width: int
) -> None:
    """The buttons stay at the bottom of the window while one tabs through many rows."""
    many = b"".join(b"Ann,No%d,12\n" % number for number in range(30))
    run = runs.upload(
        practice=practice,
        file_name="list.csv",
        content=MATCHED + many,
        user=alice,
        actor=Actor.user(alice),
    )
    runs.check(run=run, actor=Actor.user(alice))
    page = visit(alice, width)
    page.goto(imports.at(run, "fix"))
    foot = "document.querySelector('.sheet-foot').getBoundingClientRect().top"
    cell = "document.activeElement.getBoundingClientRect()"
    tab_to_input(page, "row-9-phone_number")
    for _ in range(6):
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate(f"{cell}.bottom <= {foot} || {cell}.top >= {foot}")
