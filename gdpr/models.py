"""Data subject requests, and what carriers still have to delete for an erasure."""

from typing import ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice
from sightsync.lib import ids
from sightsync.lib.crypto import EncryptedTextField


class RequestType(models.TextChoices):
    ACCESS = "access", "Access"
    ERASURE = "erasure", "Erasure"


class RequestStatus(models.TextChoices):
    PROCESSING = "processing", "Processing"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


class DataRequest(ids.HasPublicId, models.Model):
    """One request of a patient's. `due_on` is the last day that the law gives; `export` is the
    answer to an access request as JSON, emptied after `export_expires_at`.
    """

    PREFIX = "dsr"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="data_requests")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="data_requests")
    type = models.CharField(max_length=7, choices=RequestType.choices)
    status = models.CharField(
        max_length=10, choices=RequestStatus.choices, default=RequestStatus.PROCESSING
    )
    submitted_at = models.DateTimeField()
    due_on = models.DateField()
    completed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=32, blank=True, help_text="Code of why it failed.")
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    export = EncryptedTextField(blank=True)
    export_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "type"],
                condition=models.Q(status=RequestStatus.PROCESSING),
                name="one_data_request_at_a_time",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["practice", "-submitted_at", "-id"], name="data_request_log"),
            models.Index(
                fields=["submitted_at"],
                name="data_request_open",
                condition=models.Q(status=RequestStatus.PROCESSING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.get_status_display()}"


class CarrierDeletion(models.Model):
    """A recording at the carrier that an erasure asked to delete; `deleted_at` is when it said so.

    The practice's erasure does not wait for the carrier: this row does.
    """

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    recording = models.CharField(max_length=34, unique=True)
    requested_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=24, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["requested_at"],
                name="carrier_deletion_open",
                condition=models.Q(deleted_at=None),
            )
        ]

    def __str__(self) -> str:
        return "deleted" if self.deleted_at else "to be deleted"
