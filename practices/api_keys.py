"""API keys: made, found and revoked. The plain key exists only in the answer to `create`.

Rate limits and which scope a route needs are the API's business, not this module's.
"""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from practices import journal
from practices.journal import Actor
from practices.models import ApiKey, Mode, Practice
from sightsync.lib import clock, crypto, ids
from sightsync.lib.errors import AppError

SCOPES = ("read", "write", "recall", "admin")
PREFIXES: dict[str, str] = {Mode.SANDBOX: "nvc_test_", Mode.LIVE: "nvc_live_"}

_BASE62 = string.digits + string.ascii_letters
_RANDOM_CHARACTERS = 40  # 238 bits: the plain SHA-256 needs no salt.
_SHOWN_OF_PREFIX = len("nvc_test_") + 4
_LAST_USED_STEP = timedelta(minutes=1)


def create(
    *,
    practice: Practice,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    expires_at: datetime | None = None,
    key_id: UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its plain text, which is never to be had again. Raises AppError: 409 when there
    is a key with the `key_id` that the caller has given, as when a form is sent twice.
    """
    wanted = set(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise AppError("bad_scopes", f"Choose at least one scope out of {', '.join(SCOPES)}.")
    if not name.strip() or len(name) > 80:
        raise AppError("bad_name", "Give the key a name of up to 80 characters.")
    if expires_at is not None and expires_at <= clock.now():
        raise AppError("bad_expiry", "The key's last day is in the past: choose a later one.")
    plain = PREFIXES[practice.mode] + "".join(
        secrets.choice(_BASE62) for _ in range(_RANDOM_CHARACTERS)
    )
    key = ApiKey(
        id=key_id or ids.new(),
        practice=practice,
        name=name.strip(),
        prefix=plain[:_SHOWN_OF_PREFIX],
        last_four=plain[-4:],
        key_hash=crypto.token_hash(plain),
        scopes=[scope for scope in SCOPES if scope in wanted],
        expires_at=expires_at,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
            journal.record(
                practice=practice,
                action="api_key.created",
                actor=actor,
                subject=key,
                facts={"scopes": key.scopes},
            )
    except IntegrityError:
        raise AppError("made_already", "This form has made a key already.", 409) from None
    return key, plain


def find(plain: str) -> ApiKey | None:
    """The live key with that plain text; None when unknown, revoked or past its last day.

    The look-up is by hash, so its time says nothing about how much of a guess was right.
    """
    now = clock.now()
    return (
        ApiKey.objects.select_related("practice")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(key_hash=crypto.token_hash(plain), revoked_at=None)
        .first()
    )


def note_use(key: ApiKey) -> None:
    """Remember that the key was used; at most one write a minute however busy it is."""
    now = clock.now()
    ApiKey.objects.filter(pk=key.pk).filter(
        Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_STEP) | Q(last_used_at__gt=now)
    ).update(last_used_at=now)


def revoke(*, key: ApiKey, actor: Actor) -> bool:
    """End the key at once. False when it had ended already."""
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now()):
            return False
        journal.record(practice=key.practice_id, action="api_key.revoked", actor=actor, subject=key)
    key.refresh_from_db(fields=["revoked_at"])
    return True


def listed(practice: Practice) -> list[ApiKey]:
    """The practice's keys, newest first, ended ones last."""
    return list(practice.api_keys.order_by(F("revoked_at").asc(nulls_first=True), "-created_at"))
