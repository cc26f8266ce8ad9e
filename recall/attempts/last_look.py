"""The last look before a request leaves: has anybody said stop since the claim?

Conditions for the UPDATE that takes the right to send; each is an EXISTS, because a join would move
the state check into a subquery (see `moves.move`).
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from patients import suppressions
from patients.models import Patient, Suppression, SuppressionKind
from practices.models import Practice
from recall.models import Appointment, Attempt, Campaign, CampaignState, Channel, Episode, Purpose
from recall.models.appointments import LIVE_APPOINTMENT


def nobody_said_stop(attempt: Attempt) -> Q:
    """The patient, their number, the practice, the campaign, the recall and the appointment."""
    found = [_patient(attempt), _practice()]
    if attempt.purpose == Purpose.RECALL and attempt.campaign_id is not None:
        found.append(
            Campaign.objects.filter(pk=OuterRef("campaign_id")).exclude(
                state__in=[CampaignState.PAUSED, CampaignState.STOPPED]
            )
        )
    if attempt.purpose == Purpose.RECALL and attempt.episode_id is not None:
        found.append(
            Episode.objects.filter(pk=OuterRef("episode_id"), closed_at=None, paused=False)
        )
    if attempt.purpose != Purpose.CANCELLATION and attempt.appointment_id is not None:
        found.append(
            Appointment.objects.filter(
                pk=OuterRef("appointment_id"),
                version=OuterRef("appointment_version"),
                status__in=LIVE_APPOINTMENT,
            )
        )
    condition = ~Q(Exists(_suppressions(attempt)))
    for rows in found:
        condition &= Q(Exists(rows))
    return condition


def _patient(attempt: Attempt) -> QuerySet[Any]:
    """Still willing, and still at the number or address that the claim fixed."""
    where = "email" if attempt.channel == Channel.EMAIL else "phone_number"
    return Patient.objects.filter(
        pk=OuterRef("patient_id"),
        opted_out_at=None,
        deceased_at=None,
        erased_at=None,
        **{where: attempt.destination},
    ).exclude(opted_out_channels__contains=[attempt.channel])


def _practice() -> QuerySet[Any]:
    return Practice.objects.filter(pk=OuterRef("practice_id"), contact_stopped_at=None)


def _suppressions(attempt: Attempt) -> QuerySet[Any]:
    patient = attempt.patient
    hashes = suppressions.of(phone=patient.phone_number, email=patient.email)
    is_email = attempt.channel == Channel.EMAIL
    own_kind = SuppressionKind.EMAIL if is_email else SuppressionKind.PHONE
    return Suppression.objects.filter(
        Q(kind=SuppressionKind.PHONE, channel=suppressions.ALL)
        | Q(kind=own_kind, channel__in=[suppressions.ALL, attempt.channel]),
        practice_id=OuterRef("practice_id"),
        hash__in=[item.digest for item in hashes],
        lifted_at=None,
    )
