"""The dry run: who would be contacted and how, who would not and why, and what it would take.

It asks the same rules as the dialler, and changes nothing.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from patients.models import Patient
from practices.models import Practice
from recall.booking import diary
from recall.campaigns import selection
from recall.campaigns.selection import Choice
from recall.chain import Access, Reach
from recall.eligibility import gather
from recall.eligibility.evaluate import ManyPatients
from recall.models import CampaignState, Channel, Episode
from sightsync.lib import clock

CHANNELS = (Channel.VOICE, Channel.WHATSAPP, Channel.EMAIL)

IN_ANOTHER_CAMPAIGN = "in_another_campaign"

# Reckoned for the plan only: how long a call takes, ringing and pause included.
MINUTES_A_CALL = 2
_SLOTS_COUNTED = 200


class Fate(StrEnum):
    """What would become of a chosen patient."""

    CALL_NOW = "call_now"
    CALL_LATER = "call_later"
    MESSAGE = "message"
    NOT_CONTACTED = "not_contacted"


@dataclass(frozen=True, slots=True)
class Row:
    """One chosen patient. `codes` are the rules in the way of a call, or of any contact at all.

    `at` is when the first contact may be made, for those who have to wait; `channel` is the first.
    """

    patient: Patient
    fate: Fate
    channel: Channel | None
    at: datetime | None
    codes: tuple[str, ...]

    @property
    def included(self) -> bool:
        return self.fate is not Fate.NOT_CONTACTED


@dataclass(frozen=True, slots=True)
class Plan:
    """What the campaign would take. `finishes_at` is an estimate for the calls alone."""

    calls: int
    messages_only: int
    quota_left: int
    free_slots: int
    calls_an_hour: int
    starts_at: datetime | None
    finishes_at: datetime | None

    @property
    def quota_is_short(self) -> bool:
        return self.calls > self.quota_left

    @property
    def slots_are_short(self) -> bool:
        return self.free_slots == 0


@dataclass(frozen=True, slots=True)
class Preview:
    rows: list[Row]
    plan: Plan

    @property
    def included(self) -> int:
        return sum(row.included for row in self.rows)

    @property
    def excluded(self) -> int:
        return len(self.rows) - self.included

    @property
    def left_out_by_code(self) -> list[tuple[str, int]]:
        """The first reason of each patient left out, the most frequent first."""
        reasons = Counter(row.codes[0] for row in self.rows if not row.included)
        return reasons.most_common()


def of(*, practice: Practice, choice: Choice) -> Preview:
    """The dry run of a choice, in a constant number of queries."""
    now = clock.now()
    chosen = list(selection.patients(practice=practice, choice=choice))
    keys = [patient.pk for patient in chosen]
    policy = gather.policy_of(practice, now, require_due=not choice.only)
    judges = {channel: ManyPatients(policy, now, channel) for channel in CHANNELS}
    busy = _in_another_campaign(practice, keys)
    fates: dict[object, tuple[Fate, Channel | None, datetime | None, tuple[str, ...]]] = {}
    for facts in gather.rows(practice_id=practice.pk, now=now, patients=keys):
        if facts.patient_id in busy:
            fates[facts.patient_id] = (Fate.NOT_CONTACTED, None, None, (IN_ANOTHER_CAMPAIGN,))
            continue
        verdicts = {channel: judge.verdict(facts) for channel, judge in judges.items()}
        reaches = {channel: verdict.reach() for channel, verdict in verdicts.items()}
        fates[facts.patient_id] = (*_fate(reaches), verdicts[Channel.VOICE].codes)
    rows = [Row(patient, *fates[patient.pk]) for patient in chosen if patient.pk in fates]
    return Preview(rows, _plan(practice, rows, policy.calls_limit - policy.calls_used, now))


def _fate(reaches: dict[Channel, Reach]) -> tuple[Fate, Channel | None, datetime | None]:
    voice = reaches[Channel.VOICE]
    if voice.access is Access.OPEN:
        return Fate.CALL_NOW, Channel.VOICE, None
    if voice.access is Access.LATER:
        return Fate.CALL_LATER, Channel.VOICE, voice.at
    for channel in CHANNELS[1:]:
        reach = reaches[channel]
        if reach.access in (Access.OPEN, Access.LATER):
            return Fate.MESSAGE, channel, reach.at
    return Fate.NOT_CONTACTED, None, None


def _in_another_campaign(practice: Practice, keys: list[UUID]) -> set[object]:
    going_on = (CampaignState.RUNNING, CampaignState.PAUSED)
    return set(
        Episode.objects.filter(
            practice=practice, patient_id__in=keys, closed_at=None, campaign__state__in=going_on
        ).values_list("patient_id", flat=True)
    )


def _plan(practice: Practice, rows: list[Row], quota_left: int, now: datetime) -> Plan:
    calls = [row for row in rows if row.fate in (Fate.CALL_NOW, Fate.CALL_LATER)]
    an_hour = practice.max_live_calls * 60 // MINUTES_A_CALL
    starts = min((row.at or now for row in calls), default=None)
    finishes = None
    if starts is not None:
        last = max(row.at or now for row in calls)
        finishes = max(last, starts + timedelta(hours=len(calls) / an_hour))
    free = diary.free(practice=practice, now=now, limit=_SLOTS_COUNTED)
    return Plan(
        calls=len(calls),
        messages_only=sum(row.fate is Fate.MESSAGE for row in rows),
        quota_left=max(0, quota_left),
        free_slots=len(free),
        calls_an_hour=an_hour,
        starts_at=starts,
        finishes_at=finishes,
    )
