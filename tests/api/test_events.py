"""GET /events: the sealed journal, thin, in order, without gaps."""

import pytest

from integrations.webhooks import events
from patients import opt_out
from practices import journal
from practices.models import JournalEntry
from recall.attempts import dialler
from tests import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def happened(practice, other_practice):
    """Two things that others may hear of, one of the engine's own, and something next door."""
    engine.register()
    jane = engine.patient(practice, first_name="Jane", last_name="Smith")
    dialler.plan_call(practice=practice, patient=jane, actor=engine.ACTOR)
    opt_out.record(patient=jane, source="staff", actor=engine.ACTOR)
    opt_out.record(patient=engine.patient(other_practice), source="staff", actor=engine.ACTOR)
    journal.seal()
    return jane


def test_answers_what_webhooks_deliver(api, happened, practice) -> None:
    body = api.get("/events").json()
    types = [event["type"] for event in body["events"]]
    assert types[0] == "recall.opened"
    assert "optout.recorded" in types
    assert "call.planned" not in types
    assert (body["next_after"], body["has_more"]) == (body["events"][-1]["sequence"], False)
    entry = JournalEntry.objects.get(practice=practice, action="optout.recorded")
    event = next(event for event in body["events"] if event["type"] == "optout.recorded")
    assert event["id"] == events.public_id(events.event_id(entry))
    assert event["sequence"] == entry.sequence
    assert event["created_at"] == "2026-11-18T10:04:00Z"
    assert event["data"]["patient_id"] == happened.public_id
    assert b"Jane" not in api.get("/events", {"all": "true"}).content


def test_all_has_no_gap(api, happened, practice) -> None:
    body = api.get("/events", {"all": "true"}).json()
    count = JournalEntry.objects.filter(practice=practice, sequence__isnull=False).count()
    assert [event["sequence"] for event in body["events"]] == list(range(1, count + 1))
    assert "call.planned" in [event["type"] for event in body["events"]]


def test_going_on_page_by_page_gives_each_once(api, happened) -> None:
    whole = api.get("/events", {"all": "true"}).json()["events"]
    seen, after, more = [], 0, True
    while more:
        page = api.get("/events", {"all": "true", "limit": 2, "after": after}).json()
        seen += page["events"]
        after, more = page["next_after"], page["has_more"]
    assert seen == whole
    rest = api.get("/events", {"all": "true", "after": after}).json()
    assert rest == {"events": [], "next_after": after, "has_more": False}


def test_what_is_not_sealed_does_not_show_yet(api, happened, practice) -> None:
    before = api.get("/events").json()
    opt_out.withdraw(
        patient=happened, reason=opt_out.Reason.CONSENT_BY_PHONE, source="staff", actor=engine.ACTOR
    )
    assert api.get("/events").json() == before
    journal.seal()
    news = api.get("/events", {"after": before["next_after"]}).json()["events"]
    assert news[0]["type"] == "optout.withdrawn"


def test_one_type(api, happened) -> None:
    body = api.get("/events", {"type": "recall.opened"}).json()
    assert [event["type"] for event in body["events"]] == ["recall.opened"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "-1"),
        ("after", "x"),
        ("after", "9" * 30),
        ("limit", "0"),
        ("limit", "501"),
        ("type", "recall.exploded"),
        ("all", "maybe"),
    ],
)
def test_bad_parameters_are_400(api, name, value, assert_error) -> None:
    assert_error(api.get("/events", {name: value}), 400, "invalid", name)


def test_another_practice_reads_its_own(other_api, happened, other_practice) -> None:
    body = other_api.get("/events", {"all": "true"}).json()
    mine = JournalEntry.objects.filter(practice=other_practice, sequence__isnull=False).count()
    assert len(body["events"]) == mine
    assert happened.public_id not in other_api.get("/events").content.decode()


def test_two_queries(api, happened, django_assert_num_queries) -> None:
    api.get("/events")
    with django_assert_num_queries(2):
        api.get("/events")
