"""Settings, Integrations, Google Calendar, as the people of the practice go through them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from integrations import connections
from integrations.google_calendar import account, oauth
from integrations.google_calendar.client import connector_for
from integrations.models import Connection, ConnectionState, Kind
from practices.models import JournalEntry, Membership, Practice, Role, User
from recall.models import Diary
from tests.integrations.google.conftest import (
    ACCOUNT,
    ROOM_1,
    ROOM_2,
    press_allow,
)
from tests.integrations.google.conftest import (
    Diary as GoogleDiary,
)

pytestmark = pytest.mark.django_db
BASE = "/settings/integrations/google"


@pytest.fixture
def web(alice: User, google: GoogleDiary) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def _page(web: Client, path: str = BASE) -> str:
    answer = web.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def _leave(web: Client) -> str:
    """The address that the button leads to."""
    answer = web.post(f"{BASE}/connect")
    assert answer.status_code == 302
    return answer["Location"]


def _back(web: Client, location: str) -> str:
    """What the page says that the browser ends on."""
    parts = urlsplit(location)
    return web.get(f"{parts.path}?{parts.query}", follow=True).content.decode()


def _connect(web: Client, **how: Any) -> str:
    return _back(web, press_allow(_leave(web), **how))


def _one(practice: Practice) -> Connection:
    return Connection.objects.get(practice=practice, kind=Kind.GOOGLE_CALENDAR)


def test_connecting_asks_for_the_calendar_only_and_for_a_lasting_permission(web: Client) -> None:
    parts = urlsplit(_leave(web))
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.path == "/google/o/oauth2/v2/auth"
    assert asked["scope"].split() == list(oauth.SCOPES)
    assert all("/auth/calendar." in scope for scope in oauth.SCOPES)
    assert asked["access_type"] == "offline"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == oauth.redirect_uri()
    assert asked["redirect_uri"].endswith("/settings/integrations/google/callback")
    assert web.session["google_sign_in"]["verifier"] not in parts.query


def test_a_new_user_connects_chooses_and_sees_it(
    web: Client, practice: Practice, google: GoogleDiary, alice: User
) -> None:
    room = Diary.objects.create(practice=practice, name="Mrs Shah")
    assert "Connect Google Account" in _page(web)
    page = _connect(web)
    assert "Choose a calendar" in page
    assert "Testing room 2" in page
    assert "Holidays in United Kingdom" not in page  # may only be read
    assert _one(practice).state == ConnectionState.NEEDS_ATTENTION
    form = {"calendar": ROOM_2, "diary": room.public_id, "title": "initials"}
    page = web.post(f"{BASE}/calendar", form, follow=True).content.decode()
    row = _one(practice)
    assert (row.state, row.connected_by, row.error_code) == ("connected", alice, "")
    assert row.settings["calendar_id"] == ROOM_2
    assert row.settings["diary"] == room.public_id
    for words in ("Connected", ACCOUNT, "Testing room 2", "Mrs Shah", "Initials", "Alice"):
        assert words in page
    assert connector_for(row).capabilities.writes_appointments


def test_until_a_calendar_is_chosen_nothing_is_written_and_nothing_fails(
    web: Client, practice: Practice
) -> None:
    _connect(web)
    row = _one(practice)
    assert not connector_for(row).capabilities.writes_appointments
    assert row.state == ConnectionState.NEEDS_ATTENTION  # what is booked meanwhile waits
    assert "They wait until then." in _page(web)


@pytest.mark.parametrize("wrong", ["", "x", "another"])
def test_a_state_that_is_not_this_sign_ins_starts_nothing(
    web: Client, google: GoogleDiary, wrong: str
) -> None:
    location = press_allow(_leave(web))
    state = parse_qs(urlsplit(location).query)["state"][0]
    page = _back(web, location.replace(state, wrong))
    assert "was not started here" in page
    assert not Connection.objects.exists()
    assert google.requests("POST", "/token") == []


def test_a_state_works_once(web: Client, practice: Practice, google: GoogleDiary) -> None:
    location = press_allow(_leave(web))
    _back(web, location)
    first = connections.credential(_one(practice))
    assert "was not started here" in _back(web, location)
    assert connections.credential(_one(practice)) == first
    assert len(google.requests("POST", "/token")) == 1


def test_a_sign_in_ends_after_ten_minutes(web: Client, at: Any) -> None:
    location = press_allow(_leave(web))
    at("2026-11-18T10:14:30Z")
    assert "took too long" in _back(web, location)
    assert not Connection.objects.exists()


def test_a_sign_in_is_the_sessions_and_the_persons(
    web: Client, charlie: User, google: GoogleDiary
) -> None:
    """Somebody who is sent another's way back connects nothing to their own practice."""
    location = press_allow(_leave(web))
    other = Client()
    other.force_login(charlie)
    assert "was not started here" in _back(other, location)
    assert google.requests("POST", "/token") == []
    assert not Connection.objects.exists()


def test_a_sign_in_is_the_practices_in_which_it_began(
    web: Client, alice: User, other_practice: Practice, google: GoogleDiary
) -> None:
    location = press_allow(_leave(web))
    Membership.objects.create(practice=other_practice, user=alice, role=Role.OWNER)
    session = web.session
    session["practice"] = str(other_practice.pk)
    session.save()
    assert "was not started here" in _back(web, location)
    assert not Connection.objects.exists()


def test_a_code_without_the_verifier_buys_nothing(web: Client, practice: Practice) -> None:
    """PKCE: who intercepts the way back has nothing."""
    location = press_allow(_leave(web))
    session = web.session
    session["google_sign_in"] = {**session["google_sign_in"], "verifier": oauth.new_verifier()}
    session.save()
    assert "Google did not accept the sign-in" in _back(web, location)
    assert not Connection.objects.exists()


def test_saying_no_connects_nothing(web: Client) -> None:
    assert "You did not allow it" in _connect(web, answer="cancel")
    assert not Connection.objects.exists()


@pytest.mark.parametrize("left_out", oauth.SCOPES)
def test_a_permission_that_was_unticked_is_noticed(web: Client, left_out: str) -> None:
    granted = tuple(scope for scope in oauth.SCOPES if scope != left_out)
    assert "Not everything was allowed" in _connect(web, granted=granted)
    assert not Connection.objects.exists()


@pytest.mark.parametrize("match", ["/google/token", "/calendarList"])
@pytest.mark.parametrize("mode", ["429", "500", "html", "broken_json", "drop_before_accept"])
def test_a_google_in_trouble_connects_nothing_and_says_so(
    web: Client, google: GoogleDiary, match: str, mode: str
) -> None:
    google.sandbox.fault("google", mode, match=match)
    page = _connect(web)
    assert "Connect again" in page or "not be read" in page
    assert not Connection.objects.exists()


def test_connecting_again_keeps_what_was_chosen(
    web: Client, practice: Practice, connection: Connection, google: GoogleDiary
) -> None:
    connections.configure(
        connection=connection,
        settings={"calendar_name": "Testing room 1", "title": "initials"},
        actor=account.Actor.system("test"),
    )
    google.do("revoke")
    web.post(f"{BASE}/test")
    page = _page(web)
    assert "Connect again" in page
    assert "permission was taken back" in page
    page = _connect(web)
    assert "What waited is written now" in page
    row = _one(practice)
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")
    assert (row.settings["calendar_id"], row.settings["title"]) == (ROOM_1, "initials")


def test_another_account_starts_anew_and_ends_the_firsts_permission(
    web: Client, practice: Practice, connection: Connection, google: GoogleDiary
) -> None:
    page = _connect(web, account="m.shah@acuity.example")
    assert "Choose a calendar" in page
    assert _one(practice).settings["calendar_id"] == ""
    assert [(each["account"], each["revoked"]) for each in google.grants()] == [
        (ACCOUNT, True),
        ("m.shah@acuity.example", False),
    ]


def test_disconnecting_keeps_events_forgets_the_account_and_gives_the_permission_back(
    web: Client, practice: Practice, connection: Connection, google: GoogleDiary, entry: Any
) -> None:
    connector_for(connection).book(entry())
    page = _page(web, f"{BASE}/disconnect")
    assert "Events stay." in page
    assert _one(practice).state == ConnectionState.CONNECTED
    page = web.post(f"{BASE}/disconnect", follow=True).content.decode()
    assert "Its events stay" in page
    row = _one(practice)
    assert (row.state, row.credential) == (ConnectionState.DISCONNECTED, "")
    assert [each["revoked"] for each in google.grants()] == [True]
    assert len(google.events()) == 1
    assert web.post(f"{BASE}/disconnect").status_code == 302
    assert JournalEntry.objects.filter(action="connection.disconnected").count() == 1


def test_a_google_that_is_down_does_not_keep_anybody_connected(
    web: Client, practice: Practice, connection: Connection, google: GoogleDiary
) -> None:
    google.sandbox.fault("google", "500", match="/google/revoke")
    page = web.post(f"{BASE}/disconnect", follow=True).content.decode()
    assert "did not confirm the end of the permission" in page
    assert _one(practice).credential == ""


def test_a_permission_that_another_practice_lives_on_is_not_ended(
    web: Client,
    connection: Connection,
    other_practice: Practice,
    google: GoogleDiary,
) -> None:
    """Google ends everything an account has permitted us at once."""
    Connection.objects.create(
        practice=other_practice,
        kind=Kind.GOOGLE_CALENDAR,
        settings={"account": ACCOUNT},
        connected_at=connection.connected_at,
    )
    web.post(f"{BASE}/disconnect")
    assert [each["revoked"] for each in google.grants()] == [False]


def test_the_risk_category_takes_a_warning_that_was_read(
    web: Client, practice: Practice, connection: Connection
) -> None:
    assert "It is health data." in _page(web, f"{BASE}/risk")
    answer = web.post(f"{BASE}/risk")
    assert answer.status_code == 400
    assert "Tick the box" in answer.content.decode()
    assert not _one(practice).settings.get("risk_in_description")
    web.post(f"{BASE}/risk", {"understood": "on"})
    assert _one(practice).settings["risk_in_description"] is True
    assert "In the description" in _page(web)
    web.post(f"{BASE}/risk", {"off": "1"})
    assert _one(practice).settings["risk_in_description"] is False


def test_a_calendar_of_nobodys_list_is_not_chosen(
    web: Client, practice: Practice, connection: Connection, other_practice: Practice
) -> None:
    theirs = Diary.objects.create(practice=other_practice, name="Canary")
    web.post(f"{BASE}/calendars")
    for form, says in (
        ({"calendar": "somebody@else.example", "title": "name"}, "one of the calendars"),
        ({"title": "name"}, "Choose the calendar"),
        ({"calendar": ROOM_1}, "Choose what the title says"),
        ({"calendar": ROOM_1, "title": "name", "diary": theirs.public_id}, "one of your diaries"),
    ):
        answer = web.post(f"{BASE}/calendar", form)
        assert answer.status_code == 400
        assert says in answer.content.decode()
        assert "Canary" not in answer.content.decode()
    assert _one(practice).settings.get("diary", "") == ""


def test_a_deleted_calendar_is_shown_and_another_one_mends_it(
    web: Client, practice: Practice, connection: Connection, google: GoogleDiary
) -> None:
    google.do("remove", calendar=ROOM_1)
    web.post(f"{BASE}/test")
    assert "The calendar is gone" in _page(web)
    web.post(f"{BASE}/calendars")
    form = {"calendar": ROOM_2, "title": "name"}
    assert "Connected" in web.post(f"{BASE}/calendar", form, follow=True).content.decode()
    row = _one(practice)
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")
    assert row.settings["earlier_calendars"] == [ROOM_1]


def test_a_test_event_shows_where_bookings_appear(
    web: Client, connection: Connection, google: GoogleDiary
) -> None:
    web.post(f"{BASE}/test")
    [event] = google.events()
    assert event["summary"] == "Test from SightSync"
    assert event["transparency"] == "transparent"
    assert event["start"]["dateTime"] == "2026-11-19T08:00:00+00:00"


def test_opening_the_pages_asks_google_nothing(
    web: Client, connection: Connection, google: GoogleDiary
) -> None:
    before = len(google.requests())
    for path in ("", "/calendar", "/risk", "/disconnect"):
        _page(web, BASE + path)
    _page(web, "/settings/integrations")
    assert len(google.requests()) == before


def test_only_the_page_with_the_button_may_lead_to_google(
    web: Client, connection: Connection, settings: Any
) -> None:
    def policy(path: str) -> str:
        found = web.get(path)["Content-Security-Policy"]
        return next(part.strip() for part in found.split(";") if "form-action" in part)

    assert policy(BASE) == f"form-action 'self' {settings.SANDBOX_URL}"
    assert policy(f"{BASE}/calendar") == "form-action 'self'"


def test_no_page_shows_a_token(web: Client, connection: Connection) -> None:
    kept = connections.credential(connection)
    for path in (BASE, f"{BASE}/calendar", "/settings/integrations"):
        page = _page(web, path)
        assert kept["refresh_token"] not in page
        assert kept["access_token"] not in page


def test_without_a_registered_app_the_page_says_so(
    web: Client, practice: Practice, settings: Any
) -> None:
    settings.LIVE, settings.GOOGLE_CLIENT_ID = True, ""
    Practice.objects.filter(pk=practice.pk).update(mode="live")
    assert "not registered with Google" in _page(web)
    page = web.post(f"{BASE}/connect", follow=True).content.decode()
    assert "not registered with Google" in page


def test_a_live_practice_is_sent_to_google_itself(
    web: Client, practice: Practice, settings: Any
) -> None:
    settings.LIVE = True
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "id.apps", "secret"
    Practice.objects.filter(pk=practice.pk).update(mode="live")
    assert _leave(web).startswith("https://accounts.google.com/o/oauth2/v2/auth?client_id=id.apps&")
    assert (
        "form-action 'self' https://accounts.google.com"
        in (web.get(BASE)["Content-Security-Policy"])
    )


def test_the_receptionist_has_no_business_here(bob: User, connection: Connection) -> None:
    client = Client()
    client.force_login(bob)
    assert client.get("/settings/integrations").status_code == 403
    for path in ("", "/calendar", "/risk", "/disconnect", "/callback"):
        assert client.get(BASE + path).status_code == 403
    for path in ("/connect", "/test", "/calendars", "/disconnect"):
        assert client.post(BASE + path).status_code == 403


def test_every_channel_has_a_card(web: Client, practice: Practice) -> None:
    page = _page(web, "/settings/integrations")
    for words in ("Google Calendar", "Not connected", "WhatsApp", "Email", "SMS", "30 minutes"):
        assert words in page
    Practice.objects.filter(pk=practice.pk).update(whatsapp_number="", email_enabled=False)
    page = _page(web, "/settings/integrations")
    assert "Needs a number" in page
    assert "Off" in page
