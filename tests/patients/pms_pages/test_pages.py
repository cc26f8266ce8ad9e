"""Settings, Calendar & PMS: connecting, what is shown of it, and disconnecting."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations import connections, reach
from integrations.models import PMS_KINDS, Connection, ConnectionState, Kind
from patients.models import SyncRun, SyncScope, SyncState
from practices.journal import Actor
from practices.models import JournalEntry, Mode, Practice, User
from recall.models import Diary
from sightsync.lib import clock
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
HOME = "/settings/calendar-pms"
KEY = "optical-key-4821"
TEST = Actor.system("test")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def form() -> Callable[..., dict[str, str]]:
    def fill(kind: str = "optix", **given: str) -> dict[str, str]:
        site = {"site_id": "SITE-7"} if kind == "acuitas" else {}
        return {"api_key": KEY, "base_url": "", **site, **given}

    return fill


@pytest.fixture
def connected(page: Client, sandbox: Sandbox, practice: Practice, form: Any) -> Connection:
    """Optix, of thirty patients."""
    sandbox.post("/pms/optix/size", {"patients": 30})
    assert page.post(f"{HOME}/connect/optix", form()).status_code == 302
    return Connection.objects.get(practice=practice)


def read(answer: Any) -> str:
    """The words of a page."""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(text))


def test_before_anything_is_connected_every_system_is_offered(page: Client) -> None:
    words = read(page.get(HOME))
    for name in ("Optix", "Acuitas", "Optisoft", "Microsoft Bookings", "Import a list"):
        assert name in words


@pytest.mark.parametrize("kind", PMS_KINDS)
def test_a_system_is_asked_then_saved_and_read(
    kind: str, page: Client, sandbox: Sandbox, practice: Practice, alice: User, form: Any
) -> None:
    answer = page.post(f"{HOME}/connect/{kind}", form(kind), follow=True)
    assert answer.redirect_chain == [(f"{HOME}/diaries", 302)]
    assert "is connected: ac" in read(answer).lower()
    row = Connection.objects.get(practice=practice, kind=kind)
    assert (row.state, row.last_four, row.connected_by) == ("connected", "4821", alice)
    assert row.last_used_at == clock.now()
    assert connections.credential(row)["api_key"] == KEY
    assert KEY not in str(row.settings)
    assert row.settings["their_diaries"][0] == {"id": "R1", "name": "Room 1, Mrs Sharma"}
    assert SyncRun.objects.get(connection=row).scope == SyncScope.FULL
    entry = JournalEntry.objects.get(practice=practice, action="connection.connected")
    assert entry.facts == {"kind": kind, "replaced": False}


@pytest.mark.parametrize("kind", PMS_KINDS)
def test_a_key_that_is_not_accepted_is_said_by_the_field_and_nothing_is_saved(
    kind: str, page: Client, sandbox: Sandbox, form: Any
) -> None:
    answer = page.post(f"{HOME}/connect/{kind}", form(kind, api_key="wrong-key"))
    assert answer.status_code == 400
    name = Kind(kind).label
    assert f"{name} does not accept this key." in read(answer)
    assert 'href="#id_api_key"' in answer.content.decode()
    assert not Connection.objects.exists() and not SyncRun.objects.exists()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("429", "asks us to slow down"),
        ("500", "has a fault of its own"),
        ("html", "does not speak as Optix does"),
        ("broken_json", "does not speak as Optix does"),
        ("drop_before_accept", "broke the connection off"),
    ],
)
def test_a_system_that_fails_is_said_in_words_and_nothing_is_saved(
    mode: str, words: str, page: Client, sandbox: Sandbox, form: Any
) -> None:
    sandbox.fault("optix", mode, times=None)
    answer = page.post(f"{HOME}/connect/optix", form())
    assert answer.status_code == 400
    assert words in read(answer)
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"api_key": ""}, "Enter the API key."),
        ({"api_key": "a b c d"}, "without blanks"),
        ({"api_key": "kéy-of-ours"}, "without blanks"),
        ({"base_url": "http://pms.example.com"}, "must start with https://"),
        ({"base_url": "https://a.example?b=c"}, "Leave out the question mark"),
        ({"map_email": "e mail"}, "Write the name of their field"),
    ],
)
def test_what_is_spelt_wrong_is_said_before_anybody_is_asked(
    given: dict[str, str], words: str, page: Client, sandbox: Sandbox, form: Any
) -> None:
    answer = page.post(f"{HOME}/connect/optix", form(**given))
    assert answer.status_code == 400
    assert words in read(answer)
    assert sandbox.log("optix") == []
    assert not Connection.objects.exists()


@pytest.mark.parametrize("site", ["", "a:b", "a b"])
def test_acuitas_needs_its_site(site: str, page: Client, sandbox: Sandbox, form: Any) -> None:
    answer = page.post(f"{HOME}/connect/acuitas", form("acuitas", site_id=site))
    assert answer.status_code == 400
    assert 'href="#id_site_id"' in answer.content.decode()


def test_a_second_system_has_to_wait_for_the_first_to_go(
    page: Client, connected: Connection, sandbox: Sandbox, form: Any
) -> None:
    assert "Disconnect Optix first" in read(page.get(HOME))
    answer = page.post(f"{HOME}/connect/acuitas", form("acuitas"), follow=True)
    assert "Optix is connected. Disconnect Optix first." in read(answer)
    assert sandbox.log("acuitas") == []
    assert Connection.objects.count() == 1


def test_the_page_says_what_is_connected_and_never_the_key(
    page: Client, connected: Connection, alice: User
) -> None:
    answer = page.get(HOME)
    words = read(answer)
    assert "4821" in words and KEY not in answer.content.decode()
    for said in ("Patients from Optix", "Not read yet", str(alice), "Last used", "Sync now"):
        assert said in words
    form = page.get(f"{HOME}/connect/optix").content.decode()
    assert KEY not in form and "the key that ends in 4821" in form


def test_a_new_key_takes_the_place_of_the_old(
    page: Client, connected: Connection, form: Any
) -> None:
    page.post(f"{HOME}/connect/optix", form(api_key="another-key-9999"))
    row = Connection.objects.get()
    assert row.last_four == "9999"
    assert connections.credential(row) == {"api_key": "another-key-9999"}
    page.post(f"{HOME}/connect/optix", form(api_key=""))
    row.refresh_from_db()
    assert connections.credential(row) == {"api_key": "another-key-9999"}


def test_a_wrong_new_key_leaves_the_old_one(page: Client, connected: Connection, form: Any) -> None:
    assert page.post(f"{HOME}/connect/optix", form(api_key="wrong-key")).status_code == 400
    row = Connection.objects.get()
    assert (row.last_four, row.state) == ("4821", ConnectionState.CONNECTED)


def test_the_key_we_hold_goes_to_no_other_address(
    page: Client, connected: Connection, form: Any
) -> None:
    answer = page.post(
        f"{HOME}/connect/optix", form(api_key="", base_url="https://elsewhere.example")
    )
    assert answer.status_code == 400
    assert "Enter the API key again" in read(answer)
    assert Connection.objects.get().settings["base_url"] == ""


def test_a_field_map_is_kept_where_it_differs(
    page: Client, connected: Connection, form: Any
) -> None:
    page.post(
        f"{HOME}/connect/optix",
        form(api_key="", map_email="contact.mail", map_first_name="firstName", map_title=""),
    )
    assert Connection.objects.get().settings["field_map"] == {"email": "contact.mail"}


def test_a_live_practice_gives_an_address_that_is_public(
    page: Client, practice: Practice, sandbox: Sandbox, form: Any, settings: Any
) -> None:
    settings.LIVE = True
    Practice.objects.filter(pk=practice.pk).update(mode=Mode.LIVE)
    answer = page.post(f"{HOME}/connect/optix", form())
    assert "Enter the address of the API." in read(answer)
    answer = page.post(f"{HOME}/connect/optix", form(base_url="https://127.0.0.1"))
    assert answer.status_code == 400
    assert "not on the public internet" in read(answer)
    assert 'href="#id_base_url"' in answer.content.decode()
    assert sandbox.log() == [] and not Connection.objects.exists()


def test_their_diaries_are_matched_to_ours(
    page: Client, connected: Connection, practice: Practice
) -> None:
    ours = Diary.objects.create(practice=practice, name="Mrs Sharma")
    words = read(page.get(f"{HOME}/diaries"))
    assert "Room 1, Mrs Sharma" in words and "None of ours" in words
    page.post(f"{HOME}/diaries", {"diary_0": ours.public_id, "diary_1": ""})
    assert Connection.objects.get().settings["diaries"] == {"R1": ours.public_id}
    assert JournalEntry.objects.filter(action="connection.changed").count() == 1


def test_another_practice_s_diary_is_not_to_be_had(
    page: Client, connected: Connection, other_practice: Practice
) -> None:
    theirs = Diary.objects.create(practice=other_practice, name="Room 1, Mrs Sharma")
    assert "selected" not in page.get(f"{HOME}/diaries").content.decode().replace(
        'value="" selected', ""
    )
    answer = page.post(f"{HOME}/diaries", {"diary_0": theirs.public_id})
    assert answer.status_code == 400
    assert not Connection.objects.get().settings["diaries"]


def test_the_list_of_diaries_is_loaded_again(
    page: Client, connected: Connection, sandbox: Sandbox
) -> None:
    connections.configure(connection=connected, settings={"their_diaries": []}, actor=TEST)
    page.post(f"{HOME}/diaries/load")
    assert len(Connection.objects.get().settings["their_diaries"]) == 2
    sandbox.fault("optix", "500")
    answer = page.post(f"{HOME}/diaries/load", follow=True)
    assert "has a fault of its own" in read(answer)
    assert len(Connection.objects.get().settings["their_diaries"]) == 2


def test_the_connection_is_tested_on_demand(
    page: Client, connected: Connection, sandbox: Sandbox
) -> None:
    assert "Optix answers: Acuity Opticians." in read(page.post(f"{HOME}/test", follow=True))
    sandbox.fault("optix", "500")
    words = read(page.post(f"{HOME}/test", follow=True))
    assert "Trouble" in words and "has a fault of its own" in words
    words = read(page.post(f"{HOME}/test", follow=True))
    assert "Trouble" not in words


def test_a_key_that_was_taken_back_is_shown_and_asks_for_a_new_one(
    page: Client, connected: Connection
) -> None:
    connections.failed(connection=connected, code="auth", actor=TEST, refused=True)
    words = read(page.get(HOME))
    assert "Connect again" in words and "does not accept this key" in words
    assert "Sync now" not in words
    answer = page.post(f"{HOME}/sync", follow=True)
    assert "cannot be read before it is connected again" in read(answer)


def test_reading_now_plans_one_reading(page: Client, connected: Connection) -> None:
    SyncRun.objects.all().delete()
    page.post(f"{HOME}/sync")
    page.post(f"{HOME}/sync")
    assert SyncRun.objects.get().due_at == clock.now()


def test_earlier_readings_are_shown_with_their_counts(page: Client, connected: Connection) -> None:
    SyncRun.objects.all().delete()
    now = clock.now()
    SyncRun.objects.create(
        practice=connected.practice,
        connection=connected,
        scope=SyncScope.FULL,
        state=SyncState.DONE,
        due_at=now,
        started_at=now,
        finished_at=now,
        read=5000,
        created=4980,
        rejected=20,
        archived=3,
        reasons={"no_contact": 12, "phone_number.premium_rate": 5, "phone_number.pager": 3, "x": 1},
    )
    words = read(page.get(HOME))
    assert "5,000 read: 4,980 new" in words and "3 patients gone from Optix" in words
    for said in (
        "12 not usable: There is neither a telephone number nor an email address.",
        "8 not usable: The telephone number cannot be used",
        "1 not usable: Something else in the record is wrong.",
        "20 : see why 12: There is neither",
    ):
        assert said in words


def test_a_reading_under_way_is_no_earlier_reading(page: Client, connected: Connection) -> None:
    words = read(page.get(HOME))
    assert "Reading starts" in words and "Earlier readings" not in words


def test_too_many_gone_is_asked_about_before_they_are_put_away(
    page: Client, connected: Connection
) -> None:
    assert page.get(f"{HOME}/gone").status_code == 302
    SyncRun.objects.update(
        state=SyncState.FAILED, error_code="too_many_gone", finished_at=clock.now()
    )
    assert "They really are gone" in read(page.get(HOME))
    assert "Put away everybody who is missing?" in read(page.get(f"{HOME}/gone"))
    page.post(f"{HOME}/gone")
    assert SyncRun.objects.get(state=SyncState.PLANNED).gone_accepted


def test_disconnecting_asks_first_and_forgets_the_key(
    page: Client, connected: Connection, practice: Practice
) -> None:
    assert "Disconnect Optix?" in read(page.get(f"{HOME}/disconnect"))
    assert Connection.objects.get().credential
    answer = page.post(f"{HOME}/disconnect", follow=True)
    assert "Optix is disconnected, and its key is forgotten." in read(answer)
    row = Connection.objects.get()
    assert (row.state, row.credential) == (ConnectionState.DISCONNECTED, "")
    assert connections.pms_of(practice) is None
    assert "Connect Optix" in read(page.get(HOME))
    assert page.post(f"{HOME}/disconnect").status_code == 302


@pytest.mark.parametrize("path", ["sync", "test", "diaries", "diaries/load", "gone"])
def test_with_nothing_connected_there_is_nothing_to_change(path: str, page: Client) -> None:
    assert page.post(f"{HOME}/{path}").status_code == 302
    assert not SyncRun.objects.exists()


def test_the_receptionist_connects_nothing(
    client: Client, bob: User, sandbox: Sandbox, form: Any
) -> None:
    client.force_login(bob)
    assert client.get(HOME).status_code == 403
    assert client.post(f"{HOME}/connect/optix", form()).status_code == 403
    assert not Connection.objects.exists()


def test_one_practice_sees_nothing_of_another_s(
    client: Client, connected: Connection, charlie: User
) -> None:
    client.force_login(charlie)
    words = read(client.get(HOME))
    assert "4821" not in words and "Connect Optix" in words
    client.post(f"{HOME}/disconnect")
    assert Connection.objects.get().state == ConnectionState.CONNECTED


def test_the_sandbox_is_said_where_a_key_is_asked_for(page: Client, practice: Practice) -> None:
    assert reach.is_sandbox(practice)
    assert "wrong-key" in read(page.get(f"{HOME}/connect/optix"))
