"""The shapes of patients in the API: what a body may hold, and what an answer looks like.

Whether a value is true of a patient (a dialled number, a date in the past) is `cleaning`'s to say.
"""

from typing import Any

from rest_framework import serializers

from patients.cleaning import MAX_NOTES
from patients.models import RiskCategory
from sightsync.lib.api import fields

_Shape = serializers.Serializer[Any]
_OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True, "allow_blank": True}
_PHONE = (
    "UK mobile or landline in any spelling: 07700900000, +447700900000, 020 7946 0000."
    " Kept as E.164."
)
_EXTENDED = "Your own data: a JSON object of at most 16 KiB, kept until you send another."


class EmailText(fields.Text, serializers.EmailField):
    """An email address, as a JSON string."""


class PatientChangeSerializer(_Shape):
    """What may be changed of a patient. null or "" clears an optional field."""

    first_name = fields.Text(max_length=80, required=False)
    last_name = fields.Text(max_length=80, **_OPTIONAL)
    phone_number = fields.Text(max_length=64, help_text=_PHONE, **_OPTIONAL)
    email = EmailText(max_length=254, **_OPTIONAL)
    last_eye_test_date = fields.Date(required=False, allow_null=True, help_text="Not after today.")
    risk_category = fields.Choice(RiskCategory.choices, required=False)
    clinical_notes = fields.Text(max_length=MAX_NOTES, **_OPTIONAL)
    title = fields.Text(max_length=20, **_OPTIONAL)
    date_of_birth = fields.Date(required=False, allow_null=True, help_text="Not after today.")
    external_id = fields.Text(max_length=64, help_text="The id in your own system.", **_OPTIONAL)
    extended = fields.Extended(required=False, allow_null=True, help_text=_EXTENDED)


class PatientBodySerializer(PatientChangeSerializer):
    """A patient to add, or to update where the record exists."""

    first_name = fields.Text(max_length=80)
    phone_number = fields.Text(max_length=64, help_text=_PHONE)


class PatientSerializer(_Shape):
    """A patient's record. What is not known is null."""

    id = fields.PublicId("pat")
    first_name = serializers.CharField()
    last_name = serializers.CharField(allow_null=True)
    phone_number = serializers.CharField(allow_null=True, help_text="E.164.")
    email = serializers.CharField(allow_null=True)
    risk_category = serializers.ChoiceField(RiskCategory.choices)
    last_eye_test_date = serializers.DateField(allow_null=True)
    next_clinical_due_date = serializers.DateField(
        allow_null=True, help_text="null only after an erasure."
    )
    date_of_birth = serializers.DateField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    clinical_notes = serializers.CharField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    extended = fields.Extended()
    opted_out = serializers.BooleanField(help_text="Of all contact.")
    opted_out_at = serializers.DateTimeField(allow_null=True)
    opted_out_channels = serializers.ListField(
        child=serializers.CharField(), help_text="Single channels that may not be used."
    )
    contactable = serializers.BooleanField(
        help_text="No lasting reason on the record forbids every channel. Whether a call may leave"
        " at a given moment is what `/patients/{id}/eligibility` answers."
    )
    archived_at = serializers.DateTimeField(allow_null=True)
    deceased_at = serializers.DateTimeField(allow_null=True)
    erased_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class OnePatientSerializer(_Shape):
    patient = PatientSerializer()


class WarningSerializer(_Shape):
    code = serializers.CharField()
    message = serializers.CharField()


class WrittenPatientSerializer(_Shape):
    """The record after the change, and what the caller should know of it."""

    success = serializers.BooleanField()
    patient = PatientSerializer()
    result = serializers.ChoiceField(["created", "updated", "unchanged"])
    warnings = WarningSerializer(many=True)
