"""Every change of a practice's connections. A credential goes in here and comes out of here only.

No network: whoever connects tests the credential first, with no transaction open.
"""

import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from integrations.models import PMS_KINDS, Connection, ConnectionState
from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock
from sightsync.lib.errors import AppError

USED_EVERY = timedelta(minutes=5)
"""How often `last_used_at` is written at most."""


def of(practice: Practice, kind: str) -> Connection | None:
    """The practice's connection of that kind, unless it is disconnected."""
    return live(practice).filter(kind=kind).first()


def live(practice: Practice) -> QuerySet[Connection]:
    """The practice's connections that are not disconnected, those that need attention included."""
    return Connection.objects.filter(practice=practice).exclude(state=ConnectionState.DISCONNECTED)


def credential(connection: Connection) -> dict[str, Any]:
    """The provider's own keys; empty when it is disconnected."""
    found: dict[str, Any] = json.loads(connection.credential or "{}")
    return found


def as_text(credential: dict[str, Any]) -> str:
    """A credential as its field keeps it, for a connection that is tried before it is saved."""
    return json.dumps(credential)


def connect(
    *,
    practice: Practice,
    kind: str,
    credential: dict[str, Any],
    shown: str,
    settings: dict[str, Any],
    user: User | None,
    actor: Actor,
) -> Connection:
    """Connect, or replace what is connected. Of `shown` (the key, the account) the last four
    characters are kept for people. Raises AppError 409 while another PMS is connected.
    """
    now = clock.now()
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice.pk)
        if kind in PMS_KINDS:
            _only_pms(practice, kind)
        values: dict[str, Any] = {
            "state": ConnectionState.CONNECTED,
            "credential": json.dumps(credential),
            "last_four": shown[-4:],
            "settings": settings,
            "connected_by": user,
            "connected_at": now,
            "disconnected_at": None,
            "error_code": "",
            "failing_since": None,
            "owners_told_at": None,
            "catch_up_at": clock.real_now(),
        }
        row, made = Connection.objects.update_or_create(
            practice=practice, kind=kind, defaults=values
        )
        journal.record(
            practice=practice,
            action="connection.connected",
            actor=actor,
            subject=row,
            facts={"kind": kind, "replaced": not made},
        )
    return row


def _only_pms(practice: Practice, kind: str) -> None:
    other = live(practice).filter(kind__in=PMS_KINDS).exclude(kind=kind).first()
    if other is not None:
        name = other.get_kind_display()
        raise AppError(
            "another_pms", f"{name} is connected. Disconnect {name} first: patient ids differ.", 409
        )


def configure(*, connection: Connection, settings: dict[str, Any], actor: Actor) -> bool:
    """Change what the practice chose: only the keys given; whether anything changed."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        changed = sorted(key for key, value in settings.items() if row.settings.get(key) != value)
        if not changed:
            return False
        row.settings, row.catch_up_at = {**row.settings, **settings}, clock.real_now()
        row.save(update_fields=["settings", "catch_up_at"])
        connection.settings = row.settings
        journal.record(
            practice=row.practice,
            action="connection.changed",
            actor=actor,
            subject=row,
            facts={"kind": row.kind, "changed": changed},
        )
    return True


def renew(
    *,
    connection: Connection,
    credential: dict[str, Any],
    instead_of: dict[str, Any] | None = None,
) -> None:
    """Keep a credential that the provider has given in place of the old one (a token).

    With `instead_of`, only while that is what is kept: not over what somebody has connected anew.
    """
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.state == ConnectionState.DISCONNECTED:
            return
        if instead_of is not None and json.loads(row.credential or "{}") != instead_of:
            return
        row.credential = json.dumps(credential)
        row.save(update_fields=["credential"])


def mended(*, connection: Connection, actor: Actor) -> bool:
    """Somebody has put right what it failed for, without connecting it again."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.state == ConnectionState.DISCONNECTED or not row.error_code:
            return False
        row.state, row.error_code, row.failing_since, row.owners_told_at = (
            ConnectionState.CONNECTED,
            "",
            None,
            None,
        )
        row.catch_up_at = clock.real_now()
        row.save(
            update_fields=["state", "error_code", "failing_since", "owners_told_at", "catch_up_at"]
        )
        journal.record(
            practice=row.practice,
            action="connection.mended",
            actor=actor,
            subject=row,
            facts={"kind": row.kind},
        )
    return True


def disconnect(*, connection: Connection, actor: Actor) -> bool:
    """Forget the credential; what stands in the other system stays there. Twice changes nothing."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.state == ConnectionState.DISCONNECTED:
            return False
        row.state, row.credential, row.disconnected_at = (
            ConnectionState.DISCONNECTED,
            "",
            clock.now(),
        )
        row.error_code, row.failing_since = "", None
        row.save(
            update_fields=["state", "credential", "disconnected_at", "error_code", "failing_since"]
        )
        journal.record(
            practice=row.practice,
            action="connection.disconnected",
            actor=actor,
            subject=row,
            facts={"kind": row.kind},
        )
    return True


def worked(connection: Connection) -> None:
    """The provider answered as it should: note the use, and forget an earlier failure."""
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    Connection.objects.filter(
        stale | ~Q(error_code=""), pk=connection.pk, state=ConnectionState.CONNECTED
    ).update(last_used_at=now, error_code="", failing_since=None, owners_told_at=None)


def failed(*, connection: Connection, code: str, actor: Actor, refused: bool = False) -> None:
    """The provider did not answer as it should; `refused` when it will not until somebody connects
    it again. Journalled when it begins, not every time.
    """
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.state == ConnectionState.DISCONNECTED:
            return
        began = row.failing_since is None or (refused and row.state == ConnectionState.CONNECTED)
        row.failing_since = row.failing_since or clock.now()
        row.error_code = code[:32]
        if refused:
            row.state = ConnectionState.NEEDS_ATTENTION
        row.save(update_fields=["failing_since", "error_code", "state"])
        if began:
            journal.record(
                practice=row.practice,
                action="connection.failed",
                actor=actor,
                subject=row,
                facts={"kind": row.kind, "code": row.error_code, "refused": refused},
            )


def pms_of(practice: Practice) -> Connection | None:
    """The connected practice management system."""
    return live(practice).filter(kind__in=PMS_KINDS).first()
