"""A recall: one open episode per patient until it ends, with a state and a reason."""

from typing import ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice
from recall.models.campaigns import Campaign
from sightsync.lib import clock, ids


class EpisodeState(models.TextChoices):
    DUE = "due", "Due"
    CONTACTING = "contacting", "Being contacted"
    WAITING = "waiting", "Waiting"
    NEEDS_STAFF = "needs_staff", "Needs you"
    BOOKED = "booked", "Booked"
    DECLINED = "declined", "Declined"
    OPTED_OUT = "opted_out", "Opted out"
    NOT_CONTACTABLE = "not_contactable", "Cannot be contacted"
    EXHAUSTED = "exhausted", "No answer on any channel"
    ENDED = "ended", "Ended"


OPEN_STATES = (
    EpisodeState.DUE,
    EpisodeState.CONTACTING,
    EpisodeState.WAITING,
    EpisodeState.NEEDS_STAFF,
)


class Episode(ids.HasPublicId, models.Model):
    PREFIX = "rec"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="episodes")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="episodes")
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="episodes"
    )
    cycle_due_date = models.DateField(help_text="The due date that this recall is about.")
    state = models.CharField(max_length=15, choices=EpisodeState.choices, default=EpisodeState.DUE)
    reason = models.CharField(max_length=32, blank=True, help_text="Code of why it is so.")
    next_step_at = models.DateTimeField(null=True, blank=True)
    priority = models.IntegerField(
        default=0, help_text="Riskiest and most overdue first: the larger goes first."
    )
    paused = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "patient"],
                condition=models.Q(closed_at=None),
                name="one_open_recall_per_patient",
            ),
            models.CheckConstraint(
                name="recall_is_closed_when_its_state_says_so",
                condition=models.Q(state__in=OPEN_STATES, closed_at=None)
                | (~models.Q(state__in=OPEN_STATES) & models.Q(closed_at__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_step_at"],
                name="recall_steps_due",
                condition=models.Q(closed_at=None, paused=False, next_step_at__isnull=False),
            ),
            models.Index(fields=["campaign", "state"], name="recall_of_campaign"),
            models.Index(fields=["patient", "-opened_at"], name="recall_of_patient"),
        ]

    def __str__(self) -> str:
        return f"Recall: {self.get_state_display()}"

    @property
    def was_due(self) -> bool:
        """Whether it was opened because the patient was due, and not early, by name."""
        return self.cycle_due_date <= clock.london(self.opened_at).date()
