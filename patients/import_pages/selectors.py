"""The imports of a practice, newest first."""

from django.db.models import F, QuerySet

from patients.models import ImportRun, ImportState
from practices.models import Practice


def imports(practice: Practice) -> QuerySet[ImportRun]:
    """All but the discarded: a discarded file left nothing behind."""
    rows = ImportRun.objects.filter(practice=practice).exclude(state=ImportState.DISCARDED)
    return rows.select_related("practice", "asked_by", "undone_by").order_by(
        F("created_at").desc(nulls_last=True), F("started_at").desc(nulls_last=True), "-id"
    )
