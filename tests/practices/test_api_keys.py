"""API keys: shown once, found by hash, ended at once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from practices import api_keys
from practices.journal import Actor
from practices.models import ApiKey, JournalEntry, Practice
from sightsync.lib import clock
from sightsync.lib.errors import AppError

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")


@pytest.fixture
def made(practice: Practice) -> tuple[ApiKey, str]:
    return api_keys.create(practice=practice, name="PMS", scopes=["write", "read"], actor=ACTOR)


def test_a_key_has_the_documented_shape(made: tuple[ApiKey, str]) -> None:
    key, plain = made
    assert re.fullmatch(r"nvc_test_[0-9A-Za-z]{40}", plain)
    assert plain.startswith(key.prefix)
    assert plain.endswith(key.last_four)
    assert key.scopes == ["read", "write"]


def test_a_live_practices_keys_say_so(practice: Practice) -> None:
    practice.mode = "live"
    _, plain = api_keys.create(practice=practice, name="PMS", scopes=["read"], actor=ACTOR)
    assert plain.startswith("nvc_live_")


def test_the_database_never_sees_the_key(made: tuple[ApiKey, str]) -> None:
    key, plain = made
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert not any(plain[13:] in str(value) for value in stored.values())
    facts = JournalEntry.objects.get(action="api_key.created").facts
    assert facts == {"scopes": ["read", "write"]}


def test_a_key_is_found_by_its_plain_text_only(made: tuple[ApiKey, str]) -> None:
    key, plain = made
    assert api_keys.find(plain) == key
    assert api_keys.find(plain[:-1]) is None
    assert api_keys.find(key.key_hash) is None
    assert api_keys.find("") is None


def test_a_revoked_key_is_over_at_once(made: tuple[ApiKey, str]) -> None:
    key, plain = made
    assert api_keys.revoke(key=key, actor=ACTOR)
    assert api_keys.find(plain) is None
    assert not api_keys.revoke(key=key, actor=ACTOR)
    assert JournalEntry.objects.filter(action="api_key.revoked").count() == 1


def test_a_key_ends_on_its_last_instant(practice: Practice, at: Callable[[object], None]) -> None:
    until = clock.now() + timedelta(hours=1)
    _, plain = api_keys.create(
        practice=practice, name="PMS", scopes=["read"], actor=ACTOR, expires_at=until
    )
    at(until - timedelta(seconds=1))
    assert api_keys.find(plain) is not None
    at(until)
    assert api_keys.find(plain) is None


def test_its_use_is_noted_at_most_once_a_minute(
    made: tuple[ApiKey, str], at: Callable[[object], None]
) -> None:
    key, _ = made
    first = clock.now()
    for seconds, expected in ((0, 0), (30, 0), (61, 61)):
        at(first + timedelta(seconds=seconds))
        api_keys.note_use(key)
        key.refresh_from_db()
        assert key.last_used_at == first + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scopes": []}, "bad_scopes"),
        ({"scopes": ["read", "root"]}, "bad_scopes"),
        ({"name": " "}, "bad_name"),
        ({"name": "x" * 81}, "bad_name"),
        ({"expires_at": "now"}, "bad_expiry"),
    ],
)
def test_bad_input_makes_no_key(practice: Practice, change: dict[str, object], code: str) -> None:
    wanted = {"name": "PMS", "scopes": ["read"], "expires_at": None, **change}
    if wanted["expires_at"] == "now":
        wanted["expires_at"] = clock.now()
    with pytest.raises(AppError) as caught:
        api_keys.create(practice=practice, actor=ACTOR, **wanted)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert not ApiKey.objects.exists()


def test_ended_keys_are_listed_last(practice: Practice, made: tuple[ApiKey, str]) -> None:
    second, _ = api_keys.create(practice=practice, name="Web", scopes=["read"], actor=ACTOR)
    api_keys.revoke(key=second, actor=ACTOR)
    assert [key.name for key in api_keys.listed(practice)] == ["PMS", "Web"]
