"""One email over SMTP, step by step, so that it is known how far it got. Never repeated.

Every failure leaves as `ProviderError`. It must not know patients, attempts or the database.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal
from urllib.parse import unquote, urlsplit

from django.conf import settings

from sightsync.lib import clock
from sightsync.lib.errors import ProviderError, ProviderKind

Security = Literal["none", "starttls", "tls"]
SCHEMES: dict[str, Security] = {
    "smtp": "none",
    "submission": "starttls",
    "smtp+tls": "starttls",
    "smtp+starttls": "starttls",
    "smtps": "tls",
    "smtp+ssl": "tls",
    "smtp+smtps": "tls",
}
Kind = ProviderKind
GOODBYE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where mail is handed over."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = "none"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    name: str
    content: bytes
    content_type: str
    """Such as `text/calendar; method=PUBLISH; charset=utf-8`."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The server took it. `reply` is its last line, which often holds its queue id."""

    message_id: str
    reply: str


def server_for(*, sandbox: bool) -> Server:
    """Where a practice's mail goes: a sandbox practice never reaches beyond the sandbox servers."""
    if sandbox or settings.SIGHTSYNC_MODE != "live":
        parts = urlsplit(settings.SANDBOX_URL)
        return Server(host=parts.hostname or "127.0.0.1", port=(parts.port or 80) + 1)
    return server_at(settings.EMAIL_URL)


def server_at(url: str) -> Server:
    """The server that an EMAIL_URL names. ValueError when the scheme is none of ours."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("EMAIL_URL must start with smtp://, smtp+tls:// or smtp+ssl://.")
    security = SCHEMES[parts.scheme]
    return Server(
        host=parts.hostname,
        port=parts.port or {"none": 25, "starttls": 587, "tls": 465}[security],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        security=security,
    )


def send(
    *,
    server: Server,
    to: str,
    from_: str,
    subject: str,
    text: str,
    message_id: str,
    html: str = "",
    reply_to: str = "",
    headers: Mapping[str, str] | None = None,
    attachments: Iterable[Attachment] = (),
    timeout_s: float = 10,
) -> Accepted:
    """Hand one message to one recipient's mail server.

    `message_id` is ours, without angle brackets, so that a bounce or a question to the server can
    name it. Raises ProviderError: UNKNOWN only when the connection broke after the content left
    (RFC 5321 section 6.1: until the last reply nobody knows who is responsible for the message).
    """
    try:
        message = _message(
            to, from_, subject, text, message_id, html, reply_to, headers or {}, attachments
        )
        content = message.as_bytes(policy=SMTP)
    except (ValueError, MessageError) as error:
        raise ProviderError(Kind.REJECTED, "The message has a bad header.", "bad_header") from error
    with _connected(server, timeout_s) as smtp:
        _envelope(smtp, message)
        return _content(smtp, content, message_id)


def _message(
    to: str,
    from_: str,
    subject: str,
    text: str,
    message_id: str,
    html: str,
    reply_to: str,
    headers: Mapping[str, str],
    attachments: Iterable[Attachment],
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = from_, to, subject
    message["Date"] = clock.now()
    message["Message-ID"] = f"<{message_id.strip('<>')}>"
    if reply_to:
        message["Reply-To"] = reply_to
    for name, value in headers.items():
        message[name] = value
    for name in ("From", "To"):
        if not message[name].addresses or not message[name].addresses[0].domain:
            raise ValueError("no address")
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for attachment in attachments:
        kind, _, options = attachment.content_type.partition(";")
        main, _, sub = kind.strip().partition("/")
        message.add_attachment(
            attachment.content,
            maintype=main,
            subtype=sub,
            filename=attachment.name,
            params={
                name.strip(): value.strip()
                for name, _, value in (part.partition("=") for part in options.split(";") if part)
            },
        )
    return message


@contextlib.contextmanager
def _connected(server: Server, timeout_s: float) -> Iterator[smtplib.SMTP]:
    """A session, ready for MAIL. Until the content leaves, every failure is known not to count."""
    smtp: smtplib.SMTP | None = None
    try:
        if server.security == "tls":
            context = ssl.create_default_context()
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout_s, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=timeout_s)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if server.user:
            smtp.login(server.user, server.password)
        yield smtp
    except smtplib.SMTPAuthenticationError as error:
        raise _refusal(error.smtp_code, "The mail server refused our sign-in.") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise ProviderError(
            Kind.TEMPORARY, "The mail server cannot be reached.", code="unreachable"
        ) from error
    finally:
        if smtp is not None:
            _leave(smtp)


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye, without waiting long for the answer."""
    with contextlib.suppress(smtplib.SMTPException, OSError, ValueError):
        if smtp.sock is not None:
            smtp.sock.settimeout(GOODBYE_S)
        smtp.quit()
    smtp.close()


def _envelope(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    sender = message["From"].addresses[0].addr_spec
    recipient = message["To"].addresses[0].addr_spec
    for code, _ in (smtp.mail(sender), smtp.rcpt(recipient)):
        if not 200 <= code < 300:
            raise _refusal(code, "The mail server refused the address.", else_kind=Kind.TEMPORARY)
    code, _ = smtp.docmd("DATA")
    if code != 354:
        raise _refusal(code, "It takes no messages now.", else_kind=Kind.TEMPORARY)


def _content(smtp: smtplib.SMTP, content: bytes, message_id: str) -> Accepted:
    """Send the content. From here on, silence means that nobody knows."""
    lines = content.replace(b"\r\n.", b"\r\n..")
    if lines.startswith(b"."):
        lines = b"." + lines
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    try:
        smtp.send(lines + b".\r\n")
        code, reply = smtp.getreply()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise ProviderError(
            Kind.UNKNOWN, "The connection to the mail server broke.", code="broken_connection"
        ) from error
    if 200 <= code < 300:
        return Accepted(message_id=message_id, reply=reply.decode("ascii", "replace"))
    raise _refusal(code, "The mail server refused the message.")


def _refusal(code: int, message: str, *, else_kind: ProviderKind = Kind.UNKNOWN) -> ProviderError:
    """RFC 5321 section 4.2.1: 5yz for good, 4yz for now. Anything else says nothing."""
    if 500 <= code < 600:
        return ProviderError(Kind.REJECTED, message, str(code))
    if 400 <= code < 500:
        return ProviderError(Kind.TEMPORARY, message, str(code))
    return ProviderError(else_kind, message, "broken_answer")
