"""What operators see of patients: enough to find a record, nothing clinical, nothing to change.

Records are written through `patients.records` only.
"""

from django.contrib import admin

from patients.models import (
    ImportRun,
    Patient,
    PmsRecord,
    Suppression,
    SyncRun,
    TpsRegister,
)
from practices.admin import ReadOnly


@admin.register(Patient)
class PatientAdmin(ReadOnly):
    list_display = (
        "public_id",
        "practice",
        "full_name",
        "next_clinical_due_date",
        "opted_out_at",
        "archived_at",
    )
    list_filter = ("practice", "phone_kind", "tps_listing", "due_source")
    list_select_related = ("practice",)
    search_fields = ("last_name", "=external_id", "=phone_number", "=email")
    fields = (
        "public_id",
        "practice",
        "external_id",
        "source",
        "full_name",
        "phone_number",
        "phone_kind",
        "phone_wrong_at",
        "email",
        "email_bounced_at",
        "next_clinical_due_date",
        "due_source",
        "opted_out_at",
        "opted_out_source",
        "opted_out_channels",
        "tps_listing",
        "not_before",
        "deceased_at",
        "archived_at",
        "erased_at",
        "created_at",
        "updated_at",
    )


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly):
    list_display = ("practice", "kind", "channel", "source", "created_at", "lifted_at")
    list_filter = ("practice", "kind", "channel")
    list_select_related = ("practice",)
    exclude = ("hash",)


@admin.register(TpsRegister)
class TpsRegisterAdmin(ReadOnly):
    list_display = ("register_date", "listing", "numbers", "loaded_at", "applied_at", "current")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnly):
    list_display = (
        "started_at",
        "practice",
        "rows_read",
        "created",
        "updated",
        "unchanged",
        "rejected",
    )
    list_filter = ("practice",)
    list_select_related = ("practice",)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly):
    list_display = (
        "due_at",
        "practice",
        "connection",
        "scope",
        "state",
        "error_code",
        "read",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "archived",
        "appointments",
    )
    list_filter = ("practice", "connection__kind", "state", "scope", "error_code")
    list_select_related = ("practice", "connection")


@admin.register(PmsRecord)
class PmsRecordAdmin(ReadOnly):
    list_display = ("external_id", "practice", "connection", "patient_id", "code", "gone_at")
    list_filter = ("practice", "connection__kind", "code")
    list_select_related = ("practice", "connection")
    search_fields = ("=external_id",)
    raw_id_fields = ("patient",)
    exclude = ("digest", "marks")
