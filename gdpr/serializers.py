"""The shapes of data requests in the API."""

from typing import Any

from rest_framework import serializers

from gdpr.models import RequestStatus, RequestType
from sightsync.lib.api import fields

_Shape = serializers.Serializer[Any]


class DataRequestBodySerializer(_Shape):
    patient_id = fields.PublicId("pat")
    type = fields.Choice(
        RequestType.choices, help_text="access: export the data; erasure: be forgotten."
    )


class DataRequestSerializer(_Shape):
    id = fields.PublicId("dsr")
    patient_id = fields.PublicId("pat")
    type = serializers.ChoiceField(RequestType.choices)
    status = serializers.ChoiceField(RequestStatus.choices)
    submitted_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    due_date = serializers.DateField(help_text="The last day that the law gives for the answer.")


class OneDataRequestSerializer(DataRequestSerializer):
    download_path = serializers.CharField(
        allow_null=True, help_text="Of an access request whose export is ready."
    )
    download_expires_at = serializers.DateTimeField(allow_null=True)


class SectionSerializer(_Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField())


class ExportSerializer(_Shape):
    """Everything held about one patient."""

    patient_id = fields.PublicId("pat")
    practice = serializers.DictField()
    generated_at = serializers.DateTimeField()
    sections = SectionSerializer(many=True)


class ErasedSerializer(_Shape):
    success = serializers.BooleanField()
    message = serializers.CharField()
