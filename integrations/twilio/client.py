"""Calls and messages through Twilio's own SDK: one request per function, never repeated.

Every failure leaves as `ProviderError`. It must not know patients, attempts or the database.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from integrations.twilio.transport import Answer, NotSentError, Transport
from sightsync.lib.errors import ProviderError

LIVE_API = "https://api.twilio.com"
LIVE_NUMBERS = "https://numbers.twilio.com"
SANDBOX_SID = "AC" + "5a" * 16
SANDBOX_TOKEN = "sandbox-only-auth-token-00000000"  # noqa: S105 (protects nothing real)

# A voice that starts within this time and is shorter is a person (Twilio's default is 2400 ms).
# Mistaking a person for a machine loses the call; the other way round costs one unheard sentence.
# https://www.twilio.com/docs/voice/answering-machine-detection
HUMAN_SPEECH_MS = 3500

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose account, and where it is: `base_url` stands for https://api.twilio.com."""

    sid: str
    token: str
    base_url: str = LIVE_API

    @property
    def bases(self) -> dict[str, str]:
        """Where each of Twilio's products answers."""
        live = self.base_url == LIVE_API
        return {"api": self.base_url, "numbers": LIVE_NUMBERS if live else self.base_url}


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Twilio took it. `status` is Twilio's first word on it, usually `queued`."""

    sid: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A call or message as Twilio has it now. Times are UTC; `created_at` may be unknown."""

    sid: str
    status: str
    created_at: datetime | None
    to: str
    from_: str
    duration_s: int | None = None
    answered_by: str = ""
    error_code: str = ""


def account_for(*, sandbox: bool) -> Account:
    """The account of a practice: a sandbox practice never reaches beyond the sandbox servers."""
    if settings.SIGHTSYNC_MODE == "live" and not sandbox:
        return Account(sid=settings.TWILIO_ACCOUNT_SID, token=settings.TWILIO_AUTH_TOKEN)
    base_url = f"{settings.SANDBOX_URL}/twilio"
    if settings.SIGHTSYNC_MODE == "live":
        return Account(sid=SANDBOX_SID, token=SANDBOX_TOKEN, base_url=base_url)
    return Account(
        sid=settings.TWILIO_ACCOUNT_SID, token=settings.TWILIO_AUTH_TOKEN, base_url=base_url
    )


def place_call(
    *,
    account: Account,
    to: str,
    from_: str,
    answer_url: str,
    status_url: str,
    amd_url: str,
    record: bool = False,
    timeout_s: float = 10,
    ring_seconds: int = 25,
) -> Accepted:
    """Ring `to`. The TwiML at `answer_url` runs at once; machine detection reports beside it.

    Raises ProviderError; UNKNOWN means that the phone may ring.
    """
    return _submit(
        account,
        timeout_s,
        lambda client: client.calls.create(
            to=to,
            from_=from_,
            url=answer_url,
            method="POST",
            status_callback=status_url,
            status_callback_method="POST",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
            machine_detection="Enable",
            machine_detection_speech_threshold=HUMAN_SPEECH_MS,
            async_amd="true",
            async_amd_status_callback=amd_url,
            async_amd_status_callback_method="POST",
            record=record,
            timeout=ring_seconds,
        ),
    )


def send_message(
    *,
    account: Account,
    to: str,
    from_: str,
    status_url: str,
    body: str | None = None,
    content_sid: str | None = None,
    content_variables: Mapping[str, str] | None = None,
    media_urls: Iterable[str] = (),
    timeout_s: float = 10,
) -> Accepted:
    """Send an SMS, or a WhatsApp message when both numbers start with `whatsapp:`.

    Outside 24 hours of the person's last WhatsApp message only an approved template is delivered
    (`content_sid` with `content_variables`, no body). Raises ProviderError.
    """
    fields: dict[str, Any] = {"to": to, "from_": from_, "status_callback": status_url}
    if body is not None:
        fields["body"] = body
    if content_sid is not None:
        fields["content_sid"] = content_sid
        fields["content_variables"] = json.dumps(dict(content_variables or {}), ensure_ascii=False)
    if media := list(media_urls):
        fields["media_url"] = media
    return _submit(account, timeout_s, lambda client: client.messages.create(**fields))


def find_calls(*, account: Account, to: str, since: datetime, timeout_s: float = 10) -> list[Seen]:
    """Calls to a number that began at or after `since`: how an unknown outcome is settled."""
    return ask(
        account,
        timeout_s,
        lambda client: [
            _seen(call)
            for call in client.calls.list(
                to=to, start_time_after=since.astimezone(UTC), page_size=100, limit=500
            )
        ],
    )


def find_messages(
    *, account: Account, to: str, since: datetime, timeout_s: float = 10
) -> list[Seen]:
    """Messages to an address (`whatsapp:` included) sent at or after `since`."""
    return ask(
        account,
        timeout_s,
        lambda client: [
            _seen(message)
            for message in client.messages.list(
                to=to, date_sent_after=since.astimezone(UTC), page_size=100, limit=500
            )
        ],
    )


def fetch_call(*, account: Account, sid: str, timeout_s: float = 10) -> Seen:
    return ask(account, timeout_s, lambda client: _seen(client.calls(sid).fetch()))


def fetch_message(*, account: Account, sid: str, timeout_s: float = 10) -> Seen:
    return ask(account, timeout_s, lambda client: _seen(client.messages(sid).fetch()))


def end_call(*, account: Account, sid: str, timeout_s: float = 10) -> Seen:
    """Hang up, whatever is being said. REJECTED with code 21220 when it has ended already."""
    return ask(
        account, timeout_s, lambda client: _seen(client.calls(sid).update(status="completed"))
    )


def stop_recording(*, account: Account, sid: str, timeout_s: float = 10) -> None:
    """End the recording that runs on a call. REJECTED when none does, or the call has ended.

    https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
    """
    ask(
        account,
        timeout_s,
        lambda client: client.calls(sid).recordings("Twilio.CURRENT").update(status="stopped"),
    )


def find_recording(*, account: Account, call_sid: str, timeout_s: float = 10) -> str:
    """The id of what was recorded of a call; blank when nothing was."""

    def first(client: Client) -> str:
        found = client.calls(call_sid).recordings.list(limit=1)
        return str(found[0].sid or "") if found else ""

    return ask(account, timeout_s, first)


def fetch_recording(*, account: Account, sid: str, timeout_s: float = 10) -> bytes:
    """What was recorded, as MP3. REJECTED when there is no such recording (any more).

    https://www.twilio.com/docs/voice/api/recording#fetch-a-recordings-media-file
    """

    def sound(client: Client) -> bytes:
        path = f"/2010-04-01/Accounts/{account.sid}/Recordings/{sid}.mp3"
        answer = client.request("GET", LIVE_API + path)
        if answer.status_code != 200 or not isinstance(answer, Answer):
            raise ValueError("no sound")
        return answer.raw

    return ask(account, timeout_s, sound)


def delete_recording(*, account: Account, sid: str, timeout_s: float = 10) -> None:
    """Delete a recording for good; one that is not there is deleted already.

    https://www.twilio.com/docs/voice/api/recording#delete-a-recording-resource
    """
    try:
        ask(account, timeout_s, lambda client: client.recordings(sid).delete())
    except ProviderError as error:
        if error.code not in ("404", "20404"):
            raise


def _submit(account: Account, timeout_s: float, create: Callable[[Client], Any]) -> Accepted:
    def accepted(client: Client) -> Accepted:
        made = create(client)
        if not isinstance(made.sid, str) or not made.sid:
            raise ProviderError(ProviderError.Kind.UNKNOWN, "Twilio answered without an id.")
        return Accepted(sid=made.sid, status=str(made.status or "queued"))

    return ask(account, timeout_s, accepted)


def ask(account: Account, timeout_s: float, question: Callable[[Client], Found]) -> Found:
    """What `question` makes of the account's client; every failure leaves as ProviderError."""
    transport = Transport(bases=account.bases, timeout_s=timeout_s)
    client = Client(account.sid, account.token, http_client=transport)
    try:
        return question(client)
    except NotSentError as error:
        raise ProviderError(
            ProviderError.Kind.TEMPORARY, "Twilio cannot be reached.", code="unreachable"
        ) from error
    except requests.exceptions.RequestException as error:
        raise ProviderError(
            ProviderError.Kind.UNKNOWN, "The connection to Twilio broke.", code="broken_connection"
        ) from error
    except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as error:
        answer = transport.answer
        if answer is not None and answer.status_code >= 400:
            refusal = _refusal(answer.status_code, answer.text, transport.retry_after)
            raise refusal from error
        raise ProviderError(
            ProviderError.Kind.UNKNOWN, "Twilio's answer cannot be read.", code="broken_answer"
        ) from error


def _refusal(status: int, text: str, retry_after: float | None) -> ProviderError:
    """Read from the answer itself: the SDK's exceptions drop the code when it reads a list."""
    code = _twilio_code(text) or str(status)
    if status == 429 or code == "20429":
        return ProviderError(
            ProviderError.Kind.TEMPORARY, "Twilio asks us to slow down.", code, retry_after
        )
    # 408: the request may have been read; nothing says what became of it.
    if 400 <= status < 500 and status != 408:
        return ProviderError(ProviderError.Kind.REJECTED, f"Twilio refused: {code}.", code)
    return ProviderError(
        ProviderError.Kind.UNKNOWN, f"Twilio failed with {status}.", code, retry_after
    )


def _twilio_code(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    code = body.get("code") if isinstance(body, dict) else None
    return str(code) if isinstance(code, int | str) else ""


def _seen(thing: Any) -> Seen:
    if not isinstance(thing.sid, str) or not thing.sid:
        raise ValueError("no sid")
    began = getattr(thing, "start_time", None) or thing.date_created
    duration = getattr(thing, "duration", None)
    return Seen(
        sid=thing.sid,
        status=str(thing.status or ""),
        created_at=began if isinstance(began, datetime) else None,
        to=str(thing.to or ""),
        from_=str(getattr(thing, "_from", None) or getattr(thing, "from_", None) or ""),
        duration_s=int(duration) if duration else None,
        answered_by=str(getattr(thing, "answered_by", None) or ""),
        error_code=str(getattr(thing, "error_code", None) or ""),
    )
