"""Messages that staff send to themselves, to see what patients get: the row first, claimed by one
UPDATE, sent once through the same carriers, and what came of it written down.

A trial is about no patient, takes nothing from the month's calls and is never sent again.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from integrations.twilio.payloads import MessageEvent
from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from recall import states
from recall.attempts import carriers
from recall.attempts.carriers import Content
from recall.messages import recall_letters
from recall.models import AttemptState, Channel, TestMessage
from sightsync.lib import clock, jobs
from sightsync.lib.errors import AppError, ProviderError

MOST_AN_HOUR = 10
LOST_AFTER = timedelta(minutes=2)
"""How long a trial may be under way before its fate counts as not known."""


def ask(
    *, practice: Practice, channel: Channel, destination: str, user: User, actor: Actor
) -> TestMessage:
    """Plan one to a number (E.164) or an address. Raises AppError 429 after ten in an hour, 422
    while there is nothing to send it with.
    """
    if channel == Channel.WHATSAPP and not recall_letters.template_of(practice):
        raise AppError("no_whatsapp_template", "Enter the id of the approved template first.", 422)
    if channel != Channel.EMAIL and not (practice.whatsapp_number or practice.caller_number):
        raise AppError("no_from_number", "The practice has no number to send from yet.", 422)
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice.pk)
        lately = TestMessage.objects.filter(
            practice=practice, created_at__gt=clock.now() - timedelta(hours=1)
        )
        if lately.count() >= MOST_AN_HOUR:
            raise AppError(
                "too_many_tests", "Ten tests were sent in the last hour. Try again later.", 429
            )
        row = TestMessage.objects.create(
            practice=practice,
            asked_by=user,
            channel=channel,
            destination=destination,
            created_at=clock.now(),
        )
        facts = {"channel": str(channel)}
        journal.record(
            practice=practice, action="test_message.asked", actor=actor, subject=row, facts=facts
        )
        jobs.enqueue("recall.tasks.send_trial", str(row.pk))
    return row


def send(key: UUID) -> bool:
    """Send a planned one; whether this caller was the one to do so."""
    now = clock.now()
    taken = TestMessage.objects.filter(pk=key, state=AttemptState.PLANNED).update(
        state=AttemptState.SUBMITTING, claimed_at=now, submitted_at=now
    )
    if not taken:
        return False
    row = TestMessage.objects.select_related("practice").get(pk=key)
    try:
        handed = _hand_over(row)
    except ProviderError as error:
        known = error.kind is not ProviderError.Kind.UNKNOWN
        _settle(
            row,
            state=AttemptState.FAILED if known else AttemptState.UNKNOWN,
            error_code=(error.code or str(error.kind))[:24],
            ended_at=clock.now() if known else None,
        )
        return True
    is_email = row.channel == Channel.EMAIL
    _settle(
        row,
        state=AttemptState.DONE if is_email else AttemptState.ACCEPTED,
        provider=handed.provider,
        provider_ref=handed.ref,
        provider_status=handed.status,
        ended_at=clock.now() if is_email else None,
    )
    return True


def _settle(row: TestMessage, **values: object) -> None:
    """Write the answer down, unless a callback was quicker."""
    TestMessage.objects.filter(pk=row.pk, state=AttemptState.SUBMITTING).update(**values)


def _hand_over(row: TestMessage) -> carriers.Handed:
    channel, content = Channel(row.channel), content_of(row)
    if channel == Channel.EMAIL:
        return carriers.send_email(
            practice=row.practice, to=row.destination, reference=row.public_id, content=content
        )
    return carriers.send_message(
        practice=row.practice,
        channel=channel,
        to=row.destination,
        status_url=carriers.public_address(f"/hooks/twilio/test/{row.public_id}/status"),
        content=content,
    )


def content_of(row: TestMessage) -> Content:
    """What a patient would get, with links that lead nowhere."""
    if row.channel == Channel.EMAIL:
        return recall_letters.email(row.practice, recall_letters.SAMPLE)
    return recall_letters.whatsapp(row.practice, recall_letters.SAMPLE, is_free=False)


def hear(key: UUID, event: MessageEvent) -> bool:
    """The carrier says how it goes on: states only move forward, a repeat changes nothing. False
    when the event is about another message.
    """
    with transaction.atomic():
        row = TestMessage.objects.select_for_update().select_related("practice").get(pk=key)
        if row.state == AttemptState.PLANNED or row.provider_ref not in ("", event.sid):
            return False
        if not states.moves_forward(states.MESSAGE_RANKS, row.provider_status, event.word):
            return True
        is_bad = event.status == "undelivered"
        is_over = is_bad or event.status in ("delivered", "read")
        row.provider = carriers.provider_of(row.practice)
        row.provider_ref, row.provider_status = event.sid, event.word
        row.error_code = event.error_code
        row.state = AttemptState.ACCEPTED
        if is_over:
            row.state = AttemptState.FAILED if is_bad else AttemptState.DONE
            row.ended_at = clock.now()
        row.save(update_fields=_HEARD)
    return True


_HEARD = ["provider", "provider_ref", "provider_status", "error_code", "state", "ended_at"]


def latest(practice: Practice, channel: Channel) -> list[TestMessage]:
    """The last few, newest first; one whose sender died counts as not known."""
    rows = list(
        TestMessage.objects.filter(practice=practice, channel=channel).order_by("-created_at")[:5]
    )
    for row in rows:
        lost = row.submitted_at is not None and clock.now() - row.submitted_at > LOST_AFTER
        if row.state == AttemptState.SUBMITTING and lost:
            row.state = AttemptState.UNKNOWN
    return rows
