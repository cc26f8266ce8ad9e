"""Handing one attempt to its carrier: which account, from which number, with which addresses for
the answers. It reads the attempt and writes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr

from django.conf import settings

from integrations import reach
from integrations.email import client as email
from integrations.twilio import client as twilio
from practices.models import Practice
from recall.models import Attempt, Channel
from sightsync.lib.errors import ProviderError

TIMEOUT_S = 10.0
"""Shorter than the lease of a claim, so that a request never outlives its right to be made."""
Kind = ProviderError.Kind
SANDBOX, TWILIO, SMTP = "sandbox", "twilio", "smtp"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a message says. WhatsApp outside the 24 hours has a template instead of a body."""

    body: str = ""
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    media_urls: Iterable[str] = ()
    subject: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Iterable[email.Attachment] = ()


class NothingToSendError(Exception):
    """There is nothing to say any more (the appointment was moved or cancelled); `code` is why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Compose = Callable[[Attempt], Content]


@dataclass(frozen=True, slots=True)
class Handed:
    """The carrier took it, and calls it `ref`."""

    provider: str
    ref: str
    status: str


def account_of(practice: Practice) -> twilio.Account:
    return twilio.account_for(sandbox=reach.is_sandbox(practice))


def address(attempt: Attempt, ending: str = "") -> str:
    """Our public address for one of the carrier's callbacks about this attempt."""
    kind = "voice" if attempt.channel == Channel.VOICE else "message"
    path = f"/hooks/twilio/{kind}/{attempt.public_id}"
    return public_address(f"{path}{f'/{ending}' if ending else ''}")


def public_address(path: str) -> str:
    """Where the carrier reaches a path of ours."""
    return f"{settings.PUBLIC_BASE_URL}{path}"


def hand_over(attempt: Attempt, content: Content | None) -> Handed:
    """Make the one request. Raises ProviderError, whose kind says what is known."""
    if attempt.channel == Channel.EMAIL:
        return _email(attempt, content or Content())
    _check_numbers(attempt)
    if attempt.channel == Channel.VOICE:
        return _call(attempt)
    return _message(attempt, content or Content())


def _check_numbers(attempt: Attempt) -> None:
    """The last fence: no number of fiction reaches a live carrier, and nothing leaves unsigned."""
    if attempt.patient.phone_is_drama and not reach.is_sandbox(attempt.practice):
        raise ProviderError(Kind.REJECTED, "Reserved for fiction.", "drama_number")
    if not from_number(attempt):
        raise ProviderError(Kind.REJECTED, "No number to call from.", "no_from_number")


def from_number(attempt: Attempt) -> str:
    return _sender(attempt.practice, Channel(attempt.channel))


def _sender(practice: Practice, channel: Channel) -> str:
    if channel == Channel.WHATSAPP:
        return practice.whatsapp_number or practice.caller_number
    return practice.caller_number


def _call(attempt: Attempt) -> Handed:
    account = account_of(attempt.practice)
    taken = twilio.place_call(
        account=account,
        to=attempt.destination,
        from_=from_number(attempt),
        answer_url=address(attempt),
        status_url=address(attempt, "status"),
        amd_url=address(attempt, "amd"),
        record=attempt.practice.records_calls,
        timeout_s=TIMEOUT_S,
    )
    return Handed(provider_of(attempt.practice), taken.sid, taken.status)


def _message(attempt: Attempt, content: Content) -> Handed:
    return send_message(
        practice=attempt.practice,
        channel=Channel(attempt.channel),
        to=attempt.destination,
        status_url=address(attempt, "status"),
        content=content,
    )


def send_message(
    *, practice: Practice, channel: Channel, to: str, status_url: str, content: Content
) -> Handed:
    """One SMS or WhatsApp from the practice to a number (E.164). Raises ProviderError."""
    prefix = "whatsapp:" if channel == Channel.WHATSAPP else ""
    taken = twilio.send_message(
        account=account_of(practice),
        to=prefix + to,
        from_=prefix + _sender(practice, channel),
        status_url=status_url,
        body=content.body if not content.template else None,
        content_sid=content.template or None,
        content_variables=content.variables if content.template else None,
        media_urls=content.media_urls,
        timeout_s=TIMEOUT_S,
    )
    return Handed(provider_of(practice), taken.sid, taken.status)


def _email(attempt: Attempt, content: Content) -> Handed:
    return send_email(
        practice=attempt.practice,
        to=attempt.destination,
        reference=attempt.public_id,
        content=content,
    )


def send_email(*, practice: Practice, to: str, reference: str, content: Content) -> Handed:
    """One email from the practice. `reference` names it at the mail server. Raises ProviderError.

    The practice's name stands before the address that mail leaves from, and answers go to the
    practice.
    """
    taken = email.send(
        server=email.server_for(sandbox=reach.is_sandbox(practice)),
        to=to,
        from_=formataddr((practice.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        subject=content.subject,
        text=content.body,
        html=content.html,
        message_id=f"{reference.lower()}@{_mail_domain()}",
        reply_to=practice.email,
        headers=content.headers,
        attachments=content.attachments,
        timeout_s=TIMEOUT_S,
    )
    return Handed(SMTP, taken.message_id, "sent")


def provider_of(practice: Practice) -> str:
    return SANDBOX if reach.is_sandbox(practice) else TWILIO


def _mail_domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].strip(" >")
