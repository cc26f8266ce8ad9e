"""Attempts: every call, WhatsApp, SMS and email is a row here before anything leaves."""

from typing import Any, ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice
from recall.models.appointments import Appointment
from recall.models.campaigns import Campaign
from recall.models.episodes import Episode
from sightsync.lib import ids
from sightsync.lib.crypto import EncryptedTextField


class Channel(models.TextChoices):
    VOICE = "voice", "Call"
    WHATSAPP = "whatsapp", "WhatsApp"
    SMS = "sms", "SMS"
    EMAIL = "email", "Email"


class Purpose(models.TextChoices):
    RECALL = "recall", "Recall"
    CONFIRMATION = "confirmation", "Booking confirmation"
    REMINDER = "reminder", "Reminder"
    CANCELLATION = "cancellation", "Cancellation notice"


class AttemptState(models.TextChoices):
    """The allowed moves between these are one table in `recall.states`."""

    PLANNED = "planned", "Planned"
    CLAIMED = "claimed", "Starting"
    SUBMITTING = "submitting", "Being handed over"
    ACCEPTED = "accepted", "Under way"
    UNKNOWN = "unknown", "Not known whether it was sent"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Outcome(models.TextChoices):
    BOOKED = "booked", "Booked"
    DECLINED = "declined", "Declined"
    OPTED_OUT = "opted_out", "Opted out"
    WRONG_PERSON = "wrong_person", "Wrong number"
    DECEASED = "deceased", "Reported deceased"
    CALL_BACK = "call_back", "Asked to be rung back"
    NEEDS_STAFF = "needs_staff", "Asked for a person"
    SYMPTOMS = "symptoms", "Mentioned symptoms"
    ANSWERED = "answered", "Answered, no decision"
    HUNG_UP = "hung_up", "Hung up"
    VOICEMAIL = "voicemail", "Voicemail"
    NO_ANSWER = "no_answer", "No answer"
    BUSY = "busy", "Busy"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"
    UNDELIVERED = "undelivered", "Not delivered"
    FAILED = "failed", "Failed"


LIVE_STATES = (
    AttemptState.CLAIMED,
    AttemptState.SUBMITTING,
    AttemptState.ACCEPTED,
    AttemptState.UNKNOWN,
)


class Attempt(models.Model):
    """`submitted_at` is set before the request leaves; whatever has it counts for the caps."""

    PREFIX = "c"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="attempts")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="attempts")
    episode = models.ForeignKey(
        Episode, models.SET_NULL, null=True, blank=True, related_name="attempts"
    )
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="attempts"
    )
    appointment = models.ForeignKey(
        Appointment, models.CASCADE, null=True, blank=True, related_name="messages"
    )
    appointment_version = models.PositiveSmallIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.RECALL)
    state = models.CharField(
        max_length=10, choices=AttemptState.choices, default=AttemptState.PLANNED
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    reason = models.CharField(
        max_length=40, blank=True, help_text="Code of why it failed or was cancelled."
    )
    priority = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    destination = models.CharField(
        max_length=254, blank=True, help_text="Number or address, fixed when it is claimed."
    )
    receipt: "models.JSONField[dict[str, Any]]" = models.JSONField(
        default=dict, help_text="Every rule's result at the moment of the claim."
    )

    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    retries = models.PositiveSmallIntegerField(
        default=0, help_text="Times the provider is known to have refused for now (429)."
    )

    provider = models.CharField(max_length=12, blank=True)
    provider_ref = models.CharField(max_length=80, blank=True)
    provider_status = models.CharField(max_length=24, blank=True)
    error_code = models.CharField(max_length=24, blank=True)

    # Calls only.
    answered_by = models.CharField(max_length=20, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    recording = models.CharField(max_length=34, blank=True, help_text="The carrier's recording id.")
    dialogue: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    extended: "models.JSONField[dict[str, Any]]" = models.JSONField(
        default=dict, blank=True, help_text="The API caller's own data."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "destination"],
                condition=models.Q(channel=Channel.VOICE, state__in=LIVE_STATES),
                name="one_live_call_per_number",
            ),
            models.UniqueConstraint(
                fields=["episode", "channel"],
                condition=models.Q(state=AttemptState.PLANNED, purpose=Purpose.RECALL),
                name="one_planned_step_per_channel",
            ),
            models.UniqueConstraint(
                fields=["appointment", "purpose", "appointment_version", "channel"],
                condition=models.Q(appointment__isnull=False),
                name="one_message_per_appointment_version",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"],
                condition=~models.Q(provider_ref=""),
                name="one_attempt_per_provider_ref",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="attempt_due",
                condition=models.Q(state=AttemptState.PLANNED),
            ),
            models.Index(
                fields=["state", "claimed_at"],
                name="attempt_live",
                condition=models.Q(state__in=LIVE_STATES),
            ),
            models.Index(fields=["practice", "-created_at"], name="attempt_log"),
            models.Index(fields=["patient", "-created_at"], name="attempt_of_patient"),
            models.Index(
                fields=["practice", "destination", "submitted_at"],
                name="attempt_by_number",
                condition=models.Q(channel=Channel.VOICE, submitted_at__isnull=False),
            ),
            # All that spacing and cap ask, without touching the wide rows.
            models.Index(
                fields=["practice", "submitted_at"],
                include=["patient", "destination", "state"],
                name="attempt_calls",
                condition=models.Q(channel=Channel.VOICE, submitted_at__isnull=False),
            ),
            models.Index(fields=["campaign", "state"], name="attempt_of_campaign"),
            models.Index(
                fields=["created_at"], name="attempt_recorded", condition=~models.Q(recording="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_state_display()}"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)

    @property
    def recording_refused(self) -> bool:
        """The person on the line did not want it: what there is is deleted, unheard."""
        return bool(self.dialogue.get("recording_declined"))

    @property
    def may_be_heard(self) -> bool:
        return bool(self.recording) and not self.recording_refused


class CallTurn(models.Model):
    """One thing said on a call. Cleared by erasure; encrypted: people talk of health."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="turns")
    number = models.PositiveSmallIntegerField()
    speaker = models.CharField(
        max_length=9, choices=[("assistant", "SightSync"), ("patient", "Patient")]
    )
    text = EncryptedTextField(blank=True)
    digits = models.CharField(max_length=8, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    intent = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "number"], name="turns_are_numbered")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.speaker}"


class ProviderEvent(models.Model):
    """One callback, kept once. `key` is what tells a repeat from news."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="events")
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    provider_ref = models.CharField(max_length=80)
    key = models.CharField(max_length=60)
    status = models.CharField(max_length=24, blank=True)
    error_code = models.CharField(max_length=24, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["attempt", "provider_ref", "key"], name="callback_kept_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.status}"


class InboundMessage(models.Model):
    """An SMS or WhatsApp from somebody, kept once by the carrier's id."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="inbound_messages")
    patient = models.ForeignKey(
        Patient, models.CASCADE, null=True, blank=True, related_name="inbound_messages"
    )
    channel = models.CharField(max_length=8, choices=Channel.choices)
    provider_ref = models.CharField(max_length=80, unique=True)
    sender = models.CharField(max_length=20)
    body = EncryptedTextField(blank=True)
    meaning = models.CharField(max_length=12, blank=True, help_text="stop, confirm or other")
    received_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "sender", "-received_at"])]

    def __str__(self) -> str:
        return f"{self.channel} {self.meaning}"
