"""Twilio's callbacks and statuses, read into our words. Pure: no network, no clock, no settings.

Unknown fields are ignored, because Twilio adds some without notice.
https://www.twilio.com/docs/voice/api/call-resource#statuscallback
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CallStatus = Literal["queued", "ringing", "answered", "completed", "busy", "no_answer", "failed"]
MessageStatus = Literal["queued", "sent", "delivered", "read", "undelivered"]
Channel = Literal["sms", "whatsapp"]

CALL_STATUSES: dict[str, CallStatus] = {
    "queued": "queued",
    "initiated": "queued",
    "ringing": "ringing",
    "in-progress": "answered",
    "answered": "answered",
    "completed": "completed",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "failed",
}
CALL_RANK: dict[CallStatus, int] = {
    "queued": 0,
    "ringing": 1,
    "answered": 2,
    "completed": 3,
    "busy": 3,
    "no_answer": 3,
    "failed": 3,
}
"""Callbacks arrive in any order: a state of lower rank never replaces one of higher rank."""

MESSAGE_STATUSES: dict[str, MessageStatus] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "read",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}
MESSAGE_RANK: dict[MessageStatus, int] = {
    "queued": 0,
    "sent": 1,
    "undelivered": 2,
    "delivered": 3,
    "read": 4,
}

FAILURE_REASONS: dict[str, str] = {
    "21211": "The number is not a working phone number.",
    "21212": "Our own number is not set up correctly.",
    "21214": "The number cannot be reached by phone.",
    "21215": "Calls to that country or network are switched off.",
    "21216": "The number is blocked.",
    "21217": "The number is not a working phone number.",
    "21408": "Messages to that country are switched off.",
    "21606": "Our own number cannot send messages.",
    "21610": "The person told their network to stop messages from us.",
    "21612": "There is no route to that number.",
    "21614": "The number cannot receive text messages.",
    "30001": "Too many messages were waiting.",
    "30002": "Our carrier account is suspended.",
    "30003": "The phone is switched off or out of reach.",
    "30004": "The person or their network blocks our messages.",
    "30005": "The number does not exist any more.",
    "30006": "The number is a landline or its network takes no texts.",
    "30007": "The network filtered the message as unwanted.",
    "30008": "The network gave no reason.",
    "63003": "The number is not on WhatsApp.",
    "63016": "WhatsApp refused it: only an approved template may start a conversation.",
    "63018": "WhatsApp asks us to slow down.",
    "63024": "The number is not on WhatsApp.",
    "63032": "WhatsApp limits how many such messages this person gets.",
    "63049": "WhatsApp chose not to deliver it.",
}
OPTED_OUT_CODE = "21610"
_RECORDING_SID = re.compile(r"RE[0-9a-f]{32}")
BAD_NUMBER_CODES = frozenset({"21211", "21214", "21217", "30005"})


class PayloadError(ValueError):
    """A callback lacks a field without which it means nothing. The text names the field."""


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """A step in a call's life. `status` is ours, `word` is Twilio's."""

    sid: str
    status: CallStatus
    word: str
    duration_s: int | None
    sequence: int | None
    error_code: str
    answered_by: str
    recording: str

    @property
    def is_final(self) -> bool:
        return CALL_RANK[self.status] == 3


@dataclass(frozen=True, kw_only=True)
class AnsweredBy:
    """What machine detection heard. Doubt counts as a person."""

    sid: str
    word: str

    @property
    def is_machine(self) -> bool:
        return self.word.startswith("machine_") or self.word == "fax"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the person said or pressed. `confidence` is 0 to 1, None when nothing was heard."""

    sid: str
    speech: str
    confidence: float | None
    digits: str
    call_status: str

    @property
    def is_silence(self) -> bool:
        return not self.speech and not self.digits


@dataclass(frozen=True, kw_only=True)
class MessageEvent:
    """A step in a message's life. `reason` is for staff, empty unless it failed."""

    sid: str
    status: MessageStatus
    word: str
    error_code: str

    @property
    def reason(self) -> str:
        return failure_reason(self.error_code) if self.status == "undelivered" else ""


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """A patient wrote. Numbers are E.164, without the `whatsapp:` prefix."""

    sid: str
    account_sid: str
    channel: Channel
    from_: str
    to: str
    body: str
    media_count: int
    button: str
    opt_out_type: str


@dataclass(frozen=True, kw_only=True)
class InboundCall:
    """A patient rang. `digits` and `speech` are filled on the turns after the first."""

    sid: str
    account_sid: str
    from_: str
    to: str
    digits: str
    speech: str


def failure_reason(code: str) -> str:
    """Why it did not arrive, in words for staff; a code without words is named."""
    if not code:
        return "The network gave no reason."
    return FAILURE_REASONS.get(code, f"The network refused it (code {code}).")


def call_event(params: Mapping[str, str]) -> CallEvent:
    word = _need(params, "CallStatus")
    if word not in CALL_STATUSES:
        raise PayloadError("CallStatus")
    return CallEvent(
        sid=_need(params, "CallSid"),
        status=CALL_STATUSES[word],
        word=word,
        duration_s=_whole(params.get("CallDuration")),
        sequence=_whole(params.get("SequenceNumber")),
        error_code=params.get("ErrorCode") or "",
        answered_by=params.get("AnsweredBy") or "",
        recording=_recording(params.get("RecordingSid") or ""),
    )


def answered_by(params: Mapping[str, str]) -> AnsweredBy:
    return AnsweredBy(sid=_need(params, "CallSid"), word=params.get("AnsweredBy") or "unknown")


def turn(params: Mapping[str, str]) -> Turn:
    return Turn(
        sid=_need(params, "CallSid"),
        speech=(params.get("SpeechResult") or "").strip(),
        confidence=_fraction(params.get("Confidence")),
        digits=(params.get("Digits") or "").strip(),
        call_status=params.get("CallStatus") or "",
    )


def message_event(params: Mapping[str, str]) -> MessageEvent:
    word = params.get("MessageStatus") or params.get("SmsStatus") or ""
    if word not in MESSAGE_STATUSES:
        raise PayloadError("MessageStatus")
    return MessageEvent(
        sid=params.get("MessageSid") or _need(params, "SmsSid"),
        status=MESSAGE_STATUSES[word],
        word=word,
        error_code=params.get("ErrorCode") or "",
    )


def inbound_message(params: Mapping[str, str]) -> InboundMessage:
    sender, recipient = _need(params, "From"), _need(params, "To")
    return InboundMessage(
        sid=params.get("MessageSid") or _need(params, "SmsSid"),
        account_sid=params.get("AccountSid") or "",
        channel="whatsapp" if sender.startswith("whatsapp:") else "sms",
        from_=sender.removeprefix("whatsapp:"),
        to=recipient.removeprefix("whatsapp:"),
        body=params.get("Body") or "",
        media_count=_whole(params.get("NumMedia")) or 0,
        button=params.get("ButtonPayload") or params.get("ButtonText") or "",
        opt_out_type=params.get("OptOutType") or "",
    )


def inbound_call(params: Mapping[str, str]) -> InboundCall:
    return InboundCall(
        sid=_need(params, "CallSid"),
        account_sid=params.get("AccountSid") or "",
        from_=params.get("From") or "",
        to=params.get("To") or "",
        digits=(params.get("Digits") or "").strip(),
        speech=(params.get("SpeechResult") or "").strip(),
    )


def _need(params: Mapping[str, str], name: str) -> str:
    value = params.get(name)
    if not value:
        raise PayloadError(name)
    return value


def _recording(sid: str) -> str:
    return sid if _RECORDING_SID.fullmatch(sid) else ""


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() else None


def _fraction(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number <= 1 else None
