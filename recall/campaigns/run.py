"""Running a campaign: start it once, pause it, take it up again, stop it, notice that it is over.

Starting freezes who was chosen and who was left out and why, and opens a recall for each patient
taken in. What each recall then does is the chain's business, not the campaign's.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from recall import episodes
from recall.campaigns import preview
from recall.campaigns.preview import Preview
from recall.campaigns.selection import Choice
from recall.models import Campaign, CampaignPatient, CampaignState, Episode
from recall.models.episodes import OPEN_STATES
from sightsync.lib import clock
from sightsync.lib.errors import AppError


def start(
    *,
    practice: Practice,
    choice: Choice,
    name: str,
    start_token: UUID,
    user: User | None,
    actor: Actor,
    seen: Preview | None = None,
) -> Campaign:
    """Start a campaign for the patients that `choice` finds now; the same token starts it once.

    Raises AppError `nobody_to_contact` when not one of them can be contacted: nothing is kept then.
    Who has just been told a dry run, and answers for it, gives it as `seen`: it is started as it
    is, and kept although nobody can be contacted, as the record of the run.
    """
    already = Campaign.objects.filter(practice=practice, start_token=start_token).first()
    if already is not None:
        return already
    try:
        return _start(practice, choice, name, start_token, user, actor, seen)
    except IntegrityError:
        # Somebody pressed twice, and the other press was quicker.
        return Campaign.objects.get(practice=practice, start_token=start_token)


@transaction.atomic
def _start(
    practice: Practice,
    choice: Choice,
    name: str,
    start_token: UUID,
    user: User | None,
    actor: Actor,
    told: Preview | None,
) -> Campaign:
    campaign = Campaign.objects.create(
        practice=practice,
        name=name,
        filters=choice.as_json(),
        start_token=start_token,
        started_by=user,
        started_at=clock.now(),
    )
    seen = told or preview.of(practice=practice, choice=choice)
    if not seen.included and told is None:
        raise AppError(
            "nobody_to_contact",
            "None of these patients can be contacted. Change who to recall, or see why not below.",
        )
    CampaignPatient.objects.bulk_create(
        (
            CampaignPatient(
                practice=practice,
                campaign=campaign,
                patient=row.patient,
                included=row.included,
                codes=list(row.codes),
            )
            for row in seen.rows
        ),
        batch_size=1000,
    )
    episodes.ensure_open(
        practice=practice,
        patients=[row.patient for row in seen.rows if row.included],
        campaign=campaign,
        actor=actor,
    )
    facts = {"included": seen.included, "excluded": len(seen.rows) - seen.included}
    _journal(campaign, "campaign.started", actor, **facts)
    return campaign


@transaction.atomic
def pause(*, campaign: Campaign, actor: Actor) -> None:
    """Nothing further leaves for this campaign; calls under way are let finish."""
    if _move(campaign, CampaignState.PAUSED, CampaignState.RUNNING):
        Episode.objects.filter(campaign=campaign, closed_at=None).update(paused=True)
        _journal(campaign, "campaign.paused", actor)


@transaction.atomic
def resume(*, campaign: Campaign, actor: Actor) -> None:
    """Take it up where it was paused; every rule is asked again before anything leaves."""
    if _move(campaign, CampaignState.RUNNING, CampaignState.PAUSED):
        Episode.objects.filter(campaign=campaign, closed_at=None).update(paused=False)
        _journal(campaign, "campaign.resumed", actor)


@transaction.atomic
def stop(*, campaign: Campaign, actor: Actor) -> None:
    """End it: its open recalls end with it, and what was planned is cancelled."""
    if not _move(campaign, CampaignState.STOPPED, CampaignState.RUNNING, CampaignState.PAUSED):
        return
    for episode in Episode.objects.filter(campaign=campaign, closed_at=None).order_by("pk"):
        episodes.end(episode=episode, reason="campaign_stopped", actor=actor)
    _journal(campaign, "campaign.stopped", actor)


def finish_those_done(*, actor: Actor) -> int:
    """Finish running campaigns without an open recall; how many. The tick calls this."""
    open_ones = Episode.objects.filter(campaign=OuterRef("pk"), state__in=OPEN_STATES)
    done = Campaign.objects.filter(state=CampaignState.RUNNING).exclude(Exists(open_ones))
    finished = 0
    for campaign in done:
        with transaction.atomic():
            if _move(campaign, CampaignState.FINISHED, CampaignState.RUNNING):
                _journal(campaign, "campaign.finished", actor)
                finished += 1
    return finished


def _move(campaign: Campaign, to: CampaignState, *sources: CampaignState) -> bool:
    over = to in (CampaignState.STOPPED, CampaignState.FINISHED)
    moved = Campaign.objects.filter(pk=campaign.pk, state__in=sources).update(
        state=to, ended_at=clock.now() if over else None
    )
    if moved:
        campaign.state = to
    return bool(moved)


def _journal(campaign: Campaign, action: str, actor: Actor, **facts: int) -> None:
    journal.record(
        practice=campaign.practice_id, action=action, actor=actor, subject=campaign, facts=facts
    )
