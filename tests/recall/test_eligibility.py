"""The rules as a table of cases: which fail, what the API answers first, and from when all pass."""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import tps
from recall.calling_hours import Window
from recall.chain import Access
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import evaluate
from recall.eligibility.facts import REGISTER_DAYS, Facts, Policy
from recall.eligibility.rules import RULES, rules_for
from recall.models import Channel, Purpose

CASES = json.loads((Path(__file__).parent.parent / "data" / "eligibility.json").read_text())
NOW = "2026-11-18T10:04:00Z"
POLICY = Policy(register_date=date(2026, 11, 10), quota_resets_at=datetime(2026, 12, 1, tzinfo=UTC))


def value(name: str, given_value):
    if name.endswith("_at") or name == "not_before":
        return datetime.fromisoformat(given_value) if given_value else None
    if name in ("due_on", "register_date"):
        return date.fromisoformat(given_value) if given_value else None
    return frozenset(given_value) if isinstance(given_value, list) else given_value


def put(case) -> "object":
    facts = {name: value(name, item) for name, item in case.get("facts", {}).items()}
    policy = {name: value(name, item) for name, item in case.get("policy", {}).items()}
    settings = {name: getattr(POLICY, name) for name in Policy.__slots__}
    return evaluate(
        Facts(**facts),
        Policy(**{**settings, **policy}),
        datetime.fromisoformat(case.get("now", NOW)),
        Channel(case.get("channel", "voice")),
        Purpose(case.get("purpose", "recall")),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_rules_say_what_the_table_says(case):
    verdict = put(case)
    assert list(verdict.codes) == case["codes"]
    assert verdict.allowed is (not case["codes"])
    assert verdict.is_lasting is case.get("lasting", False)
    first = verdict.first_failure
    assert (first.status if first else None) == case.get("status")
    if case["codes"]:
        expected = case.get("next")
        assert verdict.next_allowed_at == (datetime.fromisoformat(expected) if expected else None)
    else:
        assert verdict.next_allowed_at == datetime.fromisoformat(case.get("now", NOW))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_rule_answers_in_words_and_none_is_left_out(case):
    verdict = put(case)
    asked = rules_for(Channel(case.get("channel", "voice")), Purpose(case.get("purpose", "recall")))
    assert [result.code for result in verdict.results] == [rule.code for rule in asked]
    assert [result.code for result in verdict.results if not result.passed] == case["codes"]
    for result in verdict.results:
        assert result.evidence.endswith(".")
        assert "{" not in result.evidence
        assert "None" not in result.evidence
        if result.passed or result.kind is not Kind.PASSING:
            assert result.passes_at is None
        else:
            assert result.passes_at is not None


def test_every_rule_fails_in_some_case_of_the_table():
    failed = {code for case in CASES for code in case["codes"]}
    assert failed == {rule.code for rule in RULES}


def test_codes_are_one_rule_each_and_short_enough_to_be_stored():
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))
    assert max(len(code) for code in codes) <= 32


def test_the_register_is_relied_on_as_long_as_the_register_itself_says():
    assert tps.FRESH_FOR.days == REGISTER_DAYS


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"facts": {"tps_listing": 1}}, "The number is on the TPS."),
        ({"facts": {"tps_listing": 3}}, "The number is on the TPS and the CTPS."),
        (
            {"policy": {"register_date": "2026-10-01"}},
            "The TPS register is 48 days old; 28 are allowed.",
        ),
        (
            {"facts": {"appointment_at": "2026-11-24T14:30:00Z"}},
            "There is an appointment on Tuesday 24 November at 2:30pm.",
        ),
        (
            {"facts": {"last_call_at": "2026-11-18T09:00:00Z"}},
            "The last call was on Wednesday 18 November at 9am.",
        ),
        ({"policy": {"calls_used": 300}}, "300 of 300 calls are used this month."),
        ({"now": "2026-11-18T20:00:00Z"}, "Calls go out Monday to Friday, 9am to 6pm only."),
        ({"now": "2026-12-25T10:00:00Z"}, "Calls wait: today is a bank holiday."),
        (
            {"now": "2026-11-22T10:00:00Z", "channel": "email"},
            "Messages go out Monday to Saturday, 8am to 8pm only.",
        ),
        ({"policy": {"subscription_status": "past_due"}}, "The subscription is past due."),
    ],
)
def test_the_evidence_is_plain_words(case, words):
    assert words in [result.evidence for result in put(case).failures]


def test_a_practice_that_narrows_its_hours_says_so():
    window = Window(time(10), time(12, 30), frozenset({1, 3}))
    policy = Policy(register_date=date(2026, 11, 10), window=window)
    verdict = evaluate(Facts(), policy, datetime.fromisoformat(NOW), Channel.VOICE)
    assert (
        verdict.failures[0].evidence == "Calls go out Tuesday and Thursday, 10am to 12:30pm only."
    )
    assert verdict.next_allowed_at == datetime.fromisoformat("2026-11-19T10:00:00Z")


def test_hours_that_leave_no_time_never_open():
    policy = Policy(
        register_date=date(2026, 11, 10), window=Window(time(18), time(9), frozenset({1}))
    )
    verdict = evaluate(Facts(), policy, datetime.fromisoformat(NOW), Channel.VOICE)
    assert verdict.codes == ("calling_hours",)
    assert verdict.next_allowed_at is None
    assert verdict.reach().access is Access.HELD


@pytest.mark.parametrize(
    ("case", "access", "code"),
    [
        ({}, Access.OPEN, ""),
        ({"facts": {"tps_listing": 1}}, Access.CLOSED, "tps_listed"),
        ({"policy": {"contact_stopped": True}}, Access.HELD, "contact_stopped"),
        ({"now": "2026-11-21T12:00:00Z"}, Access.LATER, "calling_hours"),
        (
            {"policy": {"contact_stopped": True}, "facts": {"tps_listing": 1}},
            Access.CLOSED,
            "tps_listed",
        ),
    ],
)
def test_the_chain_is_told_in_one_word(case, access, code):
    reach = put(case).reach()
    assert (reach.access, reach.code) == (access, code)
    assert (reach.at is not None) == (access is Access.LATER)


def test_the_receipt_holds_codes_only():
    receipt = put({"facts": {"tps_listing": 1}}).receipt()
    assert receipt["allowed"] is False
    assert receipt["rules"]["tps_listed"] is False
    assert receipt["rules"]["calling_hours"] is True
    assert json.loads(json.dumps(receipt)) == receipt


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)


@given(
    now=moments,
    last=st.none() | moments,
    third=st.none() | moments,
    later=st.none() | moments,
    channel=st.sampled_from(Channel),
    nation=st.sampled_from(["ENG", "WLS", "SCT", "NIR"]),
)
def test_at_the_next_allowed_instant_all_rules_pass(now, last, third, later, channel, nation):
    facts = Facts(last_call_at=last, third_last_call_at=third, not_before=later)
    # The register's age is held at the moment asked about: it does not pass by itself.
    policy = Policy(register_date=now.date(), nation=nation)
    verdict = evaluate(facts, policy, now, channel)
    allowed_at = verdict.next_allowed_at
    assert allowed_at is not None
    assert allowed_at >= now
    then = evaluate(
        facts, Policy(register_date=allowed_at.date(), nation=nation), allowed_at, channel
    )
    assert then.allowed
