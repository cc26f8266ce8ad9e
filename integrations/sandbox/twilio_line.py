"""What is spoken on one call: fetches our TwiML and walks it with the patient on the line.

It ends when one side hangs up; the ringing before and the reports after are `twilio_calls.py`.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

from integrations.sandbox import twilio_callbacks, twiml
from integrations.sandbox.conversation import Patient
from integrations.sandbox.personas import Reply
from integrations.sandbox.resources import Call, Line, new_sid
from integrations.sandbox.world import World

LETTERS_PER_SECOND = 15
THINKING_S = 1.5
MOST_DOCUMENTS = 80


class HungUpError(Exception):
    """One side has put the phone down, or the call cannot go on."""


class NextDocumentError(Exception):
    """The call goes on at another address."""

    def __init__(self, url: str, params: dict[str, str]) -> None:
        super().__init__(url)
        self.url, self.params = url, params


class OpenLine:
    """An answered call. `machine` is true when voicemail took it: nobody speaks or presses."""

    def __init__(self, world: World, call: Call, patient: Patient, *, machine: bool) -> None:
        self.world, self.call, self.patient, self.machine = world, call, patient, machine
        self.heard = ""
        self.url = ""
        self._verbs: dict[str, Callable[[twiml.Verb], Awaitable[None]]] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Record": self._record,
            "Dial": self._dial,
            "Redirect": self._redirect,
            "Hangup": self._hangup,
            "Reject": self._hangup,
        }

    async def run(self, url: str, params: dict[str, str] | None = None) -> None:
        """Talk until somebody hangs up."""
        params = params or {}
        try:
            for _ in range(MOST_DOCUMENTS):
                try:
                    await self._walk(url, params)
                    return
                except NextDocumentError as following:
                    url, params = following.url, following.params
            self._note("The call went round in circles and was ended.")
        except HungUpError:
            return

    async def _walk(self, url: str, params: dict[str, str]) -> None:
        self.url = url
        for verb in await self._fetch(url, params):
            act = self._verbs.get(verb.name)
            if act is None:
                self._note(f"The phone network does not know <{verb.name}>.")
                continue
            await act(verb)

    async def _fetch(self, url: str, extra: dict[str, str]) -> tuple[twiml.Verb, ...]:
        status, body = await twilio_callbacks.post(
            self.world,
            account_sid=self.call.account_sid,
            url=url,
            params={**call_params(self.call), **extra},
        )
        try:
            if not 200 <= status < 300:
                raise twiml.TwimlError(str(status))
            return twiml.parse(body)
        except twiml.TwimlError as error:
            self._note("“We are sorry, an application error has occurred. Goodbye.”")
            raise HungUpError from error

    async def _spend(self, seconds: float) -> None:
        self.call.seconds += seconds
        await self.world.spend(seconds)

    def _note(self, text: str) -> None:
        self.call.lines.append(Line("note", text))

    async def _say(self, verb: twiml.Verb) -> None:
        self.call.lines.append(Line("us", verb.text))
        self.heard = f"{self.heard} {verb.text}".strip()
        if self.patient.persona.hangs_up_in_greeting and not self.machine:
            await self._spend(2)
            self._note("The patient hung up.")
            raise HungUpError
        await self._spend(len(verb.text) / LETTERS_PER_SECOND)

    async def _play(self, verb: twiml.Verb) -> None:
        self._note("A recording is played.")
        await self._spend(3)

    async def _pause(self, verb: twiml.Verb) -> None:
        await self._spend(verb.seconds("length", 1))

    async def _gather(self, verb: twiml.Verb) -> None:
        for child in verb.children:
            if child.name in ("Say", "Play", "Pause"):
                await self._verbs[child.name](child)
        ways = verb.attributes.get("input", "dtmf").split()
        reply = self._turn(ways)
        if reply.hang_up:
            self._note("The patient hung up.")
            raise HungUpError
        action = urljoin(self.url, verb.attributes.get("action", self.url))
        if reply.say or reply.keys:
            await self._spend(THINKING_S + len(reply.say) / LETTERS_PER_SECOND)
            self.call.lines.append(Line("patient", reply.say, reply.keys))
            raise NextDocumentError(action, _answer(reply, verb))
        await self._spend(verb.seconds("timeout", 5))
        if verb.attributes.get("actionOnEmptyResult", "false") == "true":
            self._note("Silence.")
            raise NextDocumentError(action, {"Digits": "", "SpeechResult": ""})

    def _turn(self, ways: list[str]) -> Reply:
        heard, self.heard = self.heard, ""
        if self.machine:
            return Reply()
        return self.patient.reply(heard, takes_speech="speech" in ways, takes_keys="dtmf" in ways)

    async def _record(self, verb: twiml.Verb) -> None:
        await self._spend(min(verb.seconds("maxLength", 3600), verb.seconds("timeout", 5)))
        self._note("A message is recorded.")
        self.call.recording_sid = self.call.recording_sid or new_sid("RE")
        if action := verb.attributes.get("action"):
            raise NextDocumentError(
                urljoin(self.url, action),
                {"RecordingSid": self.call.recording_sid, "RecordingDuration": "5"},
            )

    async def _dial(self, verb: twiml.Verb) -> None:
        self._note(f"Put through to {verb.text or 'the practice'}.")
        await self._spend(20)
        if action := verb.attributes.get("action"):
            raise NextDocumentError(urljoin(self.url, action), {"DialCallStatus": "completed"})

    async def _redirect(self, verb: twiml.Verb) -> None:
        raise NextDocumentError(urljoin(self.url, verb.text), {})

    async def _hangup(self, verb: twiml.Verb) -> None:
        raise HungUpError


def call_params(call: Call) -> dict[str, str]:
    """The fields that every request about a call carries."""
    params = {
        "CallSid": call.sid,
        "AccountSid": call.account_sid,
        "From": call.from_,
        "To": call.to,
        "CallStatus": call.status,
        "ApiVersion": "2010-04-01",
        "Direction": call.direction,
        "ForwardedFrom": "",
        "CallerName": "",
    }
    if call.answered_by:
        params["AnsweredBy"] = call.answered_by
    return params


def _answer(reply: Reply, gather: twiml.Verb) -> dict[str, str]:
    if reply.keys:
        most = int(gather.seconds("numDigits", len(reply.keys)))
        return {"Digits": reply.keys[:most]}
    return {
        "SpeechResult": reply.say,
        "Confidence": f"{reply.confidence:.8f}",
        "Language": gather.attributes.get("language", "en-US"),
    }
