"""Calls and messages as Twilio keeps and shows them. No behaviour beyond their own fields."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol

FINAL_CALL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class CallControl(Protocol):
    """What the product can do to a call that is going on."""

    def hang_up(self) -> None: ...

    def send_elsewhere(self, url: str) -> None: ...


def new_sid(prefix: str) -> str:
    """`CA`, `SM`, `MM` or `RE` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def rfc2822(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None


@dataclass
class Line:
    """One thing said on a call. `who` is us, patient or note."""

    who: str
    text: str
    keys: str = ""


@dataclass(kw_only=True)
class Call:
    """One call. `seconds` is simulated time on the line."""

    sid: str
    account_sid: str
    to: str
    from_: str
    created_at: datetime
    params: dict[str, Any]
    direction: str = "outbound-api"
    status: str = "queued"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float = 0.0
    answered_by: str = ""
    recording_sid: str = ""
    recording_stopped: bool = False
    lines: list[Line] = field(default_factory=list)
    callback_mode: str = ""
    held: list[dict[str, str]] = field(default_factory=list)
    new_orders: dict[str, str] = field(default_factory=dict)
    control: CallControl | None = None

    @property
    def patient(self) -> str:
        return self.from_ if self.direction == "inbound" else self.to

    @property
    def is_over(self) -> bool:
        return self.status in FINAL_CALL

    def as_json(self) -> dict[str, Any]:
        base = f"/2010-04-01/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": None,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.from_,
            "from_formatted": self.from_,
            "phone_number_sid": None,
            "status": self.status,
            "start_time": rfc2822(self.started_at),
            "end_time": rfc2822(self.ended_at),
            "duration": str(round(self.seconds)) if self.ended_at else None,
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by or None,
            "annotation": None,
            "api_version": "2010-04-01",
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.ended_at or self.started_at or self.created_at),
            "uri": f"{base}.json",
            "subresource_uris": {"recordings": f"{base}/Recordings.json"},
        }


@dataclass(kw_only=True)
class Message:
    """One text or WhatsApp message, with its addresses as Twilio writes them."""

    sid: str
    account_sid: str
    to: str
    from_: str
    body: str
    created_at: datetime
    params: dict[str, Any]
    media_urls: list[str] = field(default_factory=list)
    direction: str = "outbound-api"
    status: str = "queued"
    sent_at: datetime | None = None
    error_code: int | None = None
    callback_mode: str = ""
    held: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_whatsapp(self) -> bool:
        return self.to.startswith("whatsapp:")

    @property
    def patient(self) -> str:
        address = self.from_ if self.direction == "inbound" else self.to
        return address.removeprefix("whatsapp:")

    def as_json(self) -> dict[str, Any]:
        base = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "messaging_service_sid": None,
            "to": self.to,
            "from": self.from_,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            "num_segments": str(max(1, -(-len(self.body) // 153))),
            "num_media": str(len(self.media_urls)),
            "error_code": self.error_code,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.sent_at or self.created_at),
            "uri": f"{base}.json",
            "subresource_uris": {"media": f"{base}/Media.json"},
        }
