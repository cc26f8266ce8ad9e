"""What an appointment does to the patient's recall: booking ends it, losing it opens it again.

Called inside the transaction of the change, with the patient locked.
"""

from datetime import timedelta

from patients.models import Patient
from practices.journal import Actor
from recall import episodes
from recall.models import Appointment, CampaignState, Episode, EpisodeState
from sightsync.lib import clock

AGAIN_AFTER = timedelta(days=7)
"""How long a patient who cancelled or did not come is left alone before the recall goes on: time to
book again by themselves, and nobody is rung on the day they said no to a time.
"""


def open_recall(*, patient: Patient) -> Episode | None:
    """The recall that the appointment will answer."""
    return Episode.objects.filter(
        practice=patient.practice_id, patient=patient, closed_at=None
    ).first()


def booked(*, patient: Patient, actor: Actor) -> None:
    """The recall has reached its end, and what it had planned is cancelled with it."""
    episodes.close_for(patient=patient, state=EpisodeState.BOOKED, reason="booked", actor=actor)


def attended(*, patient: Patient, actor: Actor) -> None:
    """A recall that a mistaken "did not come" opened again is over."""
    episodes.close_for(patient=patient, state=EpisodeState.ENDED, reason="attended", actor=actor)


def lost(*, appointment: Appointment, patient: Patient, reason: str, actor: Actor) -> None:
    """The appointment will not answer the recall that led to it, so that begins again in a week.

    Not for a patient who is not due, and not where the practice has stopped the campaign: what
    nobody started by machine, a cancellation does not start either.
    """
    before = appointment.episode
    if before is None or patient.next_clinical_due_date > clock.today():
        return
    campaign = before.campaign
    if campaign is not None and campaign.state == CampaignState.STOPPED:
        return
    if campaign is not None and campaign.state == CampaignState.FINISHED:
        campaign = None
    for episode in episodes.ensure_open(
        practice=appointment.practice, patients=[patient], campaign=campaign, actor=actor
    ):
        Episode.objects.filter(pk=episode.pk, state=EpisodeState.DUE).update(
            state=EpisodeState.WAITING,
            reason=reason,
            next_step_at=clock.now() + AGAIN_AFTER,
            paused=campaign is not None and campaign.state == CampaignState.PAUSED,
        )


def look_again(*, patient: Patient, actor: Actor) -> None:
    """Something has changed that the recall has to know of."""
    episode = open_recall(patient=patient)
    if episode is not None:
        episodes.advance(episode=episode, actor=actor)
