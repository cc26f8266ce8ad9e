"""What comes next in a recall: which channel and when, or why it waits, ends or needs a person.

Pure: the episode's history, the practice's policy and `now` in, one decision out. It decides order
and patience only; whether a channel may be used at all is told to it, by eligibility, as `Reach`.

The first round goes through the practice's channels once (call, WhatsApp, email). After that only
calls are repeated, three a cycle at most and three days apart; a message that was delivered is not
sent again. When those are used up and a last wait has passed, the recall is exhausted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from recall.models import AttemptState, Channel, EpisodeState, Outcome


class Access(StrEnum):
    """Whether eligibility lets a channel be used for this patient."""

    OPEN = "open"
    LATER = "later"
    """Not now, but at a known instant."""
    HELD = "held"
    """Not until somebody at the practice acts: stop switch, subscription, a stale register."""
    CLOSED = "closed"
    """Lastingly ruled out: no number, a landline for WhatsApp, TPS for calls, an opt-out."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One channel's access, with the code of the rule behind it and, when LATER, the instant."""

    access: Access
    code: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt of this episode that was not cancelled.

    `refused` means that the provider would not take this patient's present number or address.
    `handled` means that staff have finished the task it led to.
    """

    channel: Channel
    state: AttemptState
    at: datetime
    outcome: str = ""
    refused: bool = False
    handled: bool = False
    call_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What has happened so far, `steps` in order of time.

    `gone` says why contact has ended, `with_staff` what a person still has to do for the patient,
    `taken_over` that one has done it and did not ask the recall to go on.
    """

    steps: tuple[Step, ...] = ()
    reach: Mapping[Channel, Reach] = field(default_factory=dict)
    gone: str = ""
    opted_out: bool = False
    appointment_ahead: bool = False
    with_staff: str = ""
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class ChainPolicy:
    """A practice's chain. A delay is the time to wait before its channel, after the step before."""

    channels: tuple[Channel, ...] = (Channel.VOICE, Channel.WHATSAPP, Channel.EMAIL)
    delays: Mapping[Channel, timedelta] = field(
        default_factory=lambda: {
            Channel.WHATSAPP: timedelta(minutes=30),
            Channel.SMS: timedelta(minutes=30),
            Channel.EMAIL: timedelta(hours=24),
        }
    )
    max_calls: int = 3
    between_calls: timedelta = timedelta(days=3)
    last_wait: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class NextStep:
    channel: Channel
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Close:
    state: EpisodeState
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`; an outcome that comes before then wakes the episode too."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class NeedsStaff:
    reason: str


Decision = NextStep | Close | Wait | NeedsStaff

# How long to leave a hold or a call under way before looking again.
RECHECK = timedelta(hours=1)

# Ringing back later than this after the time asked for is not ringing back.
PUNCTUAL = timedelta(hours=2)

_UNDER_WAY = frozenset(
    {
        AttemptState.CLAIMED,
        AttemptState.SUBMITTING,
        AttemptState.ACCEPTED,
        AttemptState.UNKNOWN,
    }
)
_CLOSES = {
    Outcome.BOOKED: EpisodeState.BOOKED,
    Outcome.DECLINED: EpisodeState.DECLINED,
    Outcome.OPTED_OUT: EpisodeState.OPTED_OUT,
}
_FOR_STAFF = frozenset(
    {Outcome.SYMPTOMS, Outcome.DECEASED, Outcome.WRONG_PERSON, Outcome.NEEDS_STAFF}
)
_NOT_DELIVERED = frozenset({Outcome.FAILED, Outcome.UNDELIVERED})


def next_step(history: History, policy: ChainPolicy, now: datetime) -> Decision:
    """The one decision that the facts call for; the same facts always give the same one."""
    return (
        _ending(history)
        or _unfinished(history, now)
        or _held(history, policy, now)
        or _call_back(history, now)
        or _first_round(history, policy, now)
        or _another_call(history, policy, now)
        or _last_wait(history, policy, now)
    )


def _ending(history: History) -> Decision | None:
    """What stops the recall at once, whatever is planned."""
    if history.gone:
        return Close(EpisodeState.ENDED, history.gone)
    if history.opted_out:
        return Close(EpisodeState.OPTED_OUT, "opted_out")
    if history.appointment_ahead:
        return Close(EpisodeState.BOOKED, "future_appointment")
    for step in reversed(history.steps):
        if step.outcome in _CLOSES:
            return Close(_CLOSES[Outcome(step.outcome)], step.outcome)
    return _a_persons_turn(history)


def _a_persons_turn(history: History) -> Decision | None:
    """While staff have it the machine keeps out of it, and after they have spoken to the patient
    too, unless they said to go on.
    """
    if history.taken_over:
        return Close(EpisodeState.ENDED, "handled_by_staff")
    if history.with_staff:
        return NeedsStaff(history.with_staff)
    for step in reversed(history.steps):
        if step.outcome in _FOR_STAFF and not step.handled:
            return NeedsStaff(step.outcome)
    return None


def _unfinished(history: History, now: datetime) -> Decision | None:
    """A call that may be going on holds everything; a message handed over does not."""
    for step in history.steps:
        if step.channel == Channel.VOICE and step.state in _UNDER_WAY:
            unknown = step.state == AttemptState.UNKNOWN
            return Wait(now + RECHECK, "outcome_unknown" if unknown else "call_under_way")
        if step.state in (AttemptState.CLAIMED, AttemptState.SUBMITTING):
            return Wait(now + RECHECK, "message_under_way")
    return None


def _held(history: History, policy: ChainPolicy, now: datetime) -> Decision | None:
    """When the practice itself holds every channel left, the recall waits; it does not run out."""
    left = [reach for reach in _reaches(history, policy) if reach.access is not Access.CLOSED]
    if left and all(reach.access is Access.HELD for reach in left):
        return Wait(now + RECHECK, left[0].code)
    return None


def _reaches(history: History, policy: ChainPolicy) -> list[Reach]:
    return [history.reach[channel] for channel in policy.channels if channel in history.reach]


def _call_back(history: History, now: datetime) -> Decision | None:
    """A patient who asked to be rung back is rung at that time, ahead of any message; by a person
    when the rules (one call in 24 hours, say) keep the machine from being punctual.
    """
    if not history.steps:
        return None
    step = history.steps[-1]
    if step.outcome != Outcome.CALL_BACK or step.handled:
        return None
    if step.call_back_at is None:
        return NeedsStaff(Outcome.CALL_BACK)
    voice = history.reach.get(Channel.VOICE)
    asked_for = max(now, step.call_back_at)
    if voice is None or voice.access in (Access.CLOSED, Access.HELD) or step.refused:
        return NeedsStaff(Outcome.CALL_BACK)
    if voice.at is not None and voice.at > asked_for + PUNCTUAL:
        return NeedsStaff(Outcome.CALL_BACK)
    if now < step.call_back_at:
        return Wait(step.call_back_at, Outcome.CALL_BACK)
    return NextStep(Channel.VOICE, _not_before(now, voice))


def _first_round(history: History, policy: ChainPolicy, now: datetime) -> Decision | None:
    used = {step.channel for step in history.steps}
    for channel in policy.channels:
        reach = history.reach.get(channel)
        if channel in used or reach is None or reach.access in (Access.CLOSED, Access.HELD):
            continue
        delay = policy.delays.get(channel, timedelta(0))
        # What did not get through leaves nobody to be patient with: the next channel goes at once.
        last = history.steps[-1:]
        after = [step.at + delay for step in last if not _went_astray(step)]
        return NextStep(channel, _not_before(max([now, *after]), reach))
    return None


def _another_call(history: History, policy: ChainPolicy, now: datetime) -> Decision | None:
    calls = [step for step in history.steps if step.channel == Channel.VOICE]
    voice = history.reach.get(Channel.VOICE)
    if Channel.VOICE not in policy.channels or voice is None:
        return None
    if voice.access in (Access.CLOSED, Access.HELD) or len(calls) >= policy.max_calls:
        return None
    if not calls or any(step.refused for step in calls):
        return None
    due = max(step.at for step in calls) + policy.between_calls
    if due > now:
        return Wait(due, "between_calls")
    return NextStep(Channel.VOICE, _not_before(now, voice))


def _last_wait(history: History, policy: ChainPolicy, now: datetime) -> Decision:
    if not history.steps:
        codes = [reach.code for reach in _reaches(history, policy)]
        return Close(EpisodeState.NOT_CONTACTABLE, codes[0] if codes else "no_channel")
    arrived = [step.at for step in history.steps if not _went_astray(step)]
    if not arrived:
        return Close(EpisodeState.NOT_CONTACTABLE, "nothing_delivered")
    until = max(arrived) + policy.last_wait
    if now < until:
        return Wait(until, "awaiting_reply")
    return Close(EpisodeState.EXHAUSTED, "exhausted")


def _went_astray(step: Step) -> bool:
    return step.refused or step.outcome in _NOT_DELIVERED


def _not_before(due: datetime, reach: Reach) -> datetime:
    return max(due, reach.at) if reach.at is not None else due
