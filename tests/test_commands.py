"""The command line: what it prints, and that bad input is explained and changes nothing."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from integrations import pretend_clock
from integrations.models import SandboxClock
from practices import api_keys, journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall.booking import diary
from sightsync.lib import clock
from tests import routes

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


# --- create_practice ---


def test_create_practice_prints_everything_needed() -> None:
    facts = json.loads(run("create_practice", "Hill Opticians", "--owner", "a@hill.org", "--json"))
    assert set(facts) == {"practice_id", "owner_email", "owner_password", "api_key"}
    practice = Practice.objects.get()
    assert facts["practice_id"] == practice.public_id
    assert practice.plan == "growth"
    assert User.objects.get(email="a@hill.org").check_password(facts["owner_password"])
    key = api_keys.find(facts["api_key"])
    assert key is not None
    assert key.practice == practice
    assert key.scopes == list(api_keys.SCOPES)
    assert diary.free(practice=practice, now=clock.now(), limit=3)


def test_create_practice_in_words() -> None:
    said = run("create_practice", "Hill", "--owner", "a@hill.org", "--plan", "group")
    assert "Owner password" in said
    assert Practice.objects.get().plan == "group"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["Hill", "--owner", "nobody"], "not an email address"),
        (["Hill", "--owner", "alice@example.org"], "already has an account"),
        (["Hill", "--owner", "a@hill.org", "--plan", "gold"], "choose one of starter"),
        (["Hill", "--owner", "a@hill.org", "--mode", "x"], "choose one of sandbox"),
        (["", "--owner", "a@hill.org"], "Give the practice a name"),
    ],
)
def test_create_practice_refuses_and_writes_nothing(
    alice: User, words: list[str], complaint: str
) -> None:
    before = routes.fingerprint()
    with pytest.raises(CommandError, match=complaint):
        run("create_practice", *words, "--json")
    assert routes.fingerprint() == before


# --- verify_audit ---


@pytest.fixture
def sealed(practice: Practice) -> Practice:
    for _ in range(3):
        journal.record(practice=practice, action="patient.created", actor=Actor.system("test"))
    journal.seal()
    return practice


def test_verify_audit_passes(sealed: Practice, other_practice: Practice) -> None:
    journal.record(practice=sealed, action="patient.created", actor=Actor.system("test"))
    said = run("verify_audit")
    assert "Acuity Opticians" in said
    assert "3 sealed entries hold; 1 are not sealed yet" in said
    assert "Bellweather Eyecare" in said
    assert "Bellweather" not in run("verify_audit", "--practice", sealed.public_id)


def test_verify_audit_names_the_first_bad_entry(sealed: Practice) -> None:
    second = JournalEntry.objects.get(sequence=2)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE practices_journalentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE practices_journalentry SET action = 'x' WHERE id = %s", [second.pk])
        cursor.execute("ALTER TABLE practices_journalentry ENABLE TRIGGER USER")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=out)
    assert "broken at entry 2, which is changed" in out.getvalue()


@pytest.mark.parametrize("wrong", ["prc_nonsense", "prc_01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_verify_audit_says_when_there_is_no_such_practice(wrong: str) -> None:
    with pytest.raises(CommandError):
        run("verify_audit", "--practice", wrong)


# --- sandbox_clock ---


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's clock in place of the test's; `at` puts the machine's back."""
    monkeypatch.setattr(pretend_clock, "_FRESH_SECONDS", -1)
    clock.use(pretend_clock.now)


def test_sandbox_clock_is_set_in_london_time(pretend: None) -> None:
    assert "not set" in run("sandbox_clock")
    assert "Friday 19 June 2026 10:00" in run("sandbox_clock", "2026-06-19T10:00", "--rate", "0")
    assert clock.now().isoformat() == "2026-06-19T09:00:00+00:00"
    assert "rate 60" in run("sandbox_clock", "--rate", "60")


@pytest.mark.parametrize(
    "words",
    [
        ["tomorrow"],
        ["2026-13-01T10:00"],
        ["1026-06-19T10:00"],
        ["9999-12-31T23:59:59-12:00"],
        ["--rate", "fast"],
        ["--rate=-1"],
        ["--rate", "nan"],
        ["2026-06-19T10:00", "--rate", "1e9"],
    ],
)
def test_sandbox_clock_refuses_nonsense(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run("sandbox_clock", *words)
    assert not SandboxClock.objects.exists()


def test_sandbox_clock_is_refused_in_live_mode() -> None:
    with override_settings(LIVE=True), pytest.raises(CommandError, match="live mode"):
        run("sandbox_clock", "2026-06-19T10:00")


@pytest.mark.parametrize(
    ("choice", "shows"),
    [
        ("30m", "2026-11-18T10:34:00+00:00"),
        ("3h", "2026-11-18T13:04:00+00:00"),
        ("working-day", "2026-11-19T10:00:00+00:00"),
    ],
)
def test_the_banner_moves_the_clock(
    choice: str, shows: str, alice: User, client: Any, at: Callable[[str], None]
) -> None:
    client.force_login(alice)
    answer = client.post("/sandbox-clock", {"by": choice, "next": "/calls"})
    assert (answer.status_code, answer["Location"]) == (302, "/calls")
    assert SandboxClock.objects.get().pretend_anchor.isoformat() == shows


def test_the_banner_goes_back_to_our_own_pages_only(alice: User, client: Any) -> None:
    client.force_login(alice)
    for place in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""):
        answer = client.post("/sandbox-clock", {"by": "30m", "next": place})
        assert answer["Location"] == "/"


def test_the_banner_refuses_other_times_and_live_mode(alice: User, bob: User, client: Any) -> None:
    client.force_login(alice)
    assert client.post("/sandbox-clock", {"by": "a year"}).status_code == 400
    with override_settings(LIVE=True):
        assert client.post("/sandbox-clock", {"by": "30m"}).status_code == 404
    client.force_login(bob)
    assert client.post("/sandbox-clock", {"by": "30m"}).status_code == 403
    assert not SandboxClock.objects.exists()
