"""Idempotency keys: a POST sent again within 24 hours gets the same answer and does nothing.

Kept per API key, path and idempotency key. Only answers are kept after which sending the same again
would be wrong: not those of a request that changed nothing and may succeed later.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpResponse
from rest_framework.request import Request

from practices.models import ApiKey, StoredAnswer
from sightsync.lib import clock, crypto, ids
from sightsync.lib.api.render import JSON
from sightsync.lib.errors import AppError

KEPT_FOR = timedelta(hours=24)
LEASE = timedelta(minutes=2)
"""After so long a request that has not answered is taken for dead, and the next one runs."""
MAX_KEY_LENGTH = 255
REPLAYED = "Idempotent-Replayed"
_PASSING = frozenset({400, 401, 402, 403, 413, 415, 425, 429})
"""Refusals after which the same request may be sent again and succeed: nothing was done."""
_KEPT_HEADERS = ("Location", "Retry-After")
_PATIENT = re.compile(rb'"(pat_[0-9A-HJKMNP-TV-Z]{26})"')

_CLAIM = """
INSERT INTO practices_storedanswer AS a
    (api_key_id, request_hash, body_hash, created_at, locked_until, headers, answer, patients)
VALUES (%(api_key)s, %(request)s, %(body)s, %(now)s, %(until)s, '{}', '', '{}')
ON CONFLICT (api_key_id, request_hash) DO UPDATE
    SET body_hash = excluded.body_hash, created_at = excluded.created_at,
        locked_until = excluded.locked_until, status = NULL, headers = '{}', answer = '',
        patients = '{}'
    WHERE a.created_at <= %(expired)s
       OR (a.status IS NULL AND a.locked_until <= %(now)s AND a.body_hash = excluded.body_hash)
RETURNING a.id"""


def once(*, request: Request, api_key: ApiKey, work: Callable[[], HttpResponse]) -> HttpResponse:
    """`work()`'s answer, or the one it gave before. Raises AppError 400, 409 or 422."""
    given = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if request.method != "POST" or given is None:
        return work()
    if not given.strip() or len(given) > MAX_KEY_LENGTH:
        raise AppError(
            "bad_idempotency_key",
            f"Idempotency-Key must have from 1 to {MAX_KEY_LENGTH} characters.",
        )
    now = clock.real_now()
    until = now + LEASE
    named = {
        "api_key": api_key.pk,
        "request": crypto.keyed_hash("idempotency", f"{request.path}\n{given}"),
    }
    body = crypto.keyed_hash("idempotency", request.body.decode(errors="replace"))
    query = {**named, "body": body, "now": now, "until": until, "expired": now - KEPT_FOR}
    row = _claim(query)
    if row is None:
        return _earlier(StoredAnswer.objects.filter(**_names(named)).first(), body)
    mine = StoredAnswer.objects.filter(pk=row, locked_until=until, status=None)
    response = work()
    if response.status_code >= 500 or response.status_code in _PASSING:
        mine.delete()
    else:
        mine.update(
            status=response.status_code,
            headers={name: response[name] for name in _KEPT_HEADERS if name in response},
            answer=response.content.decode(),  # the field encrypts
            patients=_patients(response.content),
        )
    return response


def _names(named: dict[str, Any]) -> dict[str, Any]:
    return {"api_key": named["api_key"], "request_hash": named["request"]}


def _claim(query: dict[str, Any]) -> int | None:
    """The row's id when this request may run; None when another has run or runs."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, query)
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _earlier(row: StoredAnswer | None, body: bytes) -> HttpResponse:
    if row is not None and bytes(row.body_hash) != body:
        raise AppError(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request: use a new one.",
            422,
        )
    if row is None or row.status is None:
        raise AppError(
            "request_in_progress",
            "The first request with this Idempotency-Key is still running.",
            409,
            headers={"Retry-After": "1"},
        )
    response = HttpResponse(row.answer.encode(), content_type=JSON, status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _patients(content: bytes) -> list[UUID]:
    return [ids.decode("pat", found.decode()) for found in set(_PATIENT.findall(content))]


def forget_patient(patient_id: UUID) -> int:
    """Drop every stored answer that a patient is named in, for their erasure; how many."""
    dropped, _ = StoredAnswer.objects.filter(patients__contains=[patient_id]).delete()
    return dropped


def forget_old() -> int:
    """Drop what is past its 24 hours; how many."""
    dropped, _ = StoredAnswer.objects.filter(created_at__lte=clock.real_now() - KEPT_FOR).delete()
    return dropped
