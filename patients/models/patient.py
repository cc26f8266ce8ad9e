"""The patient's record: who, how to reach them, when they are due, what they asked us not to do."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from patients.models.tps import TpsListing
from practices.models import Practice
from sightsync.lib import ids
from sightsync.lib.crypto import EncryptedTextField


class RiskCategory(models.TextChoices):
    STANDARD = "standard", "Standard"
    DIABETIC = "diabetic", "Diabetic"
    GLAUCOMA_SUSPECT = "glaucoma_suspect", "Glaucoma suspect"
    MYOPIA_CHILD = "myopia_child", "Child with myopia"
    CONTACT_LENS = "contact_lens", "Contact lenses"
    OTHER_CLINICAL = "other_clinical", "Other clinical"


class NumberKind(models.TextChoices):
    """What kind of line the number is; blank when there is no number."""

    MOBILE = "mobile", "Mobile"
    FIXED_LINE = "fixed_line", "Landline"
    VOIP = "voip", "Internet line"
    UAN = "uan", "03 number"
    TOLL_FREE = "toll_free", "Freephone"
    PREMIUM_RATE = "premium_rate", "Premium rate (fiction only)"


class DueSource(models.TextChoices):
    CLINICIAN = "clinician", "Set by the clinician"
    PMS = "pms", "Recall date in the practice's system"
    PATIENT_INTERVAL = "patient_interval", "This patient's own interval"
    PRACTICE_INTERVAL = "practice_interval", "The practice's interval"
    DEFAULT_INTERVAL = "default_interval", "The usual interval"
    NEVER_TESTED = "never_tested", "No eye test on record"


class Patient(ids.HasPublicId, models.Model):
    """Written only through `patients.records`, `patients.opt_out` and `patients.tps`."""

    PREFIX = "pat"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="patients")
    external_id = models.CharField(max_length=64, blank=True, help_text="Id in the practice's PMS.")
    source = models.CharField(max_length=20, blank=True)

    title = models.CharField(max_length=20, blank=True)
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    nhs_number = EncryptedTextField(blank=True)
    nhs_number_hash = models.BinaryField(max_length=32, null=True)

    phone_number = models.CharField(max_length=16, blank=True, help_text="E.164.")
    phone_kind = models.CharField(max_length=12, choices=NumberKind.choices, blank=True)
    phone_is_drama = models.BooleanField(
        default=False, help_text="One of Ofcom's numbers for fiction: never dialled for real."
    )
    phone_hash = models.BinaryField(max_length=32, null=True)
    phone_wrong_at = models.DateTimeField(null=True, blank=True)
    email = models.EmailField(blank=True)
    email_hash = models.BinaryField(max_length=32, null=True)
    email_bounced_at = models.DateTimeField(null=True, blank=True)

    last_eye_test_date = models.DateField(null=True, blank=True)
    risk_category = models.CharField(
        max_length=16, choices=RiskCategory.choices, default=RiskCategory.STANDARD
    )
    clinical_notes = EncryptedTextField(blank=True)
    clinician_due_date = models.DateField(null=True, blank=True)
    pms_recall_date = models.DateField(null=True, blank=True)
    own_interval_months = models.PositiveSmallIntegerField(null=True, blank=True)
    next_clinical_due_date = models.DateField()
    due_interval_months = models.PositiveSmallIntegerField(null=True, blank=True)
    due_source = models.CharField(max_length=17, choices=DueSource.choices)
    due_reason = models.CharField(max_length=24, blank=True)

    opted_out_at = models.DateTimeField(null=True, blank=True, help_text="Of all contact.")
    opted_out_source = models.CharField(max_length=20, blank=True)
    opted_out_channels = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    tps_listing = models.SmallIntegerField(
        choices=TpsListing.choices, null=True, help_text="As of the current register."
    )
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="The patient asked not to be rung before this."
    )
    deceased_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    extended: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "external_id"],
                condition=~models.Q(external_id=""),
                name="one_patient_per_pms_id",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["practice", "next_clinical_due_date", "id"], name="patient_by_due_date"
            ),
            models.Index(fields=["phone_number", "practice"], name="patient_of_number"),
            models.Index(fields=["practice", "last_name", "first_name"], name="patient_by_name"),
            models.Index(fields=["practice", "email"], name="patient_by_email"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def opted_out(self) -> bool:
        return self.opted_out_at is not None
