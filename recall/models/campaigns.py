"""A campaign: a choice of patients, frozen when it starts, and its state."""

from typing import Any, ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice, User
from sightsync.lib import ids


class CampaignState(models.TextChoices):
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped"
    FINISHED = "finished", "Finished"


class Campaign(ids.HasPublicId, models.Model):
    PREFIX = "cmp"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    filters: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    state = models.CharField(
        max_length=8, choices=CampaignState.choices, default=CampaignState.RUNNING
    )
    start_token = models.UUIDField(
        default=ids.new, help_text="Given with the form: pressing start twice starts once."
    )
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "start_token"], name="campaign_started_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "-started_at"])]

    def __str__(self) -> str:
        return self.name


class CampaignPatient(models.Model):
    """One chosen patient: taken in, or left out with the codes of the rules that said no."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="chosen")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    included = models.BooleanField()
    codes: "models.JSONField[list[str]]" = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "patient"], name="chosen_once_a_campaign")
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {'in' if self.included else 'out'}"
