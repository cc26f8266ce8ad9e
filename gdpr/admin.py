"""What operators see of data requests: that they are answered in time, never what is in them."""

from django.contrib import admin

from gdpr.models import CarrierDeletion, DataRequest
from practices.admin import ReadOnly


@admin.register(DataRequest)
class DataRequestAdmin(ReadOnly):
    list_display = ("public_id", "practice", "type", "status", "submitted_at", "due_on", "failure")
    list_filter = ("status", "type", "practice")
    list_select_related = ("practice",)
    exclude = ("export", "patient")


@admin.register(CarrierDeletion)
class CarrierDeletionAdmin(ReadOnly):
    list_display = ("practice", "requested_at", "deleted_at", "tries", "error_code")
    list_filter = ("practice",)
    list_select_related = ("practice",)
