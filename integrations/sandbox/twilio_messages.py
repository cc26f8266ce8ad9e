"""A message's life at the carrier: queued, sent, delivered, read or failed; and replies.

It must not decide how patients react to links beyond asking the persona.
"""

import asyncio
import json
import re
from datetime import timedelta
from urllib.parse import urljoin

from integrations.sandbox import browser, twilio_callbacks, twiml
from integrations.sandbox.people import Entry, Kind, Person
from integrations.sandbox.personas import Reaction
from integrations.sandbox.resources import Message, new_sid
from integrations.sandbox.world import World

SEND_S, DELIVER_S, READ_S, REACT_S = 0.5, 2.0, 10.0, 20.0
CUSTOMER_CARE_WINDOW = timedelta(hours=24)
STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
# What WhatsApp has approved for the practices of the sandbox, by template id.
APPROVED_TEMPLATES = {
    "HX" + "5a" * 16: (
        "Hello {{1}}, this is {{2}}.\n\n"
        "Your next {{3}} is due. Choose a time that suits you: {{4}}\n\n"
        "If you do not want messages from us, open {{5}} or reply STOP."
    )
}
LINK = re.compile(r"https?://[^\s<>\"')]+")


def render(params: dict[str, str]) -> str:
    """What the patient reads: the body, or the template with its variables filled in.

    A template that the sandbox's WhatsApp does not know is shown by its values, one per line.
    """
    if not params.get("ContentSid"):
        return str(params.get("Body", ""))
    try:
        values = json.loads(params.get("ContentVariables") or "{}")
    except ValueError:
        values = {}
    text = APPROVED_TEMPLATES.get(str(params["ContentSid"]))
    if text is None:
        return "\n".join(str(value) for value in values.values())
    return re.sub(r"{{\s*(\w+)\s*}}", lambda m: str(values.get(m[1], "")), text)


async def deliver(world: World, message: Message, entry: Entry, told: asyncio.Event) -> None:
    """Carry it to the phone, report every step, let the patient react."""
    await _step(world, message, entry, "queued")
    await world.spend(SEND_S)
    if code := _failure(world, message):
        message.error_code = code
        await _step(world, message, entry, "failed" if message.is_whatsapp else "undelivered")
        told.set()
        return
    message.sent_at = world.clock.now()
    await _step(world, message, entry, "sent")
    await world.spend(DELIVER_S)
    person = world.people.of_number(message.patient)
    reaction = person.persona.whatsapp if message.is_whatsapp else person.persona.sms
    will_be_read = message.is_whatsapp and reaction != "ignores"
    await _step(world, message, entry, "delivered", final=not will_be_read)
    told.set()
    if will_be_read:
        await world.spend(READ_S)
        await _step(world, message, entry, "read", final=True)
    await react(world, person, message, reaction)


async def react(world: World, person: Person, message: Message, reaction: Reaction) -> None:
    if reaction == "stops" and not person.has_stopped:
        person.has_stopped = True
        await world.spend(REACT_S)
        await receive(world, from_=message.to, to=message.from_, body="STOP")
    elif reaction == "books" and not person.has_booked:
        links = LINK.findall(message.body)
        if links:
            await world.spend(REACT_S)
            await browser.book_from(world, person, links)


def start(world: World, message: Message) -> asyncio.Event:
    """Put the message on the patient's phone page and set it going; set when it is delivered."""
    world.messages[message.sid] = message
    person = world.people.of_number(message.patient)
    person.practice_number = message.from_.removeprefix("whatsapp:")
    entry = Entry(
        at=world.clock.now(),
        kind="whatsapp" if message.is_whatsapp else "sms",
        text=message.body,
        status="queued",
        attachments=list(message.media_urls),
    )
    world.people.add(person, entry)
    told = asyncio.Event()
    world.spawn(deliver(world, message, entry, told))
    return told


async def receive(world: World, *, from_: str, to: str, body: str) -> Message:
    """A patient writes: the carrier's own opt-out first, then the product is told."""
    whatsapp = from_.startswith("whatsapp:")
    home, account_sid = world.home_of(to.removeprefix("whatsapp:"))
    message = Message(
        sid=new_sid("SM"),
        account_sid=account_sid,
        to=to,
        from_=from_,
        body=body,
        created_at=world.clock.now(),
        params={},
        direction="inbound",
        status="received",
    )
    world.messages[message.sid] = message
    person = world.people.of_number(message.patient)
    world.people.add(
        person,
        Entry(
            at=world.clock.now(),
            kind="whatsapp" if whatsapp else "sms",
            text=body,
            from_patient=True,
        ),
    )
    if whatsapp:
        world.whatsapp_windows[(from_, to)] = world.clock.now()
    else:
        _carrier_opt_out(world, person, message)
    _, answer = await twilio_callbacks.post(
        world,
        account_sid=account_sid,
        url=urljoin(home, "/hooks/twilio/inbound/message"),
        params=_inbound_params(message),
    )
    _show_reply(world, person, message, answer)
    return message


def _carrier_opt_out(world: World, person: Person, message: Message) -> None:
    word, pair = message.body.strip().upper(), (message.to, message.from_)
    if word in STOP_WORDS:
        world.stopped_texts.add(pair)
        text = "You have successfully been unsubscribed. Reply START to resubscribe."
    elif word in START_WORDS and pair in world.stopped_texts:
        world.stopped_texts.discard(pair)
        text = "You have successfully been re-subscribed."
    else:
        return
    world.people.add(
        person, Entry(at=world.clock.now(), kind="sms", text=text, status="from the network")
    )


def _show_reply(world: World, person: Person, message: Message, answer: str) -> None:
    """The product may answer a message in TwiML."""
    try:
        verbs = twiml.parse(answer)
    except twiml.TwimlError:
        return
    for verb in verbs:
        if verb.name == "Message" and verb.text:
            kind: Kind = "whatsapp" if message.is_whatsapp else "sms"
            world.people.add(
                person, Entry(at=world.clock.now(), kind=kind, text=verb.text, status="delivered")
            )


def _inbound_params(message: Message) -> dict[str, str]:
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.from_,
        "To": message.to,
        "Body": message.body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    if message.is_whatsapp:
        params["WaId"] = message.patient.removeprefix("+")
        params["ProfileName"] = ""
    return params


def _failure(world: World, message: Message) -> int | None:
    """Why the network does not deliver it: Twilio's codes, which arrive after acceptance."""
    mobile = message.patient.startswith("+447")
    if not message.is_whatsapp:
        return None if mobile else 30006
    if not mobile:
        return 63003
    last = world.whatsapp_windows.get((message.to, message.from_))
    open_window = last is not None and world.clock.now() - last < CUSTOMER_CARE_WINDOW
    return None if message.params.get("ContentSid") or open_window else 63016


async def _step(
    world: World, message: Message, entry: Entry, status: str, *, final: bool | None = None
) -> None:
    message.status = entry.status = status
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "To": message.to,
        "From": message.from_,
        "AccountSid": message.account_sid,
        "ApiVersion": "2010-04-01",
    }
    if message.error_code:
        params["ErrorCode"] = str(message.error_code)
    ends = status in ("failed", "undelivered") if final is None else final
    await twilio_callbacks.tell(
        world,
        message,
        url=str(message.params.get("StatusCallback", "")),
        params=params,
        final=ends,
    )
