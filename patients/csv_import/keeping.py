"""Owns how long what an import leaves behind is kept."""

from datetime import timedelta

from django.db import transaction

from patients.csv_import import files
from patients.csv_import.undo import DAYS
from patients.models import ImportChange, ImportChunk, ImportReject, ImportRun, ImportState
from sightsync.lib import clock

DRAFT_DAYS = 7


def forget_old() -> int:
    """Delete rejected rows and images past their time, and drafts nobody went on with; how many
    imports were concerned.
    """
    now = clock.now()
    old = ImportRun.objects.filter(finished_at__lt=now - timedelta(days=DAYS)).exclude(
        state=ImportState.UNDOING
    )
    for table in (ImportReject, ImportChange, ImportChunk):
        table._default_manager.filter(run__in=old).delete()
    drafts = ImportRun.objects.filter(
        state=ImportState.DRAFT, created_at__lt=now - timedelta(days=DRAFT_DAYS)
    )
    for key in list(drafts.values_list("pk", flat=True)):
        with transaction.atomic():
            run = ImportRun.objects.select_for_update().get(pk=key)
            if run.state == ImportState.DRAFT:
                run.state, run.fixes, run.forecast = ImportState.DISCARDED, {}, {}
                run.save(update_fields=["state", "fixes", "forecast"])
                ImportReject.objects.filter(run=run).delete()
                files.forget(run)
    return old.count()
