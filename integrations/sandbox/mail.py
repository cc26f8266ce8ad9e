"""The sandbox's mail server: takes every message, keeps it, and lets the patient open it.

It speaks SMTP on loopback and relays nothing.
"""

import asyncio
import contextlib
import logging
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from integrations.sandbox import browser
from integrations.sandbox.faults import Fault
from integrations.sandbox.letters import Mail
from integrations.sandbox.people import Entry
from integrations.sandbox.twilio_messages import LINK
from integrations.sandbox.world import LogRow, World

OPEN_S = 60.0
ACCEPTED = "250 2.0.0 Ok: queued"
REFUSED = "550 5.1.1 User unknown"


class MailBox:
    """aiosmtpd's handler. `refused@…` is nobody; faults may spoil the rest."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower().startswith("refused@"):
            row = self._row("RCPT", address, {"from": envelope.mail_from})
            row.status, row.answer = 550, REFUSED
            return REFUSED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        message = message_from_bytes(raw, policy=policy.default)
        recipients = [address for address in envelope.rcpt_tos if address]
        params = {
            "from": envelope.mail_from,
            "to": recipients,
            "subject": str(message.get("Subject", "")),
            "message_id": str(message.get("Message-ID", "")),
        }
        row = self._row("DATA", ",".join(recipients), params)
        fault = self.world.faults.take("mail", f"DATA {row.path} {params['subject']}")
        if fault is None or fault.accept:
            self._keep(recipients, message)
        row.answer = await self._answer(server, fault)
        row.status = int(row.answer[:3]) if row.answer[:3].isdigit() else 0
        return str(row.answer)

    async def _answer(self, server: SMTP, fault: Fault | None) -> str:
        mode = fault.mode if fault else ""
        if fault and mode == "delay":
            await asyncio.sleep(fault.seconds)
        if mode in ("drop_after_accept", "drop_before_accept"):
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            return ACCEPTED if mode == "drop_after_accept" else "421 4.4.2 dropped"
        return {
            "429": "451 4.7.1 Greylisted, try again in 5 minutes",
            "500": "554 5.3.0 Transaction failed",
            "broken_json": "ok",
            "html": "<html>",
        }.get(mode, ACCEPTED)

    def _row(self, method: str, path: str, params: dict[str, Any]) -> LogRow:
        row = LogRow(
            at=self.world.clock.now(), server="mail", method=method, path=path, params=params
        )
        self.world.log.append(row)
        return row

    def _keep(self, recipients: list[str], message: EmailMessage) -> None:
        for recipient in recipients:
            mail = Mail(id=len(self.world.mails) + 1, to=parseaddr(recipient)[1], message=message)
            self.world.mails.append(mail)
            person = self.world.people.of_email(mail.to)
            self.world.people.add(
                person,
                Entry(
                    at=self.world.clock.now(),
                    kind="email",
                    subject=mail.subject,
                    text=mail.part("plain"),
                    mail_id=mail.id,
                    status="delivered",
                    attachments=[part.get_filename() or "file" for part in mail.attachments],
                ),
            )
            if person.persona.email == "books" and not person.has_booked:
                self.world.spawn(self._open(mail))

    async def _open(self, mail: Mail) -> None:
        await self.world.spend(OPEN_S)
        person = self.world.people.of_email(mail.to)
        if not person.has_booked:
            await browser.book_from(self.world, person, LINK.findall(mail.part("plain")))


async def listen(world: World, port: int) -> asyncio.Server:
    """The SMTP server, on the running loop."""
    # It logs every line of every session, addresses included.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    box = MailBox(world)
    return await loop.create_server(
        lambda: SMTP(box, loop=loop, hostname="sandbox.localhost", enable_SMTPUTF8=True),
        host="127.0.0.1",
        port=port,
    )


async def stop(server: asyncio.Server) -> None:
    server.close()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 1)
