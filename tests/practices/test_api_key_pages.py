"""Settings, API keys: the pages."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from practices import access, api_keys
from practices.journal import Actor
from practices.models import ApiKey, JournalEntry, Membership, Practice, Role, User

pytestmark = pytest.mark.django_db
BASE = "/settings/api-keys"
NEW = {"key_id": "0198a3c2-9d5e-7c11-8f3a-1b2c3d4e5f60", "scopes": ["read"]}
ACTOR = Actor.system("test")


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def web(alice: User) -> Client:
    return _signed_in(alice)


def _make(practice: Practice, name: str = "Optix", expires_at: datetime | None = None) -> ApiKey:
    key, _ = api_keys.create(
        practice=practice, name=name, scopes=["read"], actor=ACTOR, expires_at=expires_at
    )
    return key


def _text(client: Client, path: str = BASE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_key_the_page_says_what_to_do(web: Client) -> None:
    page = _text(web)
    assert "No key in use" in page
    assert f'href="{BASE}/new"' in page


def test_a_key_is_made_and_shown_once(web: Client, alice: User, practice: Practice) -> None:
    answer = web.post(f"{BASE}/new", {**NEW, "name": "Optix", "scopes": ["recall", "read"]})
    key = ApiKey.objects.get()
    plain = answer.context["plain"]
    assert (key.practice, key.scopes, key.expires_at) == (practice, ["read", "recall"], None)
    assert api_keys.find(plain) == key
    assert plain in answer.content.decode()
    assert "You will not see it again" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    for path in (BASE, f"{BASE}/{key.public_id}/revoke"):
        page = _text(web, path)
        assert plain not in page
        assert key.prefix in page
        assert key.last_four in page
    entry = JournalEntry.objects.get(action="api_key.created")
    assert entry.actor_id == str(alice.pk)


def test_a_form_that_is_sent_twice_makes_one_key(web: Client) -> None:
    fresh = web.get(f"{BASE}/new").context["form"]["key_id"].value()
    form = {"key_id": fresh, "name": "Optix", "scopes": ["read"]}
    plain = web.post(f"{BASE}/new", form).context["plain"]
    again = web.post(f"{BASE}/new", form, follow=True)
    assert again.redirect_chain == [(BASE, 302)]
    assert "made and shown before" in again.content.decode()
    assert plain not in again.content.decode()
    assert ApiKey.objects.get().name == "Optix"
    assert JournalEntry.objects.filter(action="api_key.created").count() == 1
    assert web.get(f"{BASE}/new").context["form"]["key_id"].value() != fresh


@pytest.mark.parametrize("lost", ["", "7", "a\0b"])
def test_a_form_without_its_number_makes_nothing(web: Client, lost: str) -> None:
    answer = web.post(f"{BASE}/new", {**NEW, "name": "Optix", "key_id": lost})
    assert answer.status_code == 400
    assert "Start again from the list of keys." in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_works_until_its_last_day_is_over_in_london(
    web: Client, at: Callable[[str], None]
) -> None:
    answer = web.post(f"{BASE}/new", {**NEW, "name": "Trial", "last_day": "2027-06-30"})
    key = ApiKey.objects.get()
    assert key.expires_at == datetime(2027, 6, 30, 23, tzinfo=UTC)
    assert "After Wednesday 30 June 2027" in answer.content.decode()
    plain = answer.context["plain"]
    at("2027-06-30T22:59:00Z")
    assert api_keys.find(plain)
    at("2027-06-30T23:00:00Z")
    assert not api_keys.find(plain)


def test_a_key_may_end_today(web: Client) -> None:
    form = {**NEW, "name": "Today", "last_day": "2026-11-18"}
    assert web.post(f"{BASE}/new", form).status_code == 200
    assert "18 Nov" in _text(web)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"name": ""}, "name", "Enter a name for the key."),
        ({"name": "  "}, "name", "Enter a name for the key."),
        ({"name": "x" * 81}, "name", "Give the key a name of up to 80 characters."),
        ({"name": "a\0b"}, "name", "Null characters are not allowed."),
        ({"scopes": []}, "scopes", "Choose at least one thing the key may do."),
        ({"scopes": ["read", "root"]}, "scopes", "Choose out of read, write, recall and admin."),
        ({"last_day": "soon"}, "last_day", "Enter the last day as day, month and year."),
        ({"last_day": "2026-11-17"}, "last_day", "The last day is in the past."),
        ({"last_day": "9999-12-31"}, "last_day", "Choose a last day within ten years"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_makes_nothing(
    web: Client, changed: dict[str, object], field: str, says: str
) -> None:
    answer = web.post(f"{BASE}/new", {**NEW, "name": "Optix", **changed})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "There is a problem" in page
    assert f'href="#id_{field}' in page
    assert page.count(says) == 2  # in the summary and by the field
    assert not ApiKey.objects.exists()


def test_the_list_keeps_ended_keys_apart(
    web: Client, practice: Practice, at: Callable[[str], None]
) -> None:
    api_keys.revoke(key=_make(practice, "Website"), actor=ACTOR)
    _make(practice, "Trial", expires_at=datetime(2026, 11, 20, tzinfo=UTC))
    _make(practice, "Optix")
    at("2026-11-21T10:00:00Z")
    in_use, _, ended = _text(web).partition("Ended keys")
    assert "Optix" in in_use
    assert "Optix" not in ended
    assert "Revoked" in ended
    assert "Past its last day" in ended
    assert "Thursday 19 November" in ended


def test_revoking_asks_first_and_ends_the_key_at_once(web: Client, practice: Practice) -> None:
    key = _make(practice)
    path = f"{BASE}/{key.public_id}/revoke"
    assert "Revoke Optix?" in _text(web, path)
    key.refresh_from_db()
    assert key.revoked_at is None
    assert "Optix is revoked" in web.post(path, follow=True).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert JournalEntry.objects.filter(action="api_key.revoked").count() == 1


def test_a_revoked_key_is_not_revoked_twice(web: Client, practice: Practice) -> None:
    key = _make(practice)
    api_keys.revoke(key=key, actor=ACTOR)
    path = f"{BASE}/{key.public_id}/revoke"
    for answer in (web.get(path, follow=True), web.post(path, follow=True)):
        assert answer.redirect_chain == [(BASE, 302)]
        assert "was revoked before" in answer.content.decode()
    assert JournalEntry.objects.filter(action="api_key.revoked").count() == 1


def test_another_practices_keys_are_neither_shown_nor_revoked(
    charlie: User, practice: Practice
) -> None:
    key, client = _make(practice, "Canary"), _signed_in(charlie)
    assert "Canary" not in _text(client)
    for answer in (
        client.get(f"{BASE}/{key.public_id}/revoke"),
        client.post(f"{BASE}/{key.public_id}/revoke"),
    ):
        assert answer.status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_only_the_owner_may(role: Role, practice: Practice) -> None:
    user = User.objects.create_user("dana@example.org", "correct horse battery")
    Membership.objects.create(practice=practice, user=user, role=role)
    key, client = _make(practice), _signed_in(user)
    for path in (BASE, f"{BASE}/new", f"{BASE}/{key.public_id}/revoke"):
        assert client.get(path).status_code == 403
        assert client.post(path, {"name": "x", "scopes": ["read"]}).status_code in (403, 405)
    assert list(ApiKey.objects.values_list("revoked_at", flat=True)) == [None]


@pytest.mark.parametrize("role", list(Role))
def test_the_navigation_offers_only_what_the_role_may_open(role: Role, practice: Practice) -> None:
    user = User.objects.create_user("dana@example.org", "correct horse battery")
    Membership.objects.create(practice=practice, user=user, role=role)
    page = _signed_in(user).get("/").content.decode()
    assert (f'href="{BASE}"' in page) == access.may(role, "keys.manage")
    assert ('href="/developer/webhooks"' in page) == access.may(role, "developer.manage")


def test_the_list_asks_the_database_as_often_for_twenty_keys_as_for_one(
    web: Client, practice: Practice
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            _text(web)
        return len(asked)

    _make(practice)
    one = count()
    for index in range(19):
        _make(practice, f"Key {index}")
    assert count() == one


def test_a_name_is_text_and_never_markup(web: Client, practice: Practice) -> None:
    _make(practice, "<b>Optix</b>")
    assert "<b>Optix" not in _text(web)
