"""Changes of webhook endpoints, each in one transaction with its journal entry.

The API and the dashboard call the same functions. A secret leaves only from the function that made
it.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from integrations.models import DisabledReason, WebhookEndpoint
from integrations.webhooks import addresses, events, fan_out, signing
from practices import journal
from practices.journal import Actor
from practices.models import Mode, Practice
from sightsync.lib import clock, ids, jobs
from sightsync.lib.errors import AppError

MAX_ENDPOINTS = 50
OVERLAP = timedelta(hours=24)
"""How long the secret before signs beside the new one."""
LOOK_UP_S = 2.0
"""What a name server may take while somebody waits for the form; each delivery asks again."""


def may_loop_back(practice: Practice) -> bool:
    """Whether a receiver on this machine may be named: in the sandbox. Never in a live
    installation, where a sandbox practice would reach what only the server may.
    """
    return practice.mode == Mode.SANDBOX and not settings.LIVE


def check_url(url: str, *, practice: Practice) -> None:
    """Raises AppError for an address that we send nothing to. A name that cannot be found now is
    let through: the endpoint may be set up later, and every connection asks again.
    """
    loopback = may_loop_back(practice)
    try:
        target = addresses.read(url, loopback=loopback)
        pool = ThreadPoolExecutor(max_workers=1)
        try:
            pool.submit(addresses.allowed, target, loopback=loopback).result(LOOK_UP_S)
        finally:
            pool.shutdown(wait=False)
    except addresses.Refused as error:
        raise AppError(error.code, error.message, 400, errors={"url": [error.message]}) from error
    except (addresses.NotFound, TooSlow):
        return


def create(
    *,
    practice: Practice,
    url: str,
    wanted: Iterable[str],
    actor: Actor,
    full_objects: bool = False,
    endpoint_id: UUID | None = None,
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is never to be had again. Raises AppError: 409 when
    there is one with the `endpoint_id` that the caller has given, as when a form is sent twice.

    It hears of what is sealed from now on.
    """
    names = events.check(wanted)
    check_url(url, practice=practice)
    secret = signing.new_secret()
    with transaction.atomic():
        Practice.objects.select_for_update(no_key=True).get(pk=practice.pk)
        if WebhookEndpoint.objects.filter(practice=practice).count() >= MAX_ENDPOINTS:
            raise AppError(
                "too_many_webhooks",
                f"There are {MAX_ENDPOINTS} webhooks, which is the most: remove one first.",
                409,
            )
        endpoint = WebhookEndpoint(
            id=endpoint_id or ids.new(),
            practice=practice,
            url=url,
            events=names,
            secret=secret,
            full_objects=full_objects,
            next_sequence=fan_out.head(practice.pk),
            created_at=clock.now(),
        )
        try:
            with transaction.atomic():
                endpoint.save(force_insert=True)
        except IntegrityError:
            raise AppError("made_already", "This form has made a webhook already.", 409) from None
        facts = {"events": names, "full_objects": full_objects}
        _journal(endpoint, "webhook.created", actor, facts)
    return endpoint, secret


def update(
    *,
    endpoint: WebhookEndpoint,
    actor: Actor,
    url: str | None = None,
    wanted: Iterable[str] | None = None,
    full_objects: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given. Raises AppError."""
    changes: dict[str, Any] = {}
    if wanted is not None:
        changes["events"] = events.check(wanted)
    if full_objects is not None:
        changes["full_objects"] = full_objects
    if url is not None:
        check_url(url, practice=endpoint.practice)
        changes["url"] = url
    with transaction.atomic():
        row = _locked(endpoint)
        changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
        if changed:
            _set(row, changed)
            _journal(row, "webhook.updated", actor, {"fields": sorted(changed)})
    return row


def enable(*, endpoint: WebhookEndpoint, actor: Actor) -> WebhookEndpoint:
    """Turn it on again: what waited to be tried goes on, and it hears of what is sealed from now
    on. What happened in between is to be had from the list of events.
    """
    with transaction.atomic():
        row = _locked(endpoint)
        if row.is_active:
            return row
        head = fan_out.head(row.practice_id)
        facts = {"missed_from": row.next_sequence, "missed_until": head - 1}
        _set(
            row,
            {
                "is_active": True,
                "disabled_at": None,
                "disabled_reason": "",
                "owners_told_at": None,
                "failing_since": None,
                "consecutive_failures": 0,
                "next_sequence": head,
            },
        )
        _journal(row, "webhook.enabled", actor, facts)
    return row


def disable(*, endpoint: WebhookEndpoint, reason: DisabledReason, actor: Actor) -> WebhookEndpoint:
    """Send it nothing any more. Nobody's own act: the owners are told by email, once."""
    with transaction.atomic():
        row = _locked(endpoint)
        if not row.is_active:
            return row
        now = clock.now()
        _set(row, {"is_active": False, "disabled_at": now, "disabled_reason": reason})
        _journal(row, "webhook.disabled", actor, {"reason": str(reason)})
        if reason != DisabledReason.BY_HAND:
            jobs.enqueue("integrations.tasks.tell_of_disabled_webhook", str(row.pk))
    return row


def rotation(endpoint: WebhookEndpoint) -> str:
    """A mark of the secret in force that says nothing about it: another after each rotation."""
    until = endpoint.previous_expires_at
    return until.isoformat() if until else "first"


def rotate_secret(
    *, endpoint: WebhookEndpoint, actor: Actor, seen: str | None = None
) -> tuple[WebhookEndpoint, str]:
    """A new secret. For 24 hours the one before signs as well; the one before that no longer.

    `seen` is the `rotation` at which the caller asked: when it is another by now, AppError 409.
    """
    secret = signing.new_secret()
    with transaction.atomic():
        row = _locked(endpoint)
        if seen is not None and seen != rotation(row):
            raise AppError("changed_already", "The secret has been changed meanwhile.", 409)
        before, until = row.secret, clock.now() + OVERLAP
        _set(
            row,
            {"secret": secret, "previous_secret": before, "previous_expires_at": until},
        )
        _journal(row, "webhook.secret_rotated", actor, {})
    return row, secret


def secrets_in_force(endpoint: WebhookEndpoint) -> list[str]:
    """The newest first."""
    until = endpoint.previous_expires_at
    overlaps = endpoint.previous_secret and until is not None and clock.now() < until
    return [endpoint.secret, endpoint.previous_secret] if overlaps else [endpoint.secret]


def delete(*, endpoint: WebhookEndpoint, actor: Actor) -> None:
    """Remove it with its log. A delivery that is on its way still arrives."""
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
        if row is None:
            return
        _journal(row, "webhook.deleted", actor, {})
        row.delete()


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("practice").filter(pk=endpoint.pk).first()
    if row is None:
        raise AppError("not_found", "The webhook was removed.", 404)
    return row


def _set(row: WebhookEndpoint, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))


def _journal(row: WebhookEndpoint, action: str, actor: Actor, facts: dict[str, Any]) -> None:
    journal.record(practice=row.practice_id, action=action, actor=actor, subject=row, facts=facts)
