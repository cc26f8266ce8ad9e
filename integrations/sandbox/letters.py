"""One email as the sandbox keeps it. It must not fetch anything that the message points to."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any


@dataclass(kw_only=True)
class Mail:
    """One message, as it came, and one of its recipients."""

    id: int
    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self.message.get("From", ""))

    def part(self, kind: str) -> str:
        """The text of the `plain` or `html` body, or nothing."""
        body = self.message.get_body(preferencelist=(kind,))
        return str(body.get_content()) if isinstance(body, EmailMessage) else ""

    @property
    def attachments(self) -> list[EmailMessage]:
        return [part for part in self.message.iter_attachments() if isinstance(part, EmailMessage)]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "message_id": str(self.message.get("Message-ID", "")),
            "headers": {name: str(value) for name, value in self.message.items()},
            "text": self.part("plain"),
            "html": self.part("html"),
            "attachments": [part.get_filename() or "" for part in self.attachments],
        }
