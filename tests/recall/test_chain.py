"""The chain of a recall as cases: order, patience, what ends it, what needs a person; and that
every course of events comes to an end within the caps.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall import chain
from recall.chain import (
    Access,
    ChainPolicy,
    Close,
    History,
    NeedsStaff,
    NextStep,
    Reach,
    Step,
    Wait,
)
from recall.models import AttemptState, Channel, EpisodeState, Outcome

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
POLICY = ChainPolicy()
OPEN = Reach(Access.OPEN)
ALL_OPEN = {Channel.VOICE: OPEN, Channel.WHATSAPP: OPEN, Channel.EMAIL: OPEN}
VOICE, WHATSAPP, EMAIL = Channel.VOICE, Channel.WHATSAPP, Channel.EMAIL
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


def done(channel, outcome, at=NOON, **more) -> Step:
    failed = outcome in (Outcome.FAILED, Outcome.UNDELIVERED)
    state = AttemptState.FAILED if failed else AttemptState.DONE
    return Step(channel=channel, state=state, at=at, outcome=outcome, **more)


def decide(*steps, now=NOON, reach=None, policy=POLICY, **facts):
    return chain.next_step(
        History(steps=steps, reach={**ALL_OPEN, **(reach or {})}, **facts), policy, now
    )


NO_ANSWER = done(VOICE, Outcome.NO_ANSWER)
WHATSAPP_READ = done(WHATSAPP, Outcome.READ, NOON + 30 * MINUTES)
EMAIL_SENT = done(EMAIL, Outcome.SENT, NOON + 25 * HOURS)


def test_a_recall_begins_with_a_call_at_once():
    assert decide() == NextStep(VOICE, NOON)


@pytest.mark.parametrize(
    "outcome",
    [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.HUNG_UP, Outcome.ANSWERED],
)
def test_an_undecided_call_is_followed_by_whatsapp_after_half_an_hour(outcome):
    assert decide(done(VOICE, outcome)) == NextStep(WHATSAPP, NOON + 30 * MINUTES)


def test_email_follows_whatsapp_after_a_day():
    step = NextStep(EMAIL, NOON + 30 * MINUTES + 24 * HOURS)
    assert decide(NO_ANSWER, WHATSAPP_READ) == step


def test_the_practice_sets_the_delays():
    policy = ChainPolicy(delays={WHATSAPP: 2 * HOURS})
    assert decide(NO_ANSWER, policy=policy) == NextStep(WHATSAPP, NOON + 2 * HOURS)


def test_a_delay_that_has_passed_is_not_made_up_for():
    late = NOON + 5 * DAYS
    assert decide(NO_ANSWER, now=late) == NextStep(WHATSAPP, late)


def test_what_did_not_get_through_passes_on_at_once():
    assert decide(done(VOICE, Outcome.FAILED, refused=True)) == NextStep(WHATSAPP, NOON)
    undelivered = done(WHATSAPP, Outcome.UNDELIVERED, NOON + 30 * MINUTES)
    later = NOON + 31 * MINUTES
    assert decide(NO_ANSWER, undelivered, now=later) == NextStep(EMAIL, later)


def closed(code):
    return Reach(Access.CLOSED, code)


@pytest.mark.parametrize(
    ("reach", "channel"),
    [
        ({VOICE: closed("tps_listed")}, WHATSAPP),
        ({VOICE: closed("no_number"), WHATSAPP: closed("no_number")}, EMAIL),
        ({VOICE: Reach(Access.HELD, "tps_register_stale")}, WHATSAPP),
    ],
    ids=["TPS", "no number", "stale register"],
)
def test_a_reason_that_rules_out_one_channel_passes_on_to_the_next(reach, channel):
    assert decide(reach=reach) == NextStep(channel, NOON)


def test_a_landline_goes_from_the_call_to_email():
    assert decide(NO_ANSWER, reach={WHATSAPP: closed("needs_mobile")}) == NextStep(
        EMAIL, NOON + 24 * HOURS
    )


def test_a_step_waits_until_its_channel_opens():
    monday = NOON + 5 * DAYS
    later = Reach(Access.LATER, "calling_hours", monday)
    assert decide(reach={VOICE: later}) == NextStep(VOICE, monday)


def test_a_hold_of_the_whole_practice_waits_and_never_runs_out():
    held = dict.fromkeys((VOICE, WHATSAPP, EMAIL), Reach(Access.HELD, "contact_stopped"))
    assert decide(reach=held) == Wait(NOON + chain.RECHECK, "contact_stopped")
    after_weeks = NOON + 30 * DAYS
    assert decide(NO_ANSWER, now=after_weeks, reach=held) == Wait(
        after_weeks + chain.RECHECK, "contact_stopped"
    )


def test_nobody_to_reach_closes_with_the_first_reason():
    shut = {
        VOICE: closed("tps_listed"),
        WHATSAPP: closed("needs_mobile"),
        EMAIL: closed("no_email"),
    }
    assert decide(reach=shut) == Close(EpisodeState.NOT_CONTACTABLE, "tps_listed")
    assert decide(policy=ChainPolicy(channels=())) == Close(
        EpisodeState.NOT_CONTACTABLE, "no_channel"
    )


def test_nothing_that_arrived_is_not_the_same_as_no_reaction():
    steps = (
        done(VOICE, Outcome.FAILED, refused=True),
        done(WHATSAPP, Outcome.UNDELIVERED),
        done(EMAIL, Outcome.FAILED, refused=True),
    )
    assert decide(*steps) == Close(EpisodeState.NOT_CONTACTABLE, "nothing_delivered")


ROUND = (NO_ANSWER, WHATSAPP_READ, EMAIL_SENT)


def test_calls_are_repeated_three_days_apart_up_to_three():
    assert decide(*ROUND, now=NOON + 2 * DAYS) == Wait(NOON + 3 * DAYS, "between_calls")
    due = NOON + 3 * DAYS
    assert decide(*ROUND, now=due) == NextStep(VOICE, due)
    second = done(VOICE, Outcome.VOICEMAIL, due)
    assert decide(*ROUND, second, now=due) == Wait(due + 3 * DAYS, "between_calls")
    third = done(VOICE, Outcome.BUSY, due + 3 * DAYS)
    assert decide(*ROUND, second, third, now=due + 3 * DAYS) == Wait(
        due + 6 * DAYS, "awaiting_reply"
    )
    assert decide(*ROUND, second, third, now=due + 6 * DAYS) == Close(
        EpisodeState.EXHAUSTED, "exhausted"
    )


def test_a_refused_number_is_not_rung_again():
    steps = (done(VOICE, Outcome.FAILED, refused=True), WHATSAPP_READ, EMAIL_SENT)
    assert decide(*steps, now=NOON + 3 * DAYS) == Wait(NOON + 4 * DAYS + HOURS, "awaiting_reply")


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({"gone": "deceased"}, Close(EpisodeState.ENDED, "deceased")),
        ({"opted_out": True}, Close(EpisodeState.OPTED_OUT, "opted_out")),
        ({"appointment_ahead": True}, Close(EpisodeState.BOOKED, "future_appointment")),
    ],
)
def test_the_patients_standing_ends_it_at_once(facts, end):
    assert decide(**facts) == end
    assert decide(Step(VOICE, AttemptState.ACCEPTED, NOON), **facts) == end


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.BOOKED, EpisodeState.BOOKED),
        (Outcome.DECLINED, EpisodeState.DECLINED),
        (Outcome.OPTED_OUT, EpisodeState.OPTED_OUT),
    ],
)
def test_the_patients_decision_ends_it_at_once(outcome, state):
    assert decide(done(VOICE, outcome)) == Close(state, outcome)


@pytest.mark.parametrize(
    "outcome",
    [Outcome.SYMPTOMS, Outcome.WRONG_PERSON, Outcome.DECEASED, Outcome.NEEDS_STAFF],
)
def test_what_needs_a_person_waits_for_one(outcome):
    assert decide(done(VOICE, outcome)) == NeedsStaff(outcome)
    assert decide(done(VOICE, outcome), now=NOON + 60 * DAYS) == NeedsStaff(outcome)


def test_what_staff_have_to_do_keeps_the_machine_out():
    assert decide(with_staff="call_back") == NeedsStaff("call_back")
    assert decide(NO_ANSWER, with_staff="human") == NeedsStaff("human")


def test_after_staff_dealt_with_it_the_recall_ends():
    dealt_with = done(VOICE, Outcome.SYMPTOMS, handled=True)
    assert decide(dealt_with, taken_over=True) == Close(EpisodeState.ENDED, "handled_by_staff")


@pytest.mark.parametrize("outcome", [Outcome.NEEDS_STAFF, Outcome.WRONG_PERSON])
def test_when_staff_put_it_right_the_recall_goes_on(outcome):
    assert decide(done(VOICE, outcome, handled=True)) == NextStep(WHATSAPP, NOON + 30 * MINUTES)


def test_a_call_back_is_made_at_the_time_asked_for_and_nothing_else_before():
    tomorrow = NOON + DAYS + 2 * HOURS
    asked = done(VOICE, Outcome.CALL_BACK, call_back_at=tomorrow)
    assert decide(asked) == Wait(tomorrow, "call_back")
    assert decide(asked, now=tomorrow) == NextStep(VOICE, tomorrow)


def test_a_call_back_that_the_rules_delay_goes_to_staff():
    asked_for = NOON + 3 * HOURS
    asked = done(VOICE, Outcome.CALL_BACK, call_back_at=asked_for)
    spaced = Reach(Access.LATER, "called_in_24_hours", NOON + 24 * HOURS)
    assert decide(asked, reach={VOICE: spaced}) == NeedsStaff("call_back")
    nearly = Reach(Access.LATER, "called_in_24_hours", asked_for + HOURS)
    assert decide(asked, reach={VOICE: nearly}) == Wait(asked_for, "call_back")
    assert decide(asked, now=asked_for, reach={VOICE: nearly}) == NextStep(VOICE, asked_for + HOURS)


def test_a_call_back_that_cannot_be_made_goes_to_staff():
    asked = done(VOICE, Outcome.CALL_BACK, call_back_at=NOON + DAYS)
    assert decide(asked, reach={VOICE: closed("tps_listed")}) == NeedsStaff("call_back")
    assert decide(done(VOICE, Outcome.CALL_BACK)) == NeedsStaff("call_back")


def test_a_call_that_may_be_going_on_holds_everything():
    for state in (AttemptState.CLAIMED, AttemptState.SUBMITTING, AttemptState.ACCEPTED):
        assert decide(Step(VOICE, state, NOON)) == Wait(NOON + chain.RECHECK, "call_under_way")
    unknown = Step(VOICE, AttemptState.UNKNOWN, NOON)
    assert decide(unknown) == Wait(NOON + chain.RECHECK, "outcome_unknown")


def test_a_message_handed_over_does_not_hold_the_chain():
    accepted = Step(WHATSAPP, AttemptState.ACCEPTED, NOON)
    assert decide(NO_ANSWER, accepted) == NextStep(EMAIL, NOON + 24 * HOURS)
    leaving = Step(WHATSAPP, AttemptState.SUBMITTING, NOON)
    assert decide(NO_ANSWER, leaving) == Wait(NOON + chain.RECHECK, "message_under_way")


UNDECIDED = {
    VOICE: [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.HUNG_UP, Outcome.FAILED],
    WHATSAPP: [Outcome.SENT, Outcome.READ, Outcome.UNDELIVERED],
    EMAIL: [Outcome.SENT, Outcome.FAILED],
}
reaches = st.sampled_from([OPEN, closed("ruled_out")])


@given(
    reach=st.fixed_dictionaries({VOICE: reaches, WHATSAPP: reaches, EMAIL: reaches}),
    draw=st.data(),
)
def test_every_course_of_events_ends_within_the_caps(reach, draw):
    now, steps = NOON, []
    for _ in range(20):
        decision = decide(*steps, now=now, reach=reach)
        if isinstance(decision, Close):
            break
        if isinstance(decision, Wait):
            assert decision.until > now
            now = decision.until
            continue
        assert isinstance(decision, NextStep)
        assert decision.due_at >= now
        now = decision.due_at
        outcome = draw.draw(st.sampled_from(UNDECIDED[decision.channel]))
        steps.append(done(decision.channel, outcome, now))
    else:
        raise AssertionError("the chain never ended")
    calls = [step.at for step in steps if step.channel == VOICE]
    assert len(calls) <= 3
    assert all(two - one >= 3 * DAYS for one, two in pairwise(calls))
    messages = [step.channel for step in steps if step.channel != VOICE]
    assert len(messages) == len(set(messages))
    assert all(reach[step.channel].access is Access.OPEN for step in steps)
