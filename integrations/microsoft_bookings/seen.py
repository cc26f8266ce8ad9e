"""What changed in Bookings since an earlier reading: Graph cannot say it, so we compare.

Each reading notes when it first found an appointment new, changed or gone. What is answered is
everything noted since the caller's own `since`: a caller that broke off before it had used an
answer gets the same again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from integrations.microsoft_bookings import payloads
from integrations.models import Connection, SeenAppointment
from integrations.pms.connector import RemoteAppointment, RemoteStatus

KEPT = timedelta(days=30)
"""How long what is over or gone is remembered."""

Ask = Callable[[str], RemoteAppointment | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that stood between two instants, as of when the reading began."""

    at: datetime
    start: datetime
    end: datetime
    found: Sequence[RemoteAppointment]


def compare(
    *, connection: Connection, reading: Reading, since: datetime | None, ask: Ask
) -> list[RemoteAppointment]:
    """What changed since then, cancelled ones among it; all that stands without `since`.

    One that is missing is asked for by its id before it counts as gone: it may have been moved out
    of what was read. `ask` is network, so it is done before anything is locked.
    """
    now_there = {each.external_id: each for each in reading.found}
    missing = {
        row.external_id: ask(row.external_id)
        for row in _expected(connection, reading, since)
        if row.external_id not in now_there
    }
    now_there |= {key: each for key, each in missing.items() if each is not None}
    gone = [key for key, each in missing.items() if each is None]
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        _note_there(connection, reading.at, now_there)
        _note_gone(connection, reading.at, gone)
        rows = SeenAppointment.objects.filter(connection=connection)
        rows.filter(ends_at__lt=reading.at - KEPT).delete()
        rows.filter(gone_at__lt=reading.at - KEPT).delete()
        if since is None:
            return list(now_there.values())
        changed = rows.filter(gone_at=None, changed_at__gt=since)
        keys = set(changed.values_list("external_id", flat=True))
        return [each for key, each in now_there.items() if key in keys] + [
            _cancelled(row) for row in rows.filter(gone_at__gt=since)
        ]


def forget(connection: Connection) -> None:
    """Another calendar is read from now on: what stood in the old one is not missing from it."""
    SeenAppointment.objects.filter(connection=connection).delete()


def _expected(
    connection: Connection, reading: Reading, since: datetime | None
) -> list[SeenAppointment]:
    """What should still stand in the stretch that was read, by an earlier reading; and what changed
    since then outside of it, which has to be told again.
    """
    read = Q(starts_at__lt=reading.end)
    if since is not None:
        read |= Q(changed_at__gt=since)
    rows = SeenAppointment.objects.filter(
        read,
        connection=connection,
        gone_at=None,
        ends_at__gt=reading.start,
        seen_at__lt=reading.at,
    )
    return list(rows)


def _note_there(connection: Connection, at: datetime, there: dict[str, RemoteAppointment]) -> None:
    """New ones and changed ones are written whole; the unchanged only that they were seen."""
    rows = SeenAppointment.objects.filter(connection=connection, external_id__in=there)
    known = {row.external_id: row for row in rows}
    same, different = [], []
    for key, each in there.items():
        row = known.get(key)
        if row is not None and row.seen_at >= at:
            continue
        digest = payloads.digest(each)
        if row is not None and bytes(row.digest) == digest and row.gone_at is None:
            same.append(row.pk)
            continue
        different.append(_row(connection, at, each, digest))
    SeenAppointment.objects.filter(pk__in=same).update(seen_at=at)
    SeenAppointment.objects.bulk_create(
        different,
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=[
            "diary_id",
            "reference",
            "digest",
            "starts_at",
            "ends_at",
            "seen_at",
            "changed_at",
            "gone_at",
        ],
    )


def _row(
    connection: Connection, at: datetime, each: RemoteAppointment, digest: bytes
) -> SeenAppointment:
    return SeenAppointment(
        practice_id=connection.practice_id,
        connection=connection,
        external_id=each.external_id,
        diary_id=each.diary_id,
        reference=each.reference,
        digest=digest,
        starts_at=each.starts_at,
        ends_at=each.ends_at,
        seen_at=at,
        changed_at=at,
        gone_at=None,
    )


def _note_gone(connection: Connection, at: datetime, gone: list[str]) -> None:
    """Unless a later reading has seen it since."""
    SeenAppointment.objects.filter(
        connection=connection, external_id__in=gone, gone_at=None, seen_at__lt=at
    ).update(gone_at=at)


def _cancelled(row: SeenAppointment) -> RemoteAppointment:
    return RemoteAppointment(
        external_id=row.external_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        status=RemoteStatus.CANCELLED,
        diary_id=row.diary_id,
        reference=row.reference,
    )
