"""The "why, why not" panel of one patient: every rule of every channel, in words.

It decides nothing; `eligibility` does.
"""

from dataclasses import dataclass
from datetime import datetime

from patients.models import Patient
from practices.models import Practice
from practices.templatetags.ui import near
from recall.eligibility import gather
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import Result, Verdict, evaluate
from recall.models import Channel
from recall.wording import TELLING

BOOKED = "future_appointment"


@dataclass(frozen=True, slots=True)
class ChannelState:
    channel: Channel
    words: str
    open: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """`tone` is green, amber or grey; `failed` come before `told`, the rest is `quiet`."""

    heading: str
    tone: str
    icon: str
    may_call: bool
    lasting: bool
    failed: tuple[Result, ...]
    told: tuple[Result, ...]
    quiet: tuple[Result, ...]
    channels: tuple[ChannelState, ...]

    @property
    def booked(self) -> bool:
        """Whether an appointment ahead is among the reasons: the recall has reached its aim."""
        return any(result.code == BOOKED for result in self.failed)

    @property
    def reachable(self) -> bool:
        """Whether a recall could reach them: some channel is open or will open by itself."""
        return not self.booked and any(state.open for state in self.channels)


def panel(*, practice: Practice, patient: Patient, now: datetime) -> Panel:
    """Four queries and the register's look-up, whatever the patient's history."""
    facts = gather.facts_of_patient(patient, now)
    policy = gather.policy_of(practice, now)
    verdicts = {channel: evaluate(facts, policy, now, channel) for channel in Channel}
    call = verdicts[Channel.VOICE]
    passed = tuple(result for result in call.results if result.passed)
    heading, tone, icon = _heading(call)
    return Panel(
        heading=heading,
        tone=tone,
        icon=icon,
        may_call=call.allowed,
        lasting=call.is_lasting,
        failed=call.failures,
        told=tuple(result for result in passed if result.code in TELLING),
        quiet=tuple(result for result in passed if result.code not in TELLING),
        channels=tuple(_channel(channel, verdict) for channel, verdict in verdicts.items()),
    )


def _heading(call: Verdict) -> tuple[str, str, str]:
    if call.allowed:
        return "Can be called now", "green", "circle-check"
    if call.is_lasting:
        return "Cannot be called", "grey", "ban"
    if call.is_held:
        return "Calls wait for the practice", "amber", "pause"
    if BOOKED in call.codes:
        return "Has an appointment", "green", "calendar-check"
    when = call.next_allowed_at
    return (f"Can be called from {near(when)}" if when else "Calls wait"), "amber", "clock"


def _channel(channel: Channel, verdict: Verdict) -> ChannelState:
    if verdict.allowed:
        return ChannelState(channel, "now", True)
    lasting = [result for result in verdict.failures if result.kind is not Kind.PASSING]
    if lasting:
        return ChannelState(channel, "no" if lasting[0].kind is Kind.LASTING else "held", False)
    when = verdict.next_allowed_at
    return ChannelState(channel, near(when).replace(" at ", ", ") if when else "later", True)
