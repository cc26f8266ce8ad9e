"""What operators see of practices, people and the journal, and the read-only base for all apps.

An operator's change is journalled like anybody's. Nothing here shows a password, a key, a
person's second factor or what a failed job had in its hands.
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.sites.models import Site
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from practices import api_keys, journal
from practices.journal import Actor
from practices.models import (
    ApiKey,
    Heartbeat,
    JobTry,
    JournalEntry,
    Membership,
    MonthlyUsage,
    Practice,
    User,
)
from sightsync.lib import ids

for model in (Group, Site, Authenticator, UserSession, Success, Failure, OrmQ, Schedule):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class Searchable(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Finds a row by its public id too, and never loads a whole table into a choice field."""

    list_per_page = 50
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Any:
        prefix = getattr(self.model, "PREFIX", None)
        if prefix:
            try:
                return queryset.filter(pk=ids.decode(prefix, search_term.strip())), False
            except ids.BadId:
                pass
        return super().get_search_results(request, queryset, search_term)


class ReadOnly(Searchable):
    """Rows that only the product's own change functions may write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def operator_of(request: HttpRequest) -> Actor:
    return Actor.operator(str(request.user.pk))


@admin.register(Practice)
class PracticeAdmin(Searchable):
    list_display = ("name", "public_id", "mode", "plan", "subscription_status", "stopped")
    list_filter = ("mode", "plan", "subscription_status", "nation")
    search_fields = ("name",)
    readonly_fields = ("public_id", "mode", "contact_stopped_at", "created_at")

    @admin.display(boolean=True, description="contact stopped")
    def stopped(self, practice: Practice) -> bool:
        return practice.contact_stopped_at is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`manage.py create_practice` makes the owner and the first diary too."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Practice, form: ModelForm[Any], change: bool
    ) -> None:
        with transaction.atomic():
            obj.save(update_fields=form.changed_data or None)
            journal.record(
                practice=obj,
                action="practice.updated",
                actor=operator_of(request),
                subject=obj,
                facts={"fields": sorted(form.changed_data)},
            )


@admin.register(User)
class UserAdmin(Searchable):
    list_display = ("email", "full_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "memberships__practice")
    search_fields = ("email", "full_name")
    fields = ("public_id", "email", "full_name", "is_active", "is_staff", "last_login")
    readonly_fields = ("public_id", "email", "last_login")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(Searchable):
    list_display = ("user", "practice", "role", "created_at")
    list_filter = ("role", "practice")
    list_select_related = ("user", "practice")
    search_fields = ("user__email", "practice__name")
    raw_id_fields = ("user", "practice")
    readonly_fields = ("created_at",)

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm[Any], change: bool
    ) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            self._record(request, obj, "person.role_changed" if change else "person.added")

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        with transaction.atomic():
            self._record(request, obj, "person.removed")
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        with transaction.atomic():
            for place in queryset:
                self.delete_model(request, place)

    def _record(self, request: HttpRequest, place: Membership, action: str) -> None:
        journal.record(
            practice=place.practice_id,
            action=action,
            actor=operator_of(request),
            facts={"user": str(place.user_id), "role": place.role},
        )


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "practice", "shown", "scopes", "last_used_at", "revoked_at")
    list_filter = ("practice",)
    list_select_related = ("practice",)
    search_fields = ("name", "prefix", "last_four")
    fields = (
        "practice",
        "name",
        "shown",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    actions = ("revoke",)

    @admin.display(description="key")
    def shown(self, key: ApiKey) -> str:
        return str(key)

    @admin.action(description="Revoke the chosen keys", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        ended = sum(api_keys.revoke(key=key, actor=operator_of(request)) for key in queryset)
        self.message_user(request, f"Revoked {ended} of {len(queryset)}.")


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnly):
    list_display = (
        "at",
        "practice",
        "action",
        "actor_kind",
        "subject_type",
        "subject_id",
        "sequence",
    )
    list_filter = ("practice", "actor_kind")
    list_select_related = ("practice",)
    search_fields = ("=action", "=subject_id", "=patient_id")
    ordering: ClassVar = ["-id"]
    exclude = ("hash",)


@admin.register(MonthlyUsage)
class MonthlyUsageAdmin(ReadOnly):
    list_display = ("practice", "month", "calls_used")
    list_filter = ("practice", "month")
    list_select_related = ("practice",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("name", "at")


@admin.register(JobTry)
class JobTryAdmin(ReadOnly):
    list_display = ("key", "tries", "first_at")
    search_fields = ("key",)


@admin.register(Failure)
class FailureAdmin(ReadOnly):
    """Which job gave up and when; what it was given and how it failed stay in the logs."""

    list_display = ("func", "started", "stopped", "attempt_count")
    fields = ("func", "started", "stopped", "attempt_count")
    search_fields = ("func",)
