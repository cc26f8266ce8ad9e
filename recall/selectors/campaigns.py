"""Campaigns: the list, how far one has come, who is in it, and what the stop switch would hold."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from practices.models import Practice
from recall.models import (
    Attempt,
    AttemptState,
    Campaign,
    CampaignPatient,
    CampaignState,
    Channel,
    Episode,
    EpisodeState,
)
from recall.models.attempts import LIVE_STATES
from recall.models.episodes import OPEN_STATES
from recall.selectors.funnel import Step, steps


def campaigns(practice: Practice) -> QuerySet[Campaign]:
    """Newest first, each with its counts of recalls."""
    return (
        Campaign.objects.filter(practice=practice)
        .select_related("started_by")
        .annotate(
            people=Count("episodes"),
            still_open=Count("episodes", filter=Q(episodes__closed_at=None)),
            booked=Count("episodes", filter=Q(episodes__state=EpisodeState.BOOKED)),
        )
        .order_by("-started_at")
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has come. `parts` are (state, count), most hopeful first."""

    people: int
    closed: int
    parts: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...]

    @property
    def still_open(self) -> int:
        return self.people - self.closed

    @property
    def percent(self) -> int:
        return round(100 * self.closed / self.people) if self.people else 100

    def count(self, state: str) -> int:
        return dict(self.parts).get(state, 0)


def progress(campaign: Campaign) -> Progress:
    rows = Episode.objects.filter(campaign=campaign)
    counts = dict(rows.values_list("state").annotate(count=Count("pk")))
    people = sum(counts.values())
    still = sum(counts.get(state, 0) for state in OPEN_STATES)
    parts = tuple((str(state), counts[state]) for state in EpisodeState if counts.get(state))
    return Progress(people, people - still, parts, tuple(steps(rows)))


def campaign_episodes(campaign: Campaign, state: str = "") -> QuerySet[Episode]:
    """Each patient of a campaign; those still open first."""
    rows = (
        Episode.objects.filter(campaign=campaign)
        .select_related("patient")
        .order_by(F("closed_at").desc(nulls_first=True), "next_step_at", "-priority", "pk")
    )
    return rows.filter(state=state) if state in EpisodeState.values else rows


def left_out(campaign: Campaign) -> list[tuple[str, int]]:
    """Why patients were left out when it started: the first reason of each, most frequent first."""
    rows = CampaignPatient.objects.filter(campaign=campaign, included=False)
    codes = Counter(codes[0] for codes in rows.values_list("codes", flat=True) if codes)
    return codes.most_common()


def waiting_to_leave(practice: Practice) -> dict[str, int]:
    """What the stop switch would hold: planned attempts, calls under way, running campaigns."""
    counts = Attempt.objects.filter(practice=practice).aggregate(
        planned=Count("pk", filter=Q(state=AttemptState.PLANNED)),
        live=Count("pk", filter=Q(state__in=LIVE_STATES, channel=Channel.VOICE)),
    )
    running = Campaign.objects.filter(practice=practice, state=CampaignState.RUNNING).count()
    return {**counts, "campaigns": running}


def next_moment(episode: Episode, latest: Attempt | None) -> datetime | None:
    """When something next happens to a recall; None while a call or message is under way.

    A planned attempt has a time of its own; the recall's is only when it would be missed.
    """
    if episode.closed_at is not None:
        return None
    if latest is not None and latest.state == AttemptState.PLANNED:
        return latest.due_at
    if latest is not None and latest.state in LIVE_STATES:
        return None
    return episode.next_step_at


def latest_attempts(episodes: Iterable[Episode]) -> dict[UUID, Attempt]:
    """The newest call or message of each recall, by the recall's key."""
    rows = Attempt.objects.filter(episode__in=[row.pk for row in episodes])
    newest = rows.order_by("episode", "-created_at").distinct("episode")
    return {row.episode_id: row for row in newest if row.episode_id is not None}
