"""Owns the patient's word "do not contact me": recording it, for one channel or for all, from any
source, and taking it back. It also leaves the keyed hash in the suppression list. What is already
queued is stopped by whoever sends, who reads the opt-out again as the last thing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from patients import suppressions
from patients.models import Patient, Suppression
from patients.models.suppression import SuppressionKind
from patients.suppressions import ALL, CHANNELS, Hash
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock
from sightsync.lib.errors import AppError


class Reason(StrEnum):
    """Why contact is allowed again; staff choose one, nobody types."""

    CONSENT_IN_PERSON = "consent_in_person"
    CONSENT_BY_PHONE = "consent_by_phone"
    CONSENT_IN_WRITING = "consent_in_writing"
    CONSENT_BY_MESSAGE = "consent_by_message"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``changed`` is false for a repeat; ``patients`` are all that the word now holds for."""

    changed: bool
    patients: tuple[UUID, ...]


def record(
    *,
    patient: Patient,
    source: str,
    actor: Actor,
    channel: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Outcome:
    """The patient wants no more contact: by ``channel`` (voice, whatsapp, sms, email), or at all
    (None).

    Holds at once for every patient of the practice who shares the number or, for email and for all
    contact, the address. A repeat changes nothing. ``source`` is a code (phone_call, sms_reply,
    opt_out_page, staff, csv, api); ``facts`` are journal facts: ids and codes.
    """
    _check_channel(channel)
    with transaction.atomic():
        hashes = _hashes_of(patient)
        return _record(patient.practice, hashes, patient, channel, source, actor, facts)


def record_number(
    *,
    practice: Practice,
    phone: str,
    source: str,
    actor: Actor,
    channel: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Outcome:
    """As ``record``, for a number (E.164) that perhaps no patient has: a STOP from an unknown
    sender.
    """
    _check_channel(channel)
    with transaction.atomic():
        hashes = suppressions.of(phone=phone)
        return _record(practice, hashes, None, channel, source, actor, facts)


def record_erasure(*, patient: Patient, actor: Actor) -> Outcome:
    """The patient is to be forgotten: their number and address are suppressed for all contact, so
    that no later import or sync brings them back.

    A number or address by which another patient of the practice is reached is suppressed together
    with the erased person's name only: the family is reached as before.
    """
    with transaction.atomic():
        others = Patient.objects.filter(
            practice=patient.practice_id, erased_at=None, deceased_at=None
        ).exclude(pk=patient.pk)
        hashes = [
            own if others.filter(**{_column(shared): shared.digest}).exists() else shared
            for shared, own in zip(_hashes_of(patient), _named_hashes_of(patient), strict=True)
        ]
        return _record(patient.practice, hashes, patient, None, "erasure", actor, None)


def withdraw(
    *,
    patient: Patient,
    reason: Reason,
    source: str,
    actor: Actor,
    channel: str | None = None,
) -> Outcome:
    """Contact is allowed again, by one channel or altogether (None lifts everything), with a
    reason.

    It lifts the suppression of the patient's number and address, so it holds for those who share
    them.
    """
    _check_channel(channel)
    with transaction.atomic():
        hashes = _hashes_of(patient) + _named_hashes_of(patient)
        return _withdraw(patient.practice, hashes, patient, channel, reason, source, actor)


def withdraw_number(
    *,
    practice: Practice,
    phone: str,
    reason: Reason,
    source: str,
    actor: Actor,
    channel: str | None = None,
) -> Outcome:
    """As ``withdraw``, by number: the owner of the number wrote START."""
    _check_channel(channel)
    with transaction.atomic():
        hashes = suppressions.of(phone=phone)
        return _withdraw(practice, hashes, None, channel, reason, source, actor)


def is_opted_out(patient: Patient, channel: str) -> bool:
    """Whether the loaded record says no to the channel; the record carries what its number
    carries.
    """
    return patient.opted_out_at is not None or channel in patient.opted_out_channels


# --- inside
# ----------------------------------------------------------------------------------------


def _check_channel(channel: str | None) -> None:
    if channel is not None and channel not in CHANNELS:
        raise AppError("invalid_channel", f"The channel is one of: {', '.join(CHANNELS)}.", 400)


def _hashes_of(patient: Patient) -> list[Hash]:
    """Of the number and address on record now; the row is locked later, with those who share
    them.
    """
    number, address = Patient.objects.values_list("phone_number", "email").get(pk=patient.pk)
    return suppressions.of(phone=number, email=address)


def _named_hashes_of(patient: Patient) -> list[Hash]:
    """As `_hashes_of`, in the same order, of the person alone."""
    first, last, number, address = Patient.objects.values_list(
        "first_name", "last_name", "phone_number", "email"
    ).get(pk=patient.pk)
    return suppressions.named(first_name=first, last_name=last, phone=number, email=address)


def _reached(hashes: Iterable[Hash], channel: str | None) -> list[Hash]:
    """The hashes that a word about a channel is about."""
    if channel is None:
        return list(hashes)
    kind = SuppressionKind.EMAIL if channel == "email" else SuppressionKind.PHONE
    return [item for item in hashes if item.kind == kind]


def _column(item: Hash) -> str:
    """Where a patient's record has such a hash."""
    return "phone_hash" if item.kind == SuppressionKind.PHONE else "email_hash"


def _sharing(practice: Practice, hashes: Sequence[Hash], patient: Patient | None) -> list[Patient]:
    """The patients whom the word concerns, locked in the order of their ids so that two cannot
    deadlock.
    """
    who = Q(pk=patient.pk) if patient is not None else Q(pk__in=[])
    for item in hashes:
        who |= Q(**{_column(item): item.digest})
    return list(Patient.objects.select_for_update().filter(who, practice=practice).order_by("id"))


def _record(
    practice: Practice,
    hashes: Sequence[Hash],
    patient: Patient | None,
    channel: str | None,
    source: str,
    actor: Actor,
    facts: dict[str, Any] | None,
) -> Outcome:
    now = clock.now()
    hashes = _reached(hashes, channel)
    added = [_suppress(practice, item, channel or ALL, source, now) for item in hashes]
    people = _sharing(practice, hashes, patient)
    told = [person for person in people if _opt_out(person, channel, source, now)]
    for person in told:
        _journal(practice, "optout.recorded", person, channel, source, actor, facts)
    if any(added) and not people:
        _journal(practice, "optout.recorded", None, channel, source, actor, facts)
    return Outcome(bool(told) or any(added), tuple(person.pk for person in people))


def _suppress(practice: Practice, item: Hash, channel: str, source: str, now: datetime) -> bool:
    row, created = Suppression.objects.get_or_create(
        practice=practice,
        kind=item.kind,
        hash=item.digest,
        channel=channel,
        defaults={"source": source, "created_at": now},
    )
    if created:
        return True
    return bool(
        Suppression.objects.filter(pk=row.pk, lifted_at__isnull=False).update(
            lifted_at=None, source=source, created_at=now
        )
    )


def _opt_out(person: Patient, channel: str | None, source: str, now: datetime) -> bool:
    if channel is None:
        if person.opted_out_at is not None:
            return False
        person.opted_out_at, person.opted_out_source = now, source
        fields = ["opted_out_at", "opted_out_source"]
    else:
        if channel in person.opted_out_channels:
            return False
        person.opted_out_channels = sorted({*person.opted_out_channels, channel})
        fields = ["opted_out_channels"]
    person.updated_at = now
    person.save(update_fields=[*fields, "updated_at"])
    return True


def _withdraw(
    practice: Practice,
    hashes: Sequence[Hash],
    patient: Patient | None,
    channel: str | None,
    reason: Reason,
    source: str,
    actor: Actor,
) -> Outcome:
    now = clock.now()
    hashes = _reached(hashes, channel)
    lifted = 0
    for item in hashes:
        rows = Suppression.objects.filter(
            practice=practice, kind=item.kind, hash=item.digest, lifted_at=None
        )
        lifted += (rows if channel is None else rows.filter(channel=channel)).update(lifted_at=now)
    people = _sharing(practice, hashes, patient)
    told = [person for person in people if _opt_in(person, channel, now)]
    for person in told:
        _journal(
            practice, "optout.withdrawn", person, channel, source, actor, {"reason": str(reason)}
        )
    if lifted and not people:
        _journal(
            practice, "optout.withdrawn", None, channel, source, actor, {"reason": str(reason)}
        )
    return Outcome(bool(told) or bool(lifted), tuple(person.pk for person in people))


def _opt_in(person: Patient, channel: str | None, now: datetime) -> bool:
    if channel is None:
        if person.opted_out_at is None and not person.opted_out_channels:
            return False
        person.opted_out_at, person.opted_out_source, person.opted_out_channels = None, "", []
        fields = ["opted_out_at", "opted_out_source", "opted_out_channels"]
    else:
        if channel not in person.opted_out_channels:
            return False
        person.opted_out_channels = [c for c in person.opted_out_channels if c != channel]
        fields = ["opted_out_channels"]
    person.updated_at = now
    person.save(update_fields=[*fields, "updated_at"])
    return True


def _journal(
    practice: Practice,
    action: str,
    person: Patient | None,
    channel: str | None,
    source: str,
    actor: Actor,
    facts: dict[str, Any] | None,
) -> None:
    journal.record(
        practice=practice,
        action=action,
        actor=actor,
        patient=person.pk if person else None,
        facts={**(facts or {}), "channel": channel or ALL, "source": source},
    )
