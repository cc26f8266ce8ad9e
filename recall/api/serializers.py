"""What the recall, call, appointment, campaign and event operations take, and the shapes of their
answers.
"""

from typing import Any

from rest_framework import serializers

from patients.models import Patient, RiskCategory
from recall.models import (
    Appointment,
    AppointmentStatus,
    Attempt,
    Campaign,
    CampaignState,
    Episode,
    EpisodeState,
    Outcome,
)
from recall.selectors.for_api import CALL_STATUSES
from sightsync.lib.api.fields import Bool, Choice, Date, Extended, PublicId, Text

_Shape = serializers.Serializer[Any]
MOST_PATIENTS = 50
CREATED = [AppointmentStatus.BOOKED.value, AppointmentStatus.CONFIRMED.value]
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Clock(serializers.RegexField):
    """A time of day, `14:30`, on a London clock."""

    default_error_messages = {"invalid": "Use a time of day such as 14:30."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_CLOCK, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


# --- recall -------------------------------------------------------------------------------------


class RecallBodySerializer(_Shape):
    patient_id = PublicId(Patient.PREFIX)
    extended = Extended(required=False, help_text="Kept with the call: your own data.")


class RecallSerializer(_Shape):
    success = serializers.BooleanField()
    call_id = PublicId(Attempt.PREFIX)
    patient_id = PublicId(Patient.PREFIX)
    status = serializers.ChoiceField(["calling", "queued"])


class BatchBodySerializer(_Shape):
    patient_ids = serializers.ListField(
        child=Text(max_length=100, allow_blank=True),
        min_length=1,
        max_length=MOST_PATIENTS,
    )
    dry_run = Bool(required=False, default=False)


class TriggeredSerializer(_Shape):
    patient_id = PublicId(Patient.PREFIX)
    call_id = PublicId(Attempt.PREFIX, allow_null=True)


class SkippedSerializer(_Shape):
    patient_id = serializers.CharField(help_text="As it was given.", allow_blank=True)
    reason = serializers.CharField()
    code = serializers.CharField()
    next_allowed_at = serializers.DateTimeField(allow_null=True)


class BatchSerializer(_Shape):
    triggered = TriggeredSerializer(many=True)
    skipped = SkippedSerializer(many=True)
    total = serializers.IntegerField(min_value=0)
    triggered_count = serializers.IntegerField(min_value=0)
    skipped_count = serializers.IntegerField(min_value=0)


# --- calls --------------------------------------------------------------------------------------


class NameSerializer(_Shape):
    first_name = serializers.CharField()
    last_name = serializers.CharField(allow_blank=True)


class CallSerializer(_Shape):
    id = PublicId(Attempt.PREFIX)
    patient_id = PublicId(Patient.PREFIX)
    call_status = serializers.ChoiceField(list(CALL_STATUSES))
    duration = serializers.IntegerField(min_value=0, allow_null=True, help_text="Seconds.")
    appointment_booked = serializers.BooleanField()
    appointment_booked_at = serializers.DateTimeField(allow_null=True)
    ai_summary = serializers.CharField(allow_null=True)
    call_outcome_notes = serializers.CharField(allow_null=True)
    recording_url = serializers.CharField(
        allow_null=True,
        help_text="Opens with the API key. Null when the call was not recorded, when the patient"
        " refused, and once the recording is deleted, 30 days after the call.",
    )
    is_complete = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    patient = NameSerializer()
    outcome = serializers.ChoiceField(Outcome.choices, allow_null=True)
    reason = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    appointment_id = PublicId(Appointment.PREFIX, allow_null=True)
    campaign_id = PublicId(Campaign.PREFIX, allow_null=True)
    extended = Extended()


# --- appointments -------------------------------------------------------------------------------


class AppointmentBodySerializer(_Shape):
    patient_id = PublicId(Patient.PREFIX)
    appointment_date = Date(help_text="At most ten years ahead.")
    appointment_time = Clock(
        required=False, allow_null=True, default=None, help_text="London time; may be left out."
    )
    status = Choice(CREATED, required=False, default="booked")
    call_id = PublicId(
        Attempt.PREFIX, required=False, allow_null=True, default=None, help_text="Its patient's."
    )


class AppointmentChangeSerializer(_Shape):
    appointment_date = Date(required=False)
    appointment_time = Clock(required=False, allow_null=True)
    status = Choice(AppointmentStatus.values, required=False)


class AppointmentPatientSerializer(_Shape):
    first_name = serializers.CharField()
    last_name = serializers.CharField(allow_blank=True)
    phone_number = serializers.CharField(allow_blank=True)
    risk_category = serializers.ChoiceField(RiskCategory.choices)


class AppointmentSerializer(_Shape):
    id = PublicId(Appointment.PREFIX)
    patient_id = PublicId(Patient.PREFIX)
    appointment_date = serializers.DateField()
    appointment_time = Clock(allow_null=True)
    status = serializers.ChoiceField(AppointmentStatus.choices)
    patients = AppointmentPatientSerializer()
    created_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField(help_text="call, link, reply, staff, api or pms")  # type: ignore[assignment]
    call_id = PublicId(Attempt.PREFIX, allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


class ChangedAppointmentSerializer(_Shape):
    success = serializers.BooleanField()
    appointment = AppointmentSerializer()


class OneAppointmentSerializer(_Shape):
    appointment = AppointmentSerializer()


# --- campaigns, recalls, events -----------------------------------------------------------------


class LeftOutSerializer(_Shape):
    code = serializers.CharField()
    reason = serializers.CharField()
    count = serializers.IntegerField(min_value=1)


class FunnelSerializer(_Shape):
    due = serializers.IntegerField(min_value=0)
    contacted = serializers.IntegerField(min_value=0)
    reached = serializers.IntegerField(min_value=0)
    booked = serializers.IntegerField(min_value=0)
    attended = serializers.IntegerField(min_value=0)


class CampaignSerializer(_Shape):
    id = PublicId(Campaign.PREFIX)
    name = serializers.CharField()
    status = serializers.ChoiceField(CampaignState.choices)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    filters = serializers.DictField()
    patients = serializers.IntegerField(min_value=0)
    open = serializers.IntegerField(min_value=0)
    by_state = serializers.DictField(child=serializers.IntegerField(min_value=1))
    funnel = FunnelSerializer()
    left_out = LeftOutSerializer(many=True)


class OneCampaignSerializer(_Shape):
    campaign = CampaignSerializer()


class DuePatientSerializer(_Shape):
    patient_id = PublicId(Patient.PREFIX)
    patient = NameSerializer()
    risk_category = serializers.ChoiceField(RiskCategory.choices)
    next_clinical_due_date = serializers.DateField()
    state = serializers.ChoiceField(EpisodeState.choices)
    reason = serializers.CharField()
    recall_id = PublicId(Episode.PREFIX, allow_null=True)
    campaign_id = PublicId(Campaign.PREFIX, allow_null=True)
    opened_at = serializers.DateTimeField(allow_null=True)
    next_step_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(_Shape):
    id = PublicId("evt")
    sequence = serializers.IntegerField(min_value=1)
    type = serializers.CharField()
    created_at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # the field, not the attribute


class EventsSerializer(_Shape):
    events = EventSerializer(many=True)
    next_after = serializers.IntegerField(min_value=0)
    has_more = serializers.BooleanField()
