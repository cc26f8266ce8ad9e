"""A call's life at the carrier: queued, ringing, answered or not, reported, over.

What is spoken is `twilio_line.py`; the HTTP interface is `twilio_api.py`.
"""

import asyncio
from urllib.parse import urljoin

from integrations.sandbox import twilio_callbacks
from integrations.sandbox.conversation import Patient
from integrations.sandbox.people import Entry
from integrations.sandbox.resources import Call, Line, new_sid
from integrations.sandbox.twilio_line import OpenLine, call_params
from integrations.sandbox.world import World

SET_UP_S = 1.0
RING_S = 6.0
VOICEMAIL_AFTER_S = 20.0
DETECTION_S = 3.0
EARLY_STEPS = 2
EVENT_NAMES = {"in-progress": "answered"}


class CallRun:
    """Carries one outgoing call through its life, as a task of its own."""

    def __init__(self, world: World, call: Call) -> None:
        self.world, self.call = world, call
        self.person = world.people.of_number(call.patient)
        self.talk: asyncio.Task[None] | None = None
        self.detection: asyncio.Task[None] | None = None
        self.early = asyncio.Event()
        self._sequence = 0

    async def run(self) -> None:
        await self._wait_for_turn()
        await self._finish(await self._connect())

    async def _connect(self) -> str:
        """Everything between the queue and the end; the status that the call ends with."""
        if self.call.status == "canceled":
            return self.call.status
        self.call.started_at = self.world.clock.now()
        await self._report("initiated")
        await self.world.spend(SET_UP_S)
        if self.call.status != "canceled":
            self.call.status = "ringing"
            await self._report("ringing")
            self.early.set()
        return await self._ring()

    async def _wait_for_turn(self) -> None:
        """One call a second per account; the others wait at the carrier, as at Twilio."""
        loop = asyncio.get_running_loop()
        account = self.call.account_sid
        start = max(loop.time(), self.world.next_call_at.get(account, 0.0))
        self.world.next_call_at[account] = start + self.world.config.seconds_per_call
        await asyncio.sleep(start - loop.time())

    async def _ring(self) -> str:
        if self.call.status == "canceled":
            return self.call.status
        persona = self.person.persona
        patience = float(self.call.params.get("Timeout", 60)) + 5
        if persona.pick_up == "busy":
            await self.world.spend(1)
            return "busy"
        wait = VOICEMAIL_AFTER_S if persona.pick_up == "voicemail" else RING_S
        if persona.pick_up == "no_answer" or wait > patience:
            await self.world.spend(patience)
            return "canceled" if self.call.is_over else "no-answer"
        await self.world.spend(wait)
        if self.call.is_over:
            return self.call.status
        await self._talk(machine=persona.pick_up == "voicemail")
        return "completed"

    async def _talk(self, *, machine: bool) -> None:
        call = self.call
        call.status = "in-progress"
        call.started_at = self.world.clock.now()
        if str(call.params.get("Record", "")).lower() == "true":
            call.recording_sid = new_sid("RE")
        if machine:
            call.lines.append(Line("note", "Voicemail answers: “Leave a message after the tone.”"))
        await self._report("in-progress")
        await self._start_detection(machine=machine)
        line = OpenLine(self.world, call, Patient(self.person.persona), machine=machine)
        url, params = str(call.params["Url"]), dict[str, str]()
        while url:
            self.talk = self.world.spawn(line.run(url, params))
            await asyncio.wait([self.talk])
            url = call.new_orders.pop("Url", "")

    async def _start_detection(self, *, machine: bool) -> None:
        params = self.call.params
        mode = str(params.get("MachineDetection", ""))
        if mode not in ("Enable", "DetectMessageEnd"):
            return
        machine_word = "machine_start" if mode == "Enable" else "machine_end_beep"
        word = machine_word if machine else "human"
        if str(params.get("AsyncAmd", "")).lower() == "true":
            self.detection = self.world.spawn(self._detect(word))
        else:
            await self.world.spend(DETECTION_S)
            self.call.answered_by = word

    async def _detect(self, word: str) -> None:
        await self.world.spend(DETECTION_S)
        self.call.answered_by = word
        await twilio_callbacks.tell(
            self.world,
            self.call,
            url=str(self.call.params.get("AsyncAmdStatusCallback", "")),
            params={
                "CallSid": self.call.sid,
                "AccountSid": self.call.account_sid,
                "AnsweredBy": word,
                "MachineDetectionDuration": str(int(DETECTION_S * 1000)),
            },
            final=False,
        )

    def hang_up(self) -> None:
        """The product ends the call."""
        if self.talk:
            self.call.lines.append(Line("note", "We ended the call."))
            self.talk.cancel()
        else:
            self.call.status = "canceled"

    def send_elsewhere(self, url: str) -> None:
        """The product gives the call another document, in the middle of this one."""
        self.call.new_orders["Url"] = url
        if self.talk:
            self.talk.cancel()

    async def _finish(self, status: str) -> None:
        self.call.status = status
        self.call.ended_at = self.world.clock.now()
        if self.detection and not self.detection.done() and self.call.seconds < DETECTION_S:
            self.detection.cancel()
        await self._report(status)
        self.early.set()

    async def _report(self, status: str) -> None:
        params = self.call.params
        final = status not in ("initiated", "ringing", "in-progress")
        wanted = params.get("StatusCallbackEvent", ["completed"])
        events = [wanted] if isinstance(wanted, str) else list(wanted)
        event = "completed" if final else EVENT_NAMES.get(status, status)
        sequence, self._sequence = self._sequence, self._sequence + 1
        if event not in events:
            return
        told = {
            **call_params(self.call),
            "CallStatus": status,
            "Timestamp": self.world.clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000"),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
        }
        if final:
            told["CallDuration"] = str(round(self.call.seconds))
            told["Duration"] = str(-(-round(self.call.seconds) // 60))
        if final and self.call.recording_sid:
            told["RecordingSid"] = self.call.recording_sid
        await twilio_callbacks.tell(
            self.world,
            self.call,
            url=str(params.get("StatusCallback", "")),
            params=told,
            final=final,
        )


def start(world: World, call: Call) -> CallRun:
    """Put the call on the patient's phone page and set it going."""
    world.calls[call.sid] = call
    run = CallRun(world, call)
    run.person.practice_number = call.from_
    world.people.add(run.person, Entry(at=world.clock.now(), kind="call", call=call))
    call.control = run
    world.spawn(run.run())
    return run


async def ring_in(world: World, *, from_: str, to: str) -> Call:
    """A patient rings the practice's number; the product's inbound TwiML answers."""
    home, account_sid = world.home_of(to)
    call = Call(
        sid=new_sid("CA"),
        account_sid=account_sid,
        to=to,
        from_=from_,
        created_at=world.clock.now(),
        params={},
        direction="inbound",
        status="ringing",
    )
    world.calls[call.sid] = call
    person = world.people.of_number(from_)
    world.people.add(person, Entry(at=world.clock.now(), kind="call", call=call, from_patient=True))
    url = urljoin(home, "/hooks/twilio/inbound/voice")
    line = OpenLine(world, call, Patient(person.persona), machine=False)
    world.spawn(_answered(world, call, line, url))
    return call


async def _answered(world: World, call: Call, line: OpenLine, url: str) -> None:
    call.started_at = world.clock.now()
    await line.run(url)
    call.status, call.ended_at = "completed", world.clock.now()
