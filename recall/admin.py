"""What operators see of recalls: states, times and provider references.

What was said or written (turns, replies, summaries) is not shown, and nothing can be changed:
attempts and appointments move through `recall`'s own functions only.
"""

from typing import ClassVar

from django.contrib import admin

from practices.admin import ReadOnly
from recall.models import (
    Appointment,
    AppointmentCopy,
    Attempt,
    BusyTime,
    Campaign,
    Closure,
    Diary,
    DiaryHours,
    Episode,
    InboundMessage,
    ProviderEvent,
    StaffTask,
    TheirAppointment,
)


class PracticeRows(ReadOnly):
    """Rows of a practice, about a patient."""

    list_filter: ClassVar[tuple[str, ...]] = ("practice",)
    list_select_related: ClassVar[tuple[str, ...]] = ("practice",)


@admin.register(Attempt)
class AttemptAdmin(PracticeRows):
    list_display = ("public_id", "practice", "channel", "purpose", "state", "outcome", "created_at")
    list_filter = ("practice", "channel", "purpose", "state", "outcome")
    search_fields = ("=provider_ref", "=destination")
    exclude = ("summary", "dialogue", "recording")


@admin.register(Episode)
class EpisodeAdmin(PracticeRows):
    list_display = ("public_id", "practice", "state", "reason", "next_step_at", "opened_at")
    list_filter = ("practice", "state")


@admin.register(Campaign)
class CampaignAdmin(PracticeRows):
    list_display = ("name", "public_id", "practice", "state", "started_at", "ended_at")
    list_filter = ("practice", "state")
    search_fields = ("name",)


@admin.register(Appointment)
class AppointmentAdmin(PracticeRows):
    list_display = ("public_id", "practice", "diary", "starts_at", "status", "source")
    list_filter = ("practice", "status", "source")
    list_select_related = ("practice", "diary")


@admin.register(AppointmentCopy)
class AppointmentCopyAdmin(PracticeRows):
    list_display = (
        "public_id",
        "practice",
        "connection",
        "state",
        "reason",
        "wanted",
        "standing",
        "tries",
        "next_try_at",
    )
    list_filter = ("practice", "state", "connection__kind", "reason")
    list_select_related = ("practice", "connection")
    search_fields = ("=external_id",)


@admin.register(BusyTime)
class BusyTimeAdmin(PracticeRows):
    list_display = ("connection", "practice", "diary", "starts_at", "ends_at")
    list_filter = ("practice", "connection__kind")
    list_select_related = ("practice", "connection", "diary")


@admin.register(TheirAppointment)
class TheirAppointmentAdmin(PracticeRows):
    list_display = ("external_id", "practice", "connection", "starts_at", "status", "noted_at")
    list_filter = ("practice", "connection__kind", "status")
    list_select_related = ("practice", "connection")
    search_fields = ("=external_id",)


@admin.register(StaffTask)
class StaffTaskAdmin(PracticeRows):
    list_display = ("kind", "practice", "urgent", "created_at", "done_at")
    list_filter = ("practice", "kind", "urgent")


@admin.register(ProviderEvent)
class ProviderEventAdmin(PracticeRows):
    list_display = ("received_at", "practice", "key", "status", "error_code", "provider_ref")
    search_fields = ("=provider_ref",)


@admin.register(InboundMessage)
class InboundMessageAdmin(PracticeRows):
    list_display = ("received_at", "practice", "channel", "meaning", "provider_ref")
    search_fields = ("=provider_ref", "=sender")
    exclude = ("body",)


@admin.register(Diary)
class DiaryAdmin(PracticeRows):
    list_display = ("name", "practice", "active", "buffer_minutes")
    search_fields = ("name",)


@admin.register(Closure)
class ClosureAdmin(PracticeRows):
    list_display = ("practice", "diary", "first_day", "last_day")
    list_select_related = ("practice", "diary")


@admin.register(DiaryHours)
class DiaryHoursAdmin(PracticeRows):
    list_display = ("diary", "practice", "weekday", "opens", "closes")
    list_select_related = ("practice", "diary")
