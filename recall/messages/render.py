"""What a message says, made from the rows as they are when it is sent.

Called just before sending. It may refuse: an appointment that was moved, cancelled or has begun is
never written about. It issues the message's private links, and sends nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string

from integrations.email.client import Attachment
from recall.attempts.carriers import Content, NothingToSendError
from recall.booking import calendar_file, links
from recall.messages import recall_letters, texts
from recall.models import Appointment, Attempt, Channel, InboundMessage, Purpose
from recall.models.appointments import LIVE_APPOINTMENT, AppointmentStatus, LinkKind
from sightsync.lib import clock


def message(attempt: Attempt) -> Content:
    """The content of a planned message. Raises NothingToSendError with why there is none (codes:
    appointment_moved, appointment_cancelled, appointment_over, no_whatsapp_template, no_wording).
    """
    words = _WORDS.get((Purpose(attempt.purpose), Channel(attempt.channel)))
    if words is None:
        raise NothingToSendError("no_wording")
    appointment = None if attempt.purpose == Purpose.RECALL else _appointment(attempt)
    return words(_Letter(attempt, appointment))


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message being written."""

    attempt: Attempt
    appointment: Appointment | None

    @property
    def sender(self) -> texts.Sender:
        return recall_letters.sender_of(self.attempt.practice)

    @property
    def first_name(self) -> str:
        return self.attempt.patient.first_name

    @property
    def about(self) -> Appointment:
        if self.appointment is None:
            raise NothingToSendError("appointment_cancelled")
        return self.appointment

    def link(self, kind: LinkKind) -> str:
        return links.issue(
            practice=self.attempt.practice,
            patient=self.attempt.patient,
            kind=kind,
            appointment=self.appointment,
            attempt=self.attempt,
            episode=self.attempt.episode,
        )


def _appointment(attempt: Attempt) -> Appointment:
    """The appointment as it is now, if the message is still true. Raises NothingToSendError."""
    if attempt.appointment_id is None:
        raise NothingToSendError("appointment_cancelled")
    row = Appointment.objects.select_related("practice").filter(pk=attempt.appointment_id).first()
    if row is None:
        raise NothingToSendError("appointment_cancelled")
    if row.version != attempt.appointment_version:
        raise NothingToSendError("appointment_moved")
    if row.starts_at <= clock.now():
        raise NothingToSendError("appointment_over")
    is_cancellation = attempt.purpose == Purpose.CANCELLATION
    if is_cancellation and row.status != AppointmentStatus.CANCELLED:
        raise NothingToSendError("appointment_stands")
    if not is_cancellation and row.status not in LIVE_APPOINTMENT:
        raise NothingToSendError("appointment_cancelled")
    return row


def _sms_recall(letter: _Letter) -> Content:
    private = texts.Links(
        booking=letter.link(LinkKind.BOOKING), opt_out=letter.link(LinkKind.OPT_OUT)
    )
    return Content(
        body=texts.sms_recall(sender=letter.sender, first_name=letter.first_name, links=private)
    )


def _sms_confirmation(letter: _Letter) -> Content:
    private = texts.Links(
        calendar=letter.link(LinkKind.CALENDAR), opt_out=letter.link(LinkKind.OPT_OUT)
    )
    starts_at = letter.about.starts_at
    return Content(
        body=texts.sms_confirmation(sender=letter.sender, starts_at=starts_at, links=private)
    )


def _sms_reminder(letter: _Letter) -> Content:
    starts_at = letter.about.starts_at
    return Content(
        body=texts.sms_reminder(sender=letter.sender, starts_at=starts_at, now=clock.now())
    )


def _sms_cancellation(letter: _Letter) -> Content:
    private = texts.Links(
        booking=letter.link(LinkKind.BOOKING), opt_out=letter.link(LinkKind.OPT_OUT)
    )
    starts_at = letter.about.starts_at
    return Content(
        body=texts.sms_cancellation(sender=letter.sender, starts_at=starts_at, links=private)
    )


def _whatsapp_recall(letter: _Letter) -> Content:
    attempt, practice = letter.attempt, letter.attempt.practice
    is_free = texts.is_within_window(_last_inbound(attempt), clock.now())
    if not is_free and not recall_letters.template_of(practice):
        raise NothingToSendError("no_whatsapp_template")
    return recall_letters.whatsapp(practice, _recipient(letter), is_free=is_free)


def _recipient(letter: _Letter) -> recall_letters.Recipient:
    return recall_letters.Recipient(
        first_name=letter.first_name,
        booking_url=letter.link(LinkKind.BOOKING),
        opt_out_url=letter.link(LinkKind.OPT_OUT),
    )


def _email_recall(letter: _Letter) -> Content:
    return recall_letters.email(letter.attempt.practice, _recipient(letter))


def _last_inbound(attempt: Attempt) -> datetime | None:
    """When this number last wrote to the practice by WhatsApp."""
    return (
        InboundMessage.objects.filter(
            practice=attempt.practice_id,
            sender=attempt.destination or attempt.patient.phone_number,
            channel=Channel.WHATSAPP,
        )
        .order_by("-received_at")
        .values_list("received_at", flat=True)
        .first()
    )


def _email(letter: _Letter) -> Content:
    """Subject, plain text and HTML from templates/emails."""
    attempt, practice = letter.attempt, letter.attempt.practice
    opt_out_url = letter.link(LinkKind.OPT_OUT)
    context = {
        "practice": practice,
        "examination": letter.sender.examination,
        "first_name": letter.first_name,
        "appointment": letter.appointment,
        "booking_url": letter.link(LinkKind.BOOKING),
        "opt_out_url": opt_out_url,
    }
    folder = f"emails/{attempt.purpose}"
    subject = render_to_string(f"{folder}/subject.txt", context)
    return Content(
        subject=" ".join(subject.split()),
        body=render_to_string(f"{folder}/body.txt", context).strip() + "\n",
        html=render_to_string(f"{folder}/body.html", context),
        headers=recall_letters.unsubscribe_headers(opt_out_url),
        attachments=_attachments(letter),
    )


def _attachments(letter: _Letter) -> tuple[Attachment, ...]:
    if letter.attempt.purpose != Purpose.CONFIRMATION:
        return ()
    file = calendar_file.build(letter.about)
    return (
        Attachment(name="appointment.ics", content=file, content_type=calendar_file.CONTENT_TYPE),
    )


_WORDS: dict[tuple[Purpose, Channel], Callable[[_Letter], Content]] = {
    (Purpose.RECALL, Channel.SMS): _sms_recall,
    (Purpose.RECALL, Channel.WHATSAPP): _whatsapp_recall,
    (Purpose.CONFIRMATION, Channel.SMS): _sms_confirmation,
    (Purpose.REMINDER, Channel.SMS): _sms_reminder,
    (Purpose.CANCELLATION, Channel.SMS): _sms_cancellation,
    **{(purpose, Channel.EMAIL): _email for purpose in Purpose},
    (Purpose.RECALL, Channel.EMAIL): _email_recall,
}
