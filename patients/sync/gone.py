"""Putting away the patients who are gone from the system: after a reading of everything, in
batches that each commit whole. Their records stay; they are contacted no more.
"""

from collections.abc import Sequence

from django.db.models import CharField, F, Func, QuerySet

from patients import records
from patients.models import PmsRecord, SyncRun, SyncSeen
from practices.journal import Actor
from sightsync.lib import clock

BATCH = 200
MOST_PERCENT = 20
"""More than this at once is no turnover but a list that is not whole."""
MET_IN = ("patients", "again")
"""The steps of a reading in which patients are met."""


def missing(run: SyncRun) -> "QuerySet[PmsRecord]":
    """Records of patients whom the reading did not meet."""
    pages = SyncSeen.objects.filter(run=run.pk, step__in=MET_IN)
    met = pages.values_list(Func(F("ids"), function="unnest", output_field=CharField()))
    return _kept(run).exclude(external_id__in=met)


def met(run: SyncRun, keys: Sequence[str]) -> set[str]:
    """Which of these the reading has met already, and more."""
    pages = SyncSeen.objects.filter(run=run.pk, step__in=MET_IN, ids__overlap=list(keys))
    return {one for ids in pages.values_list("ids", flat=True) for one in ids}


def are_too_many(run: SyncRun) -> bool:
    """Whether so many are missing that the list cannot be whole. One alone never is."""
    if run.gone_accepted:
        return False
    gone = missing(run).count()
    return gone > 1 and gone * 100 > _kept(run).count() * MOST_PERCENT


def put_away(run: SyncRun, actor: Actor) -> int:
    """The next batch, in the caller's transaction; how many were met, 0 when none is left."""
    rows = list(missing(run).select_related("patient").order_by("pk")[:BATCH])
    now = clock.now()
    for patient in (row.patient for row in rows if row.patient is not None):
        if patient.archived_at is None and patient.erased_at is None:
            records.archive(patient=patient, actor=actor)
            run.archived += 1
    PmsRecord.objects.filter(pk__in=[row.pk for row in rows]).update(gone_at=now)
    return len(rows)


def _kept(run: SyncRun) -> "QuerySet[PmsRecord]":
    return PmsRecord.objects.filter(
        connection=run.connection_id, gone_at=None, patient__isnull=False
    )
